//! The revision graph as a drawing: one row for each revision, newest on top, and the lines that
//! cross it. A row's lines are an SVG of their own that stretches with the row's text.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use stairway_plan::graph::RevisionGraph;
use stairway_plan::revision::{Revision, RevisionId};

/// How many branches stand side by side; the others share the last place.
const MOST_COLUMNS: usize = 16;

/// Between two columns, and from the edge to the first, in CSS pixels.
const COLUMN_WIDTH: usize = 18;
const MARGIN: usize = 12;

/// More revisions than this are not shown all at once.
const SHOWN_IN_FULL: usize = 60;

/// The newest of a long graph are shown in any case: this many.
const NEWEST: usize = 20;

/// Around each revision of interest in a long graph, this many are shown.
const NEIGHBOURS: usize = 8;

/// The drawing of a graph. It depends on nothing but the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GraphDrawing {
    rows: Vec<DrawnRow>,
    columns: usize,
}

/// One revision's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DrawnRow {
    pub(crate) revision: Revision,
    pub(crate) is_head: bool,
    /// Where the node stands, in pixels from the left.
    pub(crate) x: usize,
    /// The `d` of the path that draws the lines, in a box of the drawing's width and 100 high. The
    /// node is in the middle.
    pub(crate) lines: String,
    /// The columns of the lines that leave the row below.
    leaving: Vec<usize>,
}

/// What stands in the list that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item<'a> {
    Row(&'a DrawnRow),
    /// So many rows are left out; these lines go on through them.
    Gap {
        count: usize,
        through: &'a [usize],
    },
}

impl GraphDrawing {
    /// Draws a graph.
    pub(crate) fn of(graph: &RevisionGraph) -> Self {
        let heads: BTreeSet<RevisionId> = graph.heads().into_iter().collect();
        // What each column waits for: the revision that a line leads down to.
        let mut columns: Vec<Option<&RevisionId>> = Vec::new();
        let mut widest = 1;
        let mut rows = Vec::with_capacity(graph.len());
        let revisions: Vec<&Revision> = graph.iter().collect();
        for revision in revisions.into_iter().rev() {
            let arriving = columns.clone();
            let node = match columns
                .iter()
                .position(|column| *column == Some(&revision.id))
            {
                Some(column) => column,
                None => free_column(&mut columns),
            };
            for column in &mut columns {
                if *column == Some(&revision.id) {
                    *column = None;
                }
            }
            let mut down = Vec::new();
            let mut bends = None;
            for (nth, parent) in revision.parents.iter().enumerate() {
                let known = columns.iter().position(|column| *column == Some(parent));
                let column = match known {
                    // A line that stands further out joins this one, so that the oldest branch
                    // stays on the left.
                    Some(column) if nth == 0 && column > node => {
                        columns[column] = None;
                        bends = Some(column);
                        node
                    }
                    Some(column) => column,
                    None if nth == 0 => node,
                    None => free_column(&mut columns),
                };
                columns[column] = Some(parent);
                down.push(column);
            }
            while columns.last() == Some(&None) {
                columns.pop();
            }
            widest = widest.max(columns.len()).max(arriving.len()).max(node + 1);
            let leaving = occupied(&columns);
            rows.push(DrawnRow {
                is_head: heads.contains(&revision.id),
                x: x(node),
                lines: lines(&revision.id, node, &arriving, &down, bends),
                leaving,
                revision: revision.clone(),
            });
        }
        Self {
            rows,
            columns: widest.min(MOST_COLUMNS),
        }
    }

    /// The drawing's width in pixels.
    pub(crate) fn width(&self) -> usize {
        MARGIN * 2 + (self.columns - 1) * COLUMN_WIDTH
    }

    /// How many revisions there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// What to show: everything of a small graph; of a large one what is around the heads and around
    /// the revisions that `is_of_interest` picks, with gaps between.
    pub(crate) fn items(&self, is_of_interest: impl Fn(&RevisionId) -> bool) -> Vec<Item<'_>> {
        if self.rows.len() <= SHOWN_IN_FULL {
            return self.rows.iter().map(Item::Row).collect();
        }
        let mut shown: BTreeSet<usize> = (0..NEWEST).collect();
        shown.insert(self.rows.len() - 1);
        let interesting = self
            .rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.is_head || is_of_interest(&row.revision.id));
        for (at, _) in interesting.take(NEIGHBOURS) {
            let last = (at + NEIGHBOURS).min(self.rows.len() - 1);
            shown.extend(at.saturating_sub(NEIGHBOURS)..=last);
        }
        let mut items = Vec::new();
        let mut next = 0;
        for at in shown {
            if at > next {
                items.push(Item::Gap {
                    count: at - next,
                    through: &self.rows[next.saturating_sub(1)].leaving,
                });
            }
            items.push(Item::Row(&self.rows[at]));
            next = at + 1;
        }
        items
    }
}

