//! Revisions below one another: `history`, `heads`, `current`.

use serde_json::Value;
use stairway_core::plan::report::RevisionReport;

use super::Report;
use crate::style::{DIM, GOOD, REVISION, Table, plain, styled, time, visible};

/// Revisions in the order in which they are to be shown.
pub(crate) struct RevisionList {
    pub(crate) revisions: Vec<RevisionReport>,
    /// What to say if there are none.
    pub(crate) empty: &'static str,
    /// Mark the applied heads.
    pub(crate) indicate_current: bool,
}

impl Report for RevisionList {
    fn json(&self) -> serde_json::Result<Value> {
        serde_json::to_value(&self.revisions)
    }

    fn text(&self) -> String {
        if self.revisions.is_empty() {
            return format!("{}\n", self.empty);
        }
        let asked = self
            .revisions
            .iter()
            .any(|revision| revision.is_applied.is_some());
        let heading: &[&str] = if asked {
            &["revision", "applied", "", "message"]
        } else {
            &["revision", "", "message"]
        };
        let mut table = Table::new(heading);
        for revision in &self.revisions {
            let mut cells = vec![styled(REVISION, visible(revision.revision.as_str()))];
            if asked {
                cells.push(match (revision.is_applied, revision.applied_at) {
                    (Some(true), Some(at)) => plain(time(at)),
                    (Some(true), None) => plain("yes"),
                    _ => styled(DIM, "pending"),
                });
            }
            cells.push(styled(GOOD, self.marks(revision)));
            cells.push(plain(visible(&revision.message)));
            table.row(cells);
        }
        table.text()
    }
}

impl RevisionList {
    /// What is special about a revision.
    fn marks(&self, revision: &RevisionReport) -> String {
        let mut marks = Vec::new();
        if self.indicate_current && revision.is_current == Some(true) {
            marks.push("current".to_owned());
        }
        if revision.is_head {
            marks.push("head".to_owned());
        }
        if revision.parents.len() > 1 {
            marks.push("merge".to_owned());
        }
        if revision.parents.is_empty() {
            marks.push("base".to_owned());
        }
        marks.extend(
            revision
                .branch_labels
                .iter()
                .map(|label| format!("@{}", visible(label))),
        );
        marks.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use stairway_core::plan::graph::RevisionGraph;
    use stairway_core::plan::history::History;
    use stairway_core::plan::revision::{Revision, RevisionId};

    use super::*;

    fn list(applied: Option<&[&str]>) -> String {
        let id = RevisionId::from;
        let mut left = Revision::new("m3_left", [id("m1_users")]);
        left.branch_labels = vec!["left".to_owned()];
        let graph = RevisionGraph::new(vec![
            Revision::new("m1_users", []),
            Revision::new("m2_longer_name", [id("m1_users")]),
            left,
            Revision::new("m4_merge", [id("m2_longer_name"), id("m3_left")]),
        ])
        .unwrap();
        let history = applied.map(|applied| History::of(applied.iter().copied()));
        let ids: Vec<RevisionId> = graph
            .iter()
            .rev()
            .map(|revision| revision.id.clone())
            .collect();
        let revisions = RevisionReport::list(&graph, history.as_ref(), &ids);
        let list = RevisionList {
            revisions,
            empty: "none",
            indicate_current: true,
        };
        anstream::adapter::strip_str(&list.text()).to_string()
    }

    #[test]
    fn revisions_stand_below_one_another_with_what_is_special_about_them() {
        insta::assert_snapshot!(list(Some(&["m1_users", "m3_left"])), @r"
        revision        applied                 message
        m4_merge        pending  head merge     merge
        m3_left         yes      current @left  left
        m2_longer_name  pending                 longer name
        m1_users        yes      base           users
        ");
    }

    #[test]
    fn without_a_database_nothing_is_said_about_being_applied() {
        insta::assert_snapshot!(list(None), @r"
        revision                    message
        m4_merge        head merge  merge
        m3_left         @left       left
        m2_longer_name              longer name
        m1_users        base        users
        ");
    }
}
