//! Primary keys, unique keys, checks and exclusion constraints of a table that both sides have.

use std::collections::BTreeSet;

use super::Subject;
use super::context::{Context, Findings};
use super::indexes::is_same as is_same_index;
use crate::op::{Alteration, CommentTarget, Object, Op, Rename};
use crate::schema::{
    Check, Deferrability, Exclusion, Index, ObjectName, PrimaryKey, Table, Unique,
};

/// Finds what differs between the constraints other than foreign keys.
pub(super) fn find(
    context: &Context<'_>,
    from: &Table,
    to: &Table,
    twins: &Twins,
    findings: &mut Findings,
) {
    find_primary_key(context, from, to, findings);
    find_uniques(context, from, to, twins, findings);
    find_checks(context, from, to, findings);
    find_exclusions(context, from, to, findings);
}

/// What pairs of constraints that are the same have besides: a name and a comment.
pub(super) fn find_name_and_comment(
    context: &Context<'_>,
    table: &ObjectName,
    names: (Option<&String>, Option<&String>),
    comments: (Option<&String>, Option<&String>),
    findings: &mut Findings,
) {
    let (Some(old_name), Some(new_name)) = names else {
        return;
    };
    let renamed = old_name != new_name && context.is_exact();
    if renamed {
        findings.push(Op::Rename(Rename::Constraint {
            table: table.clone(),
            from: old_name.clone(),
            to: new_name.clone(),
        }));
    }
    if comments.0 != comments.1 {
        let name = if renamed { new_name } else { old_name };
        findings.push(Op::Alter(Alteration::Comment {
            target: CommentTarget::Constraint(table.clone(), name.clone()),
            from: comments.0.cloned(),
            to: comments.1.cloned(),
        }));
    }
}

fn find_primary_key(context: &Context<'_>, from: &Table, to: &Table, findings: &mut Findings) {
    let table = &to.name;
    let create = |key: &PrimaryKey| {
        Op::Create(Object::PrimaryKey {
            table: table.clone(),
            key: key.clone(),
        })
    };
    let drop = |key: &PrimaryKey| {
        Op::Drop(Object::PrimaryKey {
            table: table.clone(),
            key: key.clone(),
        })
    };
    match (&from.primary_key, &to.primary_key) {
        (None, None) => {}
        (Some(old), None) => findings.push(drop(old)),
        (None, Some(new)) => findings.push(create(new)),
        (Some(old), Some(new)) => {
            let same = old.columns == new.columns
                && old.include == new.include
                && old.deferrability == new.deferrability
                && old.on_conflict == new.on_conflict
                && old.prefix_lengths == new.prefix_lengths;
            if same {
                find_name_and_comment(
                    context,
                    table,
                    (old.name.as_ref(), new.name.as_ref()),
                    (old.comment.as_ref(), new.comment.as_ref()),
                    findings,
                );
            } else {
                findings.push(drop(old));
                findings.push(create(new));
            }
        }
    }
}

/// Unique constraints and unique indexes that stand for one another: a unique index over the same
/// columns does all that a constraint asks for.
#[derive(Debug, Default)]
pub(super) struct Twins {
    uniques_from: Vec<Unique>,
    uniques_to: Vec<Unique>,
    /// Names of indexes that a constraint of the second side matches.
    pub(super) indexes_from: BTreeSet<String>,
    /// Names of indexes that a constraint of the first side matches.
    pub(super) indexes_to: BTreeSet<String>,
}

