//! Foreign keys of a table that both sides have.

use super::constraints::{find_name_and_comment, find_validation, pair_up};
use super::context::{Context, Findings};
use crate::op::{Object, Op};
use crate::schema::{ForeignKey, Table};

/// Finds what differs between the foreign keys.
pub(super) fn find(context: &Context<'_>, from: &Table, to: &Table, findings: &mut Findings) {
    let table = &to.name;
    let same = |a: &ForeignKey, b: &ForeignKey| is_same(context, a, b);
    let same_name = |a: &ForeignKey, b: &ForeignKey| a.name == b.name && same(a, b);
    let (pairs, gone, come) = pair_up(&from.foreign_keys, &to.foreign_keys, &[&same_name, &same]);
    for (old, new) in pairs {
        find_name_and_comment(
            context,
            table,
            (old.name.as_ref(), new.name.as_ref()),
            (old.comment.as_ref(), new.comment.as_ref()),
            findings,
        );
        let object = Object::ForeignKey {
            table: table.clone(),
            foreign_key: new.clone(),
        };
        let name = if context.is_exact() {
            &new.name
        } else {
            &old.name
        };
        let validated = (old.validated, new.validated);
        find_validation(context, table, name.as_ref(), validated, object, findings);
    }
    for foreign_key in gone {
        findings.push(Op::Drop(Object::ForeignKey {
            table: table.clone(),
            foreign_key: foreign_key.clone(),
        }));
    }
    for foreign_key in come {
        findings.push(Op::Create(Object::ForeignKey {
            table: table.clone(),
            foreign_key: foreign_key.clone(),
        }));
    }
}

/// Whether two foreign keys demand the same, whatever they are called.
fn is_same(context: &Context<'_>, a: &ForeignKey, b: &ForeignKey) -> bool {
    let pairs = |key: &ForeignKey| {
        let mut pairs: Vec<(String, String)> = key
            .columns
            .iter()
            .cloned()
            .zip(key.ref_columns.iter().cloned())
            .collect();
        pairs.sort();
        pairs
    };
    let actions = |key: &ForeignKey| {
        let mut columns = key.on_delete_columns.clone();
        columns.sort();
        columns
    };
    a.ref_table == b.ref_table
        && pairs(a) == pairs(b)
        && context.rules.same_action(a.on_delete, b.on_delete)
        && context.rules.same_action(a.on_update, b.on_update)
        && actions(a) == actions(b)
        && a.match_type == b.match_type
        && a.deferrability == b.deferrability
}
