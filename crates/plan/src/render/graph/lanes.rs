//! The graph drawn in lanes, newest revision first.

use std::fmt::Write as _;

use super::{Marks, message};
use crate::graph::RevisionGraph;
use crate::history::History;
use crate::listing::visible;

/// Draws the graph for a terminal, newest revision first, one line for each revision and one for each
/// fork and merge. With a `history`, applied revisions are told from pending ones, and revisions that
/// only the database has come first.
///
/// ```text
/// ○  m04_merge (head)
/// ├─╮
/// │ ○  m03_right
/// ● │  m02_left (current)
/// ├─╯
/// ●  m01_first
///
/// ● applied  ○ pending
/// ```
pub fn text(graph: &RevisionGraph, history: Option<&History>) -> String {
    let marks = Marks::new(graph, history);
    let mut picture = Picture::default();
    for id in marks.unknown() {
        let id = visible(id.as_str());
        picture.line(&format!("?  {id} (not known to this build)"));
    }
    if !marks.unknown().is_empty() && !graph.is_empty() {
        picture.gap();
    }
    for position in (0..graph.len()).rev() {
        let lane = picture.enter(position);
        let glyph = match marks.is_applied(position) {
            Some(true) => '●',
            Some(false) | None => '○',
        };
        picture.revision(lane, glyph, &caption(graph, &marks, position));
        picture.leave(lane, graph.parents_at(position));
        let is_end = graph.parents_at(position).is_empty();
        if is_end && (position > 0 || marks.database.is_some()) {
            picture.gap();
        }
    }
    if marks.database.is_some() && !graph.is_empty() {
        picture.line("● applied  ○ pending");
    }
    picture.drawn
}

fn caption(graph: &RevisionGraph, marks: &Marks<'_>, position: usize) -> String {
    let revision = graph.at(position);
    let mut caption = revision.id.to_string();
    if let Some(message) = message(revision) {
        caption.push_str("  ");
        caption.push_str(message);
    }
    let depends_on = graph.dependencies_at(position).iter();
    let depends_on = depends_on.map(|&below| format!("depends on {}", graph.id(below)));
    let words: Vec<String> = marks
        .words(position)
        .into_iter()
        .chain(depends_on)
        .collect();
    if !words.is_empty() {
        // Writing to a string does not fail.
        let _ = write!(caption, " ({})", words.join(", "));
    }
    visible(&caption).into_owned()
}

/// Lines drawn so far, and the lanes that lead on downwards.
#[derive(Default)]
struct Picture {
    drawn: String,
    /// The revision that each lane leads to; a lane without one is free.
    lanes: Vec<Option<usize>>,
}

impl Picture {
    /// The lane of a revision. Where several lead to it, they are drawn together first.
    fn enter(&mut self, position: usize) -> usize {
        let leading: Vec<usize> = (0..self.lanes.len())
            .filter(|&lane| self.lanes[lane] == Some(position))
            .collect();
        let Some((&lane, others)) = leading.split_first() else {
            return self.open(0, position);
        };
        if !others.is_empty() {
            self.link(lane, others, '┴', '╯');
        }
        for &other in others {
            self.lanes[other] = None;
        }
        self.trim();
        lane
    }

    /// Leads the lanes on to the parents, the first in the same lane.
    fn leave(&mut self, lane: usize, parents: &[usize]) {
        let Some((&first, others)) = parents.split_first() else {
            self.lanes[lane] = None;
            self.trim();
            return;
        };
        self.lanes[lane] = Some(first);
        let opened: Vec<usize> = others
            .iter()
            .map(|&parent| self.open(lane + 1, parent))
            .collect();
        if !opened.is_empty() {
            self.link(lane, &opened, '┬', '╮');
        }
    }

    /// Gives the first free lane from `start` on to a revision.
    fn open(&mut self, start: usize, position: usize) -> usize {
        let free = (start..self.lanes.len()).find(|&lane| self.lanes[lane].is_none());
        let lane = free.unwrap_or(self.lanes.len());
        self.lanes.resize(self.lanes.len().max(lane + 1), None);
        self.lanes[lane] = Some(position);
        lane
    }

    fn trim(&mut self) {
        while self.lanes.last() == Some(&None) {
            self.lanes.pop();
        }
    }

    fn revision(&mut self, lane: usize, glyph: char, caption: &str) {
        let signs = (0..self.lanes.len().max(lane + 1)).map(|index| match self.lanes.get(index) {
            _ if index == lane => glyph,
            Some(Some(_)) => '│',
            _ => ' ',
        });
        let signs: Vec<String> = signs.map(String::from).collect();
        self.line(&format!("{}  {caption}", signs.join(" ")));
    }

    /// Draws a line without a revision, so that what ends above is not taken for the child of what
    /// comes next.
    fn gap(&mut self) {
        let signs = self
            .lanes
            .iter()
            .map(|lane| if lane.is_some() { "│" } else { " " });
        let signs: Vec<&str> = signs.collect();
        self.line(&signs.join(" "));
    }

    /// Draws a line from a lane to others on its right.
    fn link(&mut self, lane: usize, others: &[usize], inner: char, outer: char) {
        let end = others.iter().copied().max().unwrap_or(lane);
        let mut row = String::new();
        for index in 0..self.lanes.len() {
            let is_passed = self.lanes[index].is_some();
            row.push(match index {
                _ if index == lane => '├',
                _ if index == end => outer,
                _ if others.contains(&index) => inner,
                _ if is_passed => '│',
                _ if index > lane && index < end => '─',
                _ => ' ',
            });
            row.push(if index >= lane && index < end {
                '─'
            } else {
                ' '
            });
        }
        self.line(&row);
    }

    fn line(&mut self, line: &str) {
        self.drawn.push_str(line.trim_end());
        self.drawn.push('\n');
    }
}
