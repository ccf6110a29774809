//! PostgreSQL's composite and range types.

use super::context::{Context, Findings};
use super::types::{comment, enum_uses};
use crate::op::{Alteration, CommentTarget, CompositeWay, Object, Op, composite_way};
use crate::schema::{Attribute, ColumnType, CompositeType, ObjectName, RangeType, Schema};

/// Finds what differs between the composite and range types.
pub(super) fn find(context: &Context<'_>, findings: &mut Findings) {
    let (from, to) = (context.from, context.to);
    for (name, wanted) in &to.composites {
        let Some(old) = from.composites.get(name) else {
            findings.push(Op::Create(Object::Composite(wanted.clone())));
            continue;
        };
        find_in_composite(context, old, wanted, findings);
        find_comment(
            name,
            old.comment.as_ref(),
            wanted.comment.as_ref(),
            findings,
        );
    }
    for (name, old) in &from.composites {
        if !to.composites.contains_key(name) {
            findings.push(Op::Drop(Object::Composite(old.clone())));
        }
    }
    for (name, wanted) in &to.ranges {
        let Some(old) = from.ranges.get(name) else {
            findings.push(Op::Create(Object::Range(wanted.clone())));
            continue;
        };
        if same_range(context, old, wanted) {
            find_comment(
                name,
                old.comment.as_ref(),
                wanted.comment.as_ref(),
                findings,
            );
        } else if is_in_use(context, old) {
            findings.not_compared.push(format!(
                "range type {}: it is another one on the other side, and cannot be changed while it is in use",
                context.short(name),
            ));
        } else {
            findings.push(Op::Drop(Object::Range(old.clone())));
            findings.push(Op::Create(Object::Range(wanted.clone())));
        }
    }
    for (name, old) in &from.ranges {
        if !to.ranges.contains_key(name) {
            findings.push(Op::Drop(Object::Range(old.clone())));
        }
    }
}

fn find_comment(
    name: &ObjectName,
    from: Option<&String>,
    to: Option<&String>,
    findings: &mut Findings,
) {
    if from != to {
        findings.push(comment(CommentTarget::Type(name.clone()), from, to));
    }
}

fn find_in_composite(
    context: &Context<'_>,
    old: &CompositeType,
    wanted: &CompositeType,
    findings: &mut Findings,
) {
    // An attribute whose type is only spelled in another way stays as it is.
    let attributes = wanted.attributes.iter().map(|new| {
        let known = old.attribute(&new.name);
        match known.filter(|known| same_type(context, &known.attribute_type, &new.attribute_type)) {
            Some(known) => Attribute {
                attribute_type: known.attribute_type.clone(),
                ..new.clone()
            },
            None => new.clone(),
        }
    });
    let to = CompositeType {
        attributes: attributes.collect(),
        comment: None,
        ..wanted.clone()
    };
    if to.attributes == old.attributes {
        return;
    }
    let from = CompositeType {
        comment: None,
        ..old.clone()
    };
    let uses = enum_uses(context, &old.name);
    let embedded = is_embedded(context, |name| *name == old.name);
    if composite_way(&from, &to, &uses, embedded) == CompositeWay::None {
        findings.not_compared.push(format!(
            "composite type {}: its attributes cannot be changed in this way while {}",
            context.short(&old.name),
            if embedded {
                "another type is made of it"
            } else {
                "arrays of it are in use"
            }
        ));
        return;
    }
    findings.push(Op::Alter(Alteration::Composite {
        from,
        to,
        uses,
        embedded,
    }));
}

/// Whether a type that stays is made of one with such a name.
pub(super) fn is_embedded(context: &Context<'_>, is_meant: impl Fn(&ObjectName) -> bool) -> bool {
    let Schema {
        composites,
        domains,
        ranges,
        ..
    } = context.from;
    let of_composites = composites
        .iter()
        .filter(|(name, _)| context.to.composites.contains_key(*name))
        .flat_map(|(_, composite)| &composite.attributes)
        .map(|attribute| &attribute.attribute_type);
    let of_domains = domains
        .iter()
        .filter(|(name, _)| context.to.domains.contains_key(*name))
        .map(|(_, domain)| &domain.base_type);
    let of_ranges = ranges
        .iter()
        .filter(|(name, _)| context.to.ranges.contains_key(*name))
        .map(|(_, range)| &range.subtype);
    of_composites
        .chain(of_domains)
        .chain(of_ranges)
        .filter_map(|column_type| column_type.user_type.as_ref())
        .any(is_meant)
}

fn same_type(context: &Context<'_>, old: &ColumnType, wanted: &ColumnType) -> bool {
    if context.is_exact() {
        old == wanted
    } else {
        context.rules.same_type(old, wanted)
    }
}

fn same_range(context: &Context<'_>, old: &RangeType, wanted: &RangeType) -> bool {
    let rest = |range: &RangeType| RangeType {
        subtype: wanted.subtype.clone(),
        comment: None,
        ..range.clone()
    };
    same_type(context, &old.subtype, &wanted.subtype) && rest(old) == rest(wanted)
}

fn is_in_use(context: &Context<'_>, range: &RangeType) -> bool {
    let names = [&range.name].into_iter().chain(&range.multirange);
    names
        .into_iter()
        .any(|name| !enum_uses(context, name).is_empty())
        || is_embedded(context, |name| range.is_called(name))
}
