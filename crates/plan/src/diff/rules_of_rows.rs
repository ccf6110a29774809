//! Triggers and row security policies.

use std::collections::BTreeMap;

use super::Subject;
use super::context::{Context, Findings};
use crate::op::{Alteration, CommentTarget, Object, Op};
use crate::schema::{ObjectName, Policy, Trigger};

/// Finds what differs between the triggers of a table or view.
pub(super) fn find_triggers(
    context: &Context<'_>,
    table: &ObjectName,
    from: &BTreeMap<String, Trigger>,
    to: &BTreeMap<String, Trigger>,
    findings: &mut Findings,
) {
    let create = |trigger: &Trigger| {
        Op::Create(Object::Trigger {
            table: table.clone(),
            trigger: trigger.clone(),
        })
    };
    let drop = |trigger: &Trigger| {
        Op::Drop(Object::Trigger {
            table: table.clone(),
            trigger: trigger.clone(),
        })
    };
    for (name, old) in from {
        let Some(new) = to.get(name) else {
            findings.push(drop(old));
            continue;
        };
        let canonical = |trigger: &Trigger| context.rules.canonical_expression(&trigger.definition);
        if old.definition != new.definition && canonical(old) != canonical(new) {
            findings.push(drop(old));
            findings.push(create(new));
            continue;
        }
        if old.firing != new.firing {
            findings.push(Op::Alter(Alteration::Trigger {
                table: table.clone(),
                from: old.clone(),
                to: new.clone(),
            }));
        }
        if old.comment != new.comment {
            findings.push(Op::Alter(Alteration::Comment {
                target: CommentTarget::Trigger(table.clone(), name.clone()),
                from: old.comment.clone(),
                to: new.comment.clone(),
            }));
        }
    }
    for (name, new) in to {
        if !from.contains_key(name) {
            findings.push(create(new));
        }
    }
}

/// Finds what differs between the policies of a table.
pub(super) fn find_policies(
    context: &Context<'_>,
    table: &ObjectName,
    from: &BTreeMap<String, Policy>,
    to: &BTreeMap<String, Policy>,
    findings: &mut Findings,
) {
    let create = |policy: &Policy| {
        Op::Create(Object::Policy {
            table: table.clone(),
            policy: policy.clone(),
        })
    };
    let drop = |policy: &Policy| {
        Op::Drop(Object::Policy {
            table: table.clone(),
            policy: policy.clone(),
        })
    };
    let same = |a: Option<&String>, b: Option<&String>| {
        context.same_optional_expression(Subject::Policy, table, a, b)
    };
    for (name, old) in from {
        let Some(new) = to.get(name) else {
            findings.push(drop(old));
            continue;
        };
        // A condition can be changed in place but not taken away.
        let loses_condition = (old.using.is_some() && new.using.is_none())
            || (old.check.is_some() && new.check.is_none());
        if old.permissive != new.permissive || old.command != new.command || loses_condition {
            findings.push(drop(old));
            findings.push(create(new));
            continue;
        }
        if old.roles != new.roles
            || !same(old.using.as_ref(), new.using.as_ref())
            || !same(old.check.as_ref(), new.check.as_ref())
        {
            findings.push(Op::Alter(Alteration::Policy {
                table: table.clone(),
                from: old.clone(),
                to: new.clone(),
            }));
        }
        if old.comment != new.comment {
            findings.push(Op::Alter(Alteration::Comment {
                target: CommentTarget::Policy(table.clone(), name.clone()),
                from: old.comment.clone(),
                to: new.comment.clone(),
            }));
        }
    }
    for (name, new) in to {
        if !from.contains_key(name) {
            findings.push(create(new));
        }
    }
}
