//! PostgreSQL schemas, extensions, enums and domains.

use super::Subject;
use super::composites::is_embedded;
use super::context::{Context, Finding, Findings};
use super::renames::Renames;
use crate::op::{Alteration, CommentTarget, EnumUse, Object, Op, Warning};
use crate::schema::{Check, Domain, EnumType, ObjectName};

/// Finds what differs between the schemas and extensions.
pub(super) fn find_namespaces(context: &Context<'_>, findings: &mut Findings) {
    let (from, to) = (context.from, context.to);
    for (name, namespace) in &to.namespaces {
        match from.namespaces.get(name) {
            None => findings.push(Op::Create(Object::Schema {
                name: name.clone(),
                comment: namespace.comment.clone(),
            })),
            Some(old) if old.comment != namespace.comment => {
                findings.push(comment(
                    CommentTarget::Schema(name.clone()),
                    old.comment.as_ref(),
                    namespace.comment.as_ref(),
                ));
            }
            Some(_) => {}
        }
    }
    for (name, namespace) in &from.namespaces {
        if !to.namespaces.contains_key(name) {
            findings.push(Op::Drop(Object::Schema {
                name: name.clone(),
                comment: namespace.comment.clone(),
            }));
        }
    }
    for (name, extension) in &to.extensions {
        match from.extensions.get(name) {
            None => findings.push(Op::Create(Object::Extension {
                name: name.clone(),
                extension: extension.clone(),
            })),
            Some(old) if old != extension && context.is_exact() => {
                findings.push(Op::Alter(Alteration::Extension {
                    name: name.clone(),
                    from: old.clone(),
                    to: extension.clone(),
                }));
            }
            Some(old) if old != extension => findings.notes.push(format!(
                "extension {name} is {} in schema {} here and {} in schema {} there",
                old.version, old.schema, extension.version, extension.schema
            )),
            Some(_) => {}
        }
    }
    for (name, extension) in &from.extensions {
        if !to.extensions.contains_key(name) {
            findings.push(Op::Drop(Object::Extension {
                name: name.clone(),
                extension: extension.clone(),
            }));
        }
    }
}

pub(super) fn comment(target: CommentTarget, from: Option<&String>, to: Option<&String>) -> Op {
    Op::Alter(Alteration::Comment {
        target,
        from: from.cloned(),
        to: to.cloned(),
    })
}

/// Finds what differs between the enums.
pub(super) fn find_enums(context: &Context<'_>, renames: &Renames, findings: &mut Findings) {
    let (from, to) = (context.from, context.to);
    for (name, wanted) in &to.enums {
        let Some(old) = from.enums.get(name) else {
            findings.push(Op::Create(Object::Enum(wanted.clone())));
            continue;
        };
        find_in_enum(context, renames, old, wanted, findings);
        if old.comment != wanted.comment {
            findings.push(comment(
                CommentTarget::Enum(name.clone()),
                old.comment.as_ref(),
                wanted.comment.as_ref(),
            ));
        }
    }
    for (name, old) in &from.enums {
        if !to.enums.contains_key(name) {
            findings.push(Op::Drop(Object::Enum(old.clone())));
        }
    }
}

