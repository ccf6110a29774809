use proptest::prelude::*;

use super::*;
use crate::sample::{MERGED, SEVEN, any_state, at, graph, revision};

fn drawn(shape: &[&str], applied: Option<&str>) -> String {
    let graph = graph(shape);
    text(&graph, applied.map(|heads| at(&graph, heads)).as_ref())
}

#[test]
fn a_line_is_drawn_newest_first() {
    insta::assert_snapshot!(drawn(&["a", "b <a", "c <b"], None), @r#"
    ○  c (head)
    ○  b
    ○  a
    "#);
    assert_eq!(drawn(&[], Some("")), "");
}

#[test]
fn forks_and_other_bases_get_lanes_of_their_own() {
    insta::assert_snapshot!(drawn(SEVEN, Some("cccc3333")), @r#"
    ○  abab7777 (branch indep, head, depends on bbbb2222)

    ○  ffff6666 (head)
    ○  dddd4444 (branch right)
    │ ○  eeee5555 (head)
    │ ●  cccc3333 (branch left, current)
    ├─╯
    ●  bbbb2222
    ●  aaaa1111

    ● applied  ○ pending
    "#);
}

#[test]
fn a_merge_brings_lanes_together() {
    insta::assert_snapshot!(drawn(MERGED, Some("ffff6666 eeee5555")), @r#"
    ○  nnnn9999 (head)
    ○  mmmm8888
    ├─╮
    │ ●  ffff6666 (current)
    │ ●  dddd4444 (branch right)
    ● │  eeee5555 (current)
    ● │  cccc3333 (branch left)
    ├─╯
    ●  bbbb2222
    ●  aaaa1111

    ● applied  ○ pending
    "#);
}

#[test]
fn a_wide_merge_passes_over_lanes_between() {
    let shape = ["a", "b <a", "c <a", "m <b <c", "y <a", "h <m ~y"];
    insta::assert_snapshot!(drawn(&shape, None), @r#"
    ○  h (head, depends on y)
    │ ○  y (head)
    ○ │  m
    ├─│─╮
    │ │ ○  c
    ○ │ │  b
    ├─┴─╯
    ○  a
    "#);
}

#[test]
fn what_only_the_database_has_comes_first() {
    let graph = graph(&["a"]);
    insta::assert_snapshot!(text(&graph, Some(&History::of(["a", "u"]))), @r#"
    ?  u (not known to this build)

    ●  a (head, current)

    ● applied  ○ pending
    "#);
}

#[test]
fn diagrams_name_every_revision_and_link() {
    let graph = graph(&["a", "b <a @left", "c <a", "m <b <c", "x ~b"]);
    let history = at(&graph, "b");
    insta::assert_snapshot!(mermaid(&graph, Some(&history)), @r#"
    flowchart TD
        r0["a"]:::applied
        r1["b<br/>branch left, current"]:::applied
        r2["x<br/>head"]:::pending
        r3["c"]:::pending
        r4["m<br/>head"]:::pending
        r0 --> r1
        r1 -.-> r2
        r0 --> r3
        r1 --> r4
        r3 --> r4
        classDef applied stroke-width:3px
        classDef pending stroke-dasharray:4
    "#);
    insta::assert_snapshot!(dot(&graph, Some(&history)), @r#"
    digraph revisions {
        node [shape=box];
        r0 [label="a", penwidth=2];
        r1 [label="b\nbranch left, current", penwidth=2];
        r2 [label="x\nhead", style=dashed];
        r3 [label="c", style=dashed];
        r4 [label="m\nhead", style=dashed];
        r0 -> r1;
        r1 -> r2 [style=dashed];
        r0 -> r3;
        r1 -> r4;
        r3 -> r4;
    }
    "#);
}

#[test]
fn nothing_in_a_name_or_message_is_taken_for_the_language() {
    let mut odd = revision("a\"];b");
    odd.message = "<script>alert('x')</script>\n`\\\u{1b}[31m \"quoted\" #1;".to_owned();
    let graph = RevisionGraph::new(vec![odd]).unwrap();
    insta::assert_snapshot!(text(&graph, None), @r##"○  a"];b  <script>alert('x')</script>\u{a}`\\u{1b}[31m "quoted" #1; (head)"##);
    insta::assert_snapshot!(mermaid(&graph, None), @r#"
    flowchart TD
        r0["a#34;#93;#59;b<br/>#60;script#62;alert#40;#39;x#39;#41;#60;#47;script#62;#92;u#123;a#125;#96;#92;#92;u#123;1b#125;#91;31m #34;quoted#34; #35;1#59;<br/>head"]
    "#);
    insta::assert_snapshot!(dot(&graph, None), @r#"
    digraph revisions {
        node [shape=box];
        r0 [label="a\"];b\n<script>alert('x')</script>\\u{a}`\\\\u{1b}[31m \"quoted\" #1;\nhead"];
    }
    "#);
}

proptest! {
    #[test]
    fn every_revision_is_drawn_once((graph, history) in any_state()) {
        let drawn = text(&graph, Some(&history));
        let rows = drawn.lines().filter(|line| line.contains("_step"));
        prop_assert_eq!(rows.count(), graph.len());
        prop_assert_eq!(drawn.matches('●').count(), history.applied.len() + usize::from(!graph.is_empty()));
    }

    /// Follows the drawn lanes from each revision and finds its parents.
    #[test]
    fn every_link_is_drawn((graph, _) in any_state()) {
        let drawn = text(&graph, None);
        let rows: Vec<Vec<char>> = drawn.lines().map(|line| line.chars().collect()).collect();
        let sign = |row: usize, column: usize| rows[row].get(column).copied().unwrap_or(' ');
        for (row, line) in drawn.lines().enumerate().filter(|(_, line)| line.contains("_step")) {
            let column = line.chars().position(|c| c == '○').unwrap();
            let mut open = vec![(row + 1, column)];
            let mut reached = Vec::new();
            while let Some((row, column)) = open.pop() {
                match if row < rows.len() { sign(row, column) } else { ' ' } {
                    '│' => open.push((row + 1, column)),
                    '○' => {
                        let line = drawn.lines().nth(row).unwrap();
                        let id = line.split_whitespace().find(|word| word.contains("_step")).unwrap();
                        reached.push(id.to_owned());
                    }
                    '├' => {
                        open.push((row + 1, column));
                        // Only lanes that open lead down; lanes that close lead to this one.
                        for (right, &c) in rows[row].iter().enumerate().skip(column) {
                            match c {
                                '┬' | '╮' => open.push((row + 1, right)),
                                _ => {}
                            }
                            if matches!(c, '╮' | '╯') {
                                break;
                            }
                        }
                    }
                    '┴' | '╯' => {
                        let left = (0..column).rev().find(|&left| sign(row, left) == '├').unwrap();
                        open.push((row + 1, left));
                    }
                    _ => {}
                }
            }
            let id = line.split_whitespace().find(|word| word.contains("_step")).unwrap();
            let mut parents: Vec<String> = graph.parents(id).iter().map(ToString::to_string).collect();
            parents.sort();
            reached.sort();
            prop_assert_eq!(reached, parents, "{}", drawn);
        }
    }
}