/// The path of the lines that pass through a gap.
pub(crate) fn gap_lines(through: &[usize]) -> String {
    let mut path = String::new();
    for column in through {
        let _ = write!(path, "M{} 0V100", x(*column));
    }
    path
}

fn free_column(columns: &mut Vec<Option<&RevisionId>>) -> usize {
    columns.iter().position(Option::is_none).unwrap_or_else(|| {
        columns.push(None);
        columns.len() - 1
    })
}

fn occupied(columns: &[Option<&RevisionId>]) -> Vec<usize> {
    let occupied = columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.is_some());
    occupied.map(|(at, _)| at).collect()
}

/// The lines of one row: those that pass by, those that come down to the node, and those that leave
/// it for the parents. The line in the column `bends` passes by and joins the node's column below.
fn lines(
    revision: &RevisionId,
    node: usize,
    arriving: &[Option<&RevisionId>],
    down: &[usize],
    bends: Option<usize>,
) -> String {
    let mut path = String::new();
    let at_node = x(node);
    for (column, awaited) in arriving.iter().enumerate() {
        let at = x(column);
        // Writing to a String does not fail.
        let _ = match awaited {
            None => Ok(()),
            Some(_) if bends == Some(column) => {
                write!(path, "M{at} 0V50C{at} 80 {at_node} 65 {at_node} 100")
            }
            Some(awaited) if *awaited != revision => write!(path, "M{at} 0V100"),
            Some(_) if at == at_node => write!(path, "M{at} 0V50"),
            Some(_) => write!(path, "M{at} 0C{at} 35 {at_node} 20 {at_node} 50"),
        };
    }
    for column in down {
        let at = x(*column);
        let _ = if at == at_node {
            write!(path, "M{at} 50V100")
        } else {
            write!(path, "M{at_node} 50C{at_node} 80 {at} 65 {at} 100")
        };
    }
    path
}

/// Where a column stands, in pixels from the left.
fn x(column: usize) -> usize {
    MARGIN + column.min(MOST_COLUMNS - 1) * COLUMN_WIDTH
}

#[cfg(test)]
mod tests {
    //! Every link of the graph is drawn, whatever the graph, and a long one stays short on the page.

    use super::*;

    fn graph(revisions: &[(&str, &[&str])]) -> RevisionGraph {
        let revisions = revisions
            .iter()
            .map(|(id, parents)| {
                Revision::new(*id, parents.iter().map(|parent| RevisionId::from(*parent)))
            })
            .collect();
        RevisionGraph::new(revisions).expect("a sound graph")
    }

    /// The drawing as `node column | columns leaving below`.
    fn columns(drawing: &GraphDrawing) -> Vec<(String, usize, Vec<usize>)> {
        let rows = drawing.rows.iter();
        rows.map(|row| {
            let column = (row.x - MARGIN) / COLUMN_WIDTH;
            (row.revision.id.to_string(), column, row.leaving.clone())
        })
        .collect()
    }

    #[test]
    fn a_chain_is_one_straight_line() {
        let drawing = GraphDrawing::of(&graph(&[("a", &[]), ("b", &["a"]), ("c", &["b"])]));
        assert_eq!(
            columns(&drawing),
            [
                ("c".to_owned(), 0, vec![0]),
                ("b".to_owned(), 0, vec![0]),
                ("a".to_owned(), 0, vec![]),
            ]
        );
        let paths: Vec<&str> = drawing.rows.iter().map(|row| row.lines.as_str()).collect();
        assert_eq!(paths, ["M12 50V100", "M12 0V50M12 50V100", "M12 0V50"]);
        assert_eq!(drawing.width(), 24);
    }