/// Finds the twins among what has no partner of its own kind.
pub(super) fn find_twins(context: &Context<'_>, from: &Table, to: &Table) -> Twins {
    let mut twins = Twins::default();
    if context.is_exact() || (from.uniques.is_empty() && to.uniques.is_empty()) {
        return twins;
    }
    let (_, gone, come) = pair_up(&from.uniques, &to.uniques, &[&is_same_unique]);
    if gone.is_empty() && come.is_empty() {
        return twins;
    }
    let candidates = |table: &Table| -> Vec<Index> {
        let plain = |index: &&Index| index.is_plain_unique() && index.valid;
        table.indexes.values().filter(plain).cloned().collect()
    };
    let (old_indexes, new_indexes) = (candidates(from), candidates(to));
    let same = |a: &Index, b: &Index| is_same_index(context, &to.name, a, b);
    let (_, mut gone_indexes, mut come_indexes) = pair_up(&old_indexes, &new_indexes, &[&same]);
    for unique in gone {
        if let Some(position) = come_indexes.iter().position(|index| does(index, unique)) {
            twins
                .indexes_to
                .insert(come_indexes.remove(position).name.clone());
            twins.uniques_from.push(unique.clone());
        }
    }
    for unique in come {
        if let Some(position) = gone_indexes.iter().position(|index| does(index, unique)) {
            twins
                .indexes_from
                .insert(gone_indexes.remove(position).name.clone());
            twins.uniques_to.push(unique.clone());
        }
    }
    twins
}

/// Whether a plain unique index does all that the constraint asks for.
fn does(index: &Index, unique: &Unique) -> bool {
    index.nulls_not_distinct == unique.nulls_not_distinct
        && unique.deferrability == Deferrability::NotDeferrable
        && unique.on_conflict.is_none()
        && index.include == unique.include
        && index
            .plain_columns()
            .is_some_and(|columns| columns == unique.columns)
}

fn is_same_unique(a: &Unique, b: &Unique) -> bool {
    a.columns == b.columns
        && a.nulls_not_distinct == b.nulls_not_distinct
        && a.include == b.include
        && a.deferrability == b.deferrability
        && a.on_conflict == b.on_conflict
}

fn find_uniques(
    context: &Context<'_>,
    from: &Table,
    to: &Table,
    twins: &Twins,
    findings: &mut Findings,
) {
    let table = &to.name;
    let same_name = |a: &Unique, b: &Unique| a.name == b.name && is_same_unique(a, b);
    let (pairs, gone, come) = pair_up(&from.uniques, &to.uniques, &[&same_name, &is_same_unique]);
    for (old, new) in pairs {
        find_name_and_comment(
            context,
            table,
            (old.name.as_ref(), new.name.as_ref()),
            (old.comment.as_ref(), new.comment.as_ref()),
            findings,
        );
    }
    for unique in gone {
        if !twins.uniques_from.contains(unique) {
            findings.push(Op::Drop(Object::Unique {
                table: table.clone(),
                unique: unique.clone(),
            }));
        }
    }
    for unique in come {
        if !twins.uniques_to.contains(unique) {
            findings.push(Op::Create(Object::Unique {
                table: table.clone(),
                unique: unique.clone(),
            }));
        }
    }
}

fn find_checks(context: &Context<'_>, from: &Table, to: &Table, findings: &mut Findings) {
    let table = &to.name;
    let canonical = |check: &Check| context.rules.canonical_expression(&check.expression);
    let same_text = |a: &Check, b: &Check| {
        a.no_inherit == b.no_inherit
            && (a.expression == b.expression || canonical(a) == canonical(b))
    };
    let same_text_and_name = |a: &Check, b: &Check| a.name == b.name && same_text(a, b);
    let same_meaning = |a: &Check, b: &Check| {
        a.no_inherit == b.no_inherit
            && context.same_expression(Subject::Check, table, None, &a.expression, &b.expression)
    };
    let same_meaning_and_name = |a: &Check, b: &Check| a.name == b.name && same_meaning(a, b);
    let (pairs, gone, come) = pair_up(
        &from.checks,
        &to.checks,
        &[
            &same_text_and_name,
            &same_text,
            &same_meaning_and_name,
            &same_meaning,
        ],
    );
    for (old, new) in pairs {
        find_name_and_comment(
            context,
            table,
            (old.name.as_ref(), new.name.as_ref()),
            (old.comment.as_ref(), new.comment.as_ref()),
            findings,
        );
        let object = Object::Check {
            table: table.clone(),
            check: new.clone(),
        };
        let name = if context.is_exact() {
            &new.name
        } else {
            &old.name
        };
        find_validation(
            context,
            table,
            name.as_ref(),
            (old.validated, new.validated),
            object,
            findings,
        );
    }
    for check in gone {
        findings.push(Op::Drop(Object::Check {
            table: table.clone(),
            check: check.clone(),
        }));
    }
    for check in come {
        findings.push(Op::Create(Object::Check {
            table: table.clone(),
            check: check.clone(),
        }));
    }
}

