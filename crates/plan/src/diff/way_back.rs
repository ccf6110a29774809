//! The statements that take operations back.
//!
//! They are those of each operation turned round, in reverse order. What stands in the way then need
//! not have stood in the way before: a value is added to an enum under a view, and cannot be taken
//! away again under it.

use super::context::{Context, Finding, Findings};
use super::{in_the_way, order};
use crate::dialect::Rendered;
use crate::op::{Alteration, Object, Op, Rename};
use crate::schema::Schema;

/// The statements that take each of the operations back, in the order of the operations. `after` is
/// what `from` becomes by them.
pub(super) fn render(
    context: &Context<'_>,
    from: &Schema,
    ops: &[Op],
    after: &Schema,
) -> Vec<Rendered> {
    let reversed: Vec<Op> = ops.iter().rev().map(Op::reverse).collect();
    let mut rendered = with_room(context, from, &reversed, after)
        .unwrap_or_else(|| context.rules.render(&reversed, after));
    rendered.reverse();
    rendered
}

/// The statements with those that make room and fill it again: before the first and behind the last
/// operation, so that no other one meets a gap. Nothing where no room is needed.
fn with_room(
    context: &Context<'_>,
    from: &Schema,
    reversed: &[Op],
    after: &Schema,
) -> Option<Vec<Rendered>> {
    let rules = context.rules;
    let renames = |op: &Op| matches!(op, Op::Rename(Rename::Table { .. } | Rename::Column { .. }));
    // What belongs to a renamed table has two names.
    if !rules.dependents_stand_in_the_way() || reversed.iter().any(renames) {
        return None;
    }
    let mut after = after.clone();
    after.dependencies.clone_from(&context.to.dependencies);
    let mut findings = Findings::default();
    for op in reversed {
        match op {
            Op::Alter(Alteration::View { from: old, to: new })
                if !rules.replaces_view(old, new) =>
            {
                findings.push(Op::Drop(Object::View(old.clone())));
                findings.push(Op::Create(Object::View(new.clone())));
            }
            _ => findings.push(op.clone()),
        }
    }
    let turned = Context {
        from: &after,
        to: from,
        ..*context
    };
    in_the_way::make_room(&turned, &after, &mut findings);
    if findings.list.len() == reversed.len() {
        return None;
    }
    let (kept, room): (Vec<Finding>, Vec<Finding>) = findings
        .list
        .into_iter()
        .partition(|finding| reversed.contains(&finding.op));
    let (down, up): (Vec<Op>, Vec<Op>) = order::sort(room, &after, from)
        .into_iter()
        .map(|finding| finding.op)
        .partition(|op| matches!(op, Op::Drop(_)));
    // What is taken down must come back.
    if down.len() != up.len() {
        return None;
    }
    let is_kept: Vec<bool> = reversed
        .iter()
        .map(|op| kept.iter().any(|finding| finding.op == *op))
        .collect();
    let staying = reversed.iter().zip(&is_kept).filter(|(_, kept)| **kept);
    let sequence: Vec<Op> = down
        .iter()
        .chain(staying.map(|(op, _)| op))
        .chain(&up)
        .cloned()
        .collect();
    let mut statements = rules.render(&sequence, &after).into_iter();
    let mut before: Vec<String> = Vec::new();
    for rendered in statements.by_ref().take(down.len()) {
        before.extend(rendered.sql);
    }
    let mut list: Vec<Rendered> = Vec::with_capacity(reversed.len());
    for kept in is_kept {
        let mut rendered = if kept {
            statements.next().unwrap_or_default()
        } else {
            Rendered::default()
        };
        if !before.is_empty() {
            before.append(&mut rendered.sql);
            rendered.sql = std::mem::take(&mut before);
        }
        list.push(rendered);
    }
    if let Some(last) = list.last_mut() {
        for rendered in statements {
            last.sql.extend(rendered.sql);
        }
    }
    Some(list)
}