    #[test]
    fn a_branch_opens_a_second_column_and_a_merge_closes_it() {
        let drawing = GraphDrawing::of(&graph(&[
            ("a", &[]),
            ("b", &["a"]),
            ("c", &["a"]),
            ("d", &["b", "c"]),
            ("e", &["d"]),
        ]));
        let columns = columns(&drawing);
        assert_eq!(columns[0], ("e".to_owned(), 0, vec![0]));
        assert_eq!(columns[1], ("d".to_owned(), 0, vec![0, 1]));
        assert_eq!(columns[4], ("a".to_owned(), 0, vec![]));
        assert!(
            drawing.rows[1].lines.contains("C12 80 30 65 30 100"),
            "a curve to the second parent"
        );
        assert!(drawing.rows[4].lines.contains("M12 0V50"));
        assert!(columns[2..4].iter().any(|(_, column, _)| *column == 1));
    }

    #[test]
    fn two_heads_stand_side_by_side_until_they_meet() {
        let drawing = GraphDrawing::of(&graph(&[("a", &[]), ("b", &["a"]), ("c", &["a"])]));
        let heads: Vec<bool> = drawing.rows.iter().map(|row| row.is_head).collect();
        assert_eq!(heads, [true, true, false]);
        assert_ne!(drawing.rows[0].x, drawing.rows[1].x);
    }

    #[test]
    fn nothing_is_drawn_of_an_empty_graph() {
        let drawing = GraphDrawing::of(&graph(&[]));
        assert_eq!(drawing.len(), 0);
        assert!(drawing.items(|_| false).is_empty());
    }

    fn chain(length: usize) -> RevisionGraph {
        let mut before = None;
        let revisions = (0..length)
            .map(|n| {
                let id = RevisionId::from(format!("m{n:05}"));
                let parent = before.replace(id.clone());
                Revision::new(id, parent)
            })
            .collect();
        RevisionGraph::new(revisions).expect("a chain")
    }

    #[test]
    fn of_a_long_graph_the_ends_and_what_matters_are_shown_and_the_rest_is_counted() {
        let drawing = GraphDrawing::of(&chain(10_000));
        let items = drawing.items(|id| id.as_str() == "m04000");
        assert!(items.len() < 60, "{} items", items.len());
        let shown = |id: &str| {
            items
                .iter()
                .any(|item| matches!(item, Item::Row(row) if row.revision.id.as_str() == id))
        };
        assert!(shown("m09999") && shown("m04000") && shown("m04008") && shown("m00000"));
        let all: usize = items
            .iter()
            .map(|item| match item {
                Item::Row(_) => 1,
                Item::Gap { count, .. } => *count,
            })
            .sum();
        assert_eq!(all, 10_000);
    }

    #[test]
    fn every_link_ends_at_its_parent_in_graphs_of_any_shape() {
        use std::collections::HashMap;

        // A small generator of its own keeps the shapes the same on every run.
        let mut seed = 7_u64;
        let mut next = move |below: usize| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).expect("31 bits") % below
        };
        for _ in 0..200 {
            let size = 1 + next(24);
            let revisions: Vec<Revision> = (0..size)
                .map(|n| {
                    let mut parents: Vec<usize> = (0..next(3))
                        .filter(|_| n > 0)
                        .map(|_| next(n.max(1)))
                        .collect();
                    parents.sort_unstable();
                    parents.dedup();
                    Revision::new(
                        format!("r{n}"),
                        parents.iter().map(|p| RevisionId::from(format!("r{p}"))),
                    )
                })
                .collect();
            let Ok(graph) = RevisionGraph::new(revisions) else {
                continue;
            };
            let drawing = GraphDrawing::of(&graph);
            let at: HashMap<&str, usize> = drawing
                .rows
                .iter()
                .enumerate()
                .map(|(at, row)| (row.revision.id.as_str(), at))
                .collect();
            for (n, row) in drawing.rows.iter().enumerate() {
                let below = row.lines.matches("100").count();
                assert!(below >= row.revision.parents.len().min(1), "{row:?}");
                for parent in &row.revision.parents {
                    let parent = at[parent.as_str()];
                    assert!(parent > n, "parents stand below");
                    let node = (drawing.rows[parent].x - MARGIN) / COLUMN_WIDTH;
                    let arrives = &drawing.rows[parent - 1].leaving;
                    assert!(
                        arrives.contains(&node) || node == MOST_COLUMNS - 1,
                        "a line comes down to the parent's node"
                    );
                }
            }
        }
    }
}