fn find_in_enum(
    context: &Context<'_>,
    renames: &Renames,
    old: &EnumType,
    wanted: &EnumType,
    findings: &mut Findings,
) {
    let uses = enum_uses(context, &old.name);
    let mut state = EnumType {
        comment: None,
        ..old.clone()
    };
    let mut push =
        |state: &mut EnumType, values: Vec<String>, value: Option<&String>, kind: Kind| {
            let from = state.clone();
            state.values = values;
            let (to, uses) = (state.clone(), uses.clone());
            let op = match (kind, value.cloned()) {
                (Kind::Add, Some(value)) => Alteration::EnumAdd {
                    from,
                    to,
                    value,
                    uses,
                },
                (Kind::Remove, Some(value)) => Alteration::EnumRemove {
                    from,
                    to,
                    value,
                    uses,
                },
                _ => Alteration::EnumReorder { from, to, uses },
            };
            let mut finding = Finding::new(Op::Alter(op));
            finding.candidate = value.and_then(|value| {
                let key = (old.name.clone(), value.clone());
                renames.enum_values.get(&key).cloned()
            });
            if finding.candidate.is_some() {
                finding.warnings.insert(Warning::AmbiguousRename);
            }
            findings.list.push(finding);
        };

    for value in &old.values {
        if !wanted.values.contains(value) {
            let mut values = state.values.clone();
            values.retain(|other| other != value);
            push(&mut state, values, Some(value), Kind::Remove);
        }
    }
    let order: Vec<String> = wanted
        .values
        .iter()
        .filter(|value| state.values.contains(value))
        .cloned()
        .collect();
    if order != state.values {
        push(&mut state, order, None, Kind::Reorder);
    }
    for (position, value) in wanted.values.iter().enumerate() {
        if !state.values.contains(value) {
            let mut values = state.values.clone();
            values.insert(position.min(values.len()), value.clone());
            push(&mut state, values, Some(value), Kind::Add);
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Add,
    Remove,
    Reorder,
}

/// The columns that have the enum or composite type for a type before and after it is changed. Those that go or get
/// another type do so before.
pub(super) fn enum_uses(context: &Context<'_>, name: &ObjectName) -> Vec<EnumUse> {
    let stays = |table: &ObjectName, column: &str| {
        let table = context.to.tables.get(table);
        let column = table.and_then(|table| table.column(column));
        column.is_some_and(|column| column.column_type.is_of(name))
    };
    let mut uses = Vec::new();
    for table in context.from.tables.values() {
        for column in &table.columns {
            if column.column_type.is_of(name)
                && !column.inherited
                && stays(&table.name, &column.name)
            {
                uses.push(EnumUse {
                    table: table.name.clone(),
                    column: column.name.clone(),
                    is_array: column.column_type.array_dimensions > 0,
                    default: column.default.clone(),
                });
            }
        }
    }
    uses
}

/// Finds what differs between the domains.
pub(super) fn find_domains(context: &Context<'_>, findings: &mut Findings) {
    let (from, to) = (context.from, context.to);
    for (name, wanted) in &to.domains {
        let Some(old) = from.domains.get(name) else {
            findings.push(Op::Create(Object::Domain(wanted.clone())));
            continue;
        };
        if !same_domain(context, old, wanted) {
            let mut to = wanted.clone();
            if context.rules.same_type(&old.base_type, &wanted.base_type) {
                to.base_type.clone_from(&old.base_type);
            }
            let is_anew = old.is_made_anew(&to);
            if is_anew && is_embedded(context, |other| other == name) {
                findings.not_compared.push(format!(
                    "domain {}: its base type ({} and {}) cannot be changed while another type is made of it",
                    context.short(name),
                    base_words(old),
                    base_words(wanted)
                ));
            } else {
                let uses = if is_anew {
                    enum_uses(context, name)
                } else {
                    Vec::new()
                };
                findings.push(Op::Alter(Alteration::Domain {
                    from: old.clone(),
                    to,
                    uses,
                }));
            }
        }
        if old.comment != wanted.comment {
            findings.push(comment(
                CommentTarget::Domain(name.clone()),
                old.comment.as_ref(),
                wanted.comment.as_ref(),
            ));
        }
    }
    for (name, old) in &from.domains {
        if !to.domains.contains_key(name) {
            findings.push(Op::Drop(Object::Domain(old.clone())));
        }
    }
}

/// The type underneath, with its collation where that is not the type's own.
fn base_words(domain: &Domain) -> String {
    match &domain.collation {
        Some(collation) => format!("{} collate {collation}", domain.base_type.text),
        None => domain.base_type.text.clone(),
    }
}

fn same_domain(context: &Context<'_>, old: &Domain, wanted: &Domain) -> bool {
    let same_check = |a: &Check, b: &Check| {
        let same_name = !context.is_exact() || a.name == b.name;
        let (subject, name) = (Subject::DomainCheck, &wanted.name);
        same_name && context.same_expression(subject, name, None, &a.expression, &b.expression)
    };
    let (_, gone, come) = super::constraints::pair_up(&old.checks, &wanted.checks, &[&same_check]);
    context.rules.same_type(&old.base_type, &wanted.base_type)
        && old.collation == wanted.collation
        && old.nullable == wanted.nullable
        && context.same_default(
            Subject::DomainDefault,
            &wanted.name,
            None,
            (old.default.as_ref(), &old.base_type),
            (wanted.default.as_ref(), &wanted.base_type),
        )
        && gone.is_empty()
        && come.is_empty()
}