/// A constraint whose old rows have not been checked is halfway through a careful roll-out: that is
/// noted, and changed only where spelling counts.
pub(super) fn find_validation(
    context: &Context<'_>,
    table: &ObjectName,
    name: Option<&String>,
    (from, to): (bool, bool),
    constraint: Object,
    findings: &mut Findings,
) {
    let Some(name) = name.filter(|_| from != to) else {
        return;
    };
    if context.is_exact() {
        findings.push(Op::Alter(Alteration::Validate {
            table: table.clone(),
            name: name.clone(),
            from,
            to,
            constraint: Box::new(constraint),
        }));
    } else {
        findings.notes.push(format!(
            "constraint {name} of {} is {} in the first schema and {} in the second one",
            context.short(table),
            if from { "validated" } else { "not validated" },
            if to { "validated" } else { "not validated" },
        ));
    }
}

fn find_exclusions(context: &Context<'_>, from: &Table, to: &Table, findings: &mut Findings) {
    let table = &to.name;
    let same_name = |a: &Exclusion, b: &Exclusion| a.name == b.name && a.definition == b.definition;
    let same = |a: &Exclusion, b: &Exclusion| {
        context.rules.canonical_expression(&a.definition)
            == context.rules.canonical_expression(&b.definition)
    };
    let (pairs, gone, come) = pair_up(&from.exclusions, &to.exclusions, &[&same_name, &same]);
    for (old, new) in pairs {
        find_name_and_comment(
            context,
            table,
            (Some(&old.name), Some(&new.name)),
            (old.comment.as_ref(), new.comment.as_ref()),
            findings,
        );
    }
    for exclusion in gone {
        findings.push(Op::Drop(Object::Exclusion {
            table: table.clone(),
            exclusion: exclusion.clone(),
        }));
    }
    for exclusion in come {
        findings.push(Op::Create(Object::Exclusion {
            table: table.clone(),
            exclusion: exclusion.clone(),
        }));
    }
}

/// A way of being the same.
pub(super) type Sameness<'a, T> = &'a dyn Fn(&T, &T) -> bool;

/// Pairs the items of two lists, by the strictest sameness first. Returns the pairs and what is left
/// over on each side, all in the order of the lists.
pub(super) fn pair_up<'a, T>(
    from: &'a [T],
    to: &'a [T],
    samenesses: &[Sameness<'_, T>],
) -> (Vec<(&'a T, &'a T)>, Vec<&'a T>, Vec<&'a T>) {
    let mut old: Vec<Option<&T>> = from.iter().map(Some).collect();
    let mut new: Vec<Option<&T>> = to.iter().map(Some).collect();
    let mut pairs = Vec::new();
    for same in samenesses {
        for left in &mut old {
            let Some(item) = *left else { continue };
            let partner = new
                .iter_mut()
                .find(|right| right.is_some_and(|other| same(item, other)));
            if let Some(right) = partner
                && let Some(other) = right.take()
            {
                pairs.push((item, other));
                *left = None;
            }
        }
    }
    (
        pairs,
        old.into_iter().flatten().collect(),
        new.into_iter().flatten().collect(),
    )
}
