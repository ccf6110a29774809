//! The graph in the languages of Mermaid and Graphviz.

use std::fmt::Write as _;

use super::{Marks, message};
use crate::graph::RevisionGraph;
use crate::history::History;
use crate::listing::visible;

/// The graph as a Mermaid flow chart: parents lead to children, dependencies are dotted. With a
/// `history`, applied revisions have a thick border and pending ones a dashed one.
pub fn mermaid(graph: &RevisionGraph, history: Option<&History>) -> String {
    let marks = Marks::new(graph, history);
    let mut chart = String::from("flowchart TD\n");
    let mut line = |text: String| {
        // Writing to a string does not fail.
        let _ = writeln!(chart, "    {text}");
    };
    for position in 0..graph.len() {
        let lines: Vec<String> = captions(graph, &marks, position)
            .iter()
            .map(|text| in_mermaid(text))
            .collect();
        let class = match marks.is_applied(position) {
            None => "",
            Some(true) => ":::applied",
            Some(false) => ":::pending",
        };
        line(format!("r{position}[\"{}\"]{class}", lines.join("<br/>")));
    }
    for (above, below, is_parent) in links(graph) {
        let arrow = if is_parent { "-->" } else { "-.->" };
        line(format!("r{below} {arrow} r{above}"));
    }
    if marks.database.is_some() {
        line("classDef applied stroke-width:3px".to_owned());
        line("classDef pending stroke-dasharray:4".to_owned());
    }
    chart
}

/// The graph for Graphviz: parents lead to children, dependencies are dashed. With a `history`,
/// applied revisions have a thick border and pending ones a dashed one.
pub fn dot(graph: &RevisionGraph, history: Option<&History>) -> String {
    let marks = Marks::new(graph, history);
    let mut chart = String::from("digraph revisions {\n");
    let mut line = |text: String| {
        // Writing to a string does not fail.
        let _ = writeln!(chart, "    {text}");
    };
    line("node [shape=box];".to_owned());
    for position in 0..graph.len() {
        let lines: Vec<String> = captions(graph, &marks, position)
            .iter()
            .map(|text| in_dot(text))
            .collect();
        let style = match marks.is_applied(position) {
            None => "",
            Some(true) => ", penwidth=2",
            Some(false) => ", style=dashed",
        };
        line(format!(
            "r{position} [label=\"{}\"{style}];",
            lines.join("\\n")
        ));
    }
    for (above, below, is_parent) in links(graph) {
        let style = if is_parent { "" } else { " [style=dashed]" };
        line(format!("r{below} -> r{above}{style};"));
    }
    chart.push_str("}\n");
    chart
}

/// The lines in a revision's box.
fn captions(graph: &RevisionGraph, marks: &Marks<'_>, position: usize) -> Vec<String> {
    let revision = graph.at(position);
    let words = marks.words(position).join(", ");
    let lines = [
        Some(revision.id.as_str()),
        message(revision),
        Some(words.as_str()),
    ];
    lines
        .into_iter()
        .flatten()
        .filter(|line| !line.is_empty())
        .map(|line| visible(line).into_owned())
        .collect()
}

/// Every link, as the revision above, the one below, and whether it is a parent.
fn links(graph: &RevisionGraph) -> impl Iterator<Item = (usize, usize, bool)> {
    (0..graph.len()).flat_map(|above| {
        let parents = graph
            .parents_at(above)
            .iter()
            .map(move |&below| (above, below, true));
        let others = graph
            .dependencies_at(above)
            .iter()
            .map(move |&below| (above, below, false));
        parents.chain(others)
    })
}

/// Everything that is not a letter, a digit or harmless is written as its number.
fn in_mermaid(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        ' ' | '_' | '-' | '.' | ',' => c.to_string(),
        c if c.is_alphanumeric() => c.to_string(),
        c => format!("#{};", u32::from(c)),
    });
    escaped.collect()
}

fn in_dot(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
