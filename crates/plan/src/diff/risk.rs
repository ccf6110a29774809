//! How much care each operation needs.

use std::collections::BTreeSet;

use super::context::{Context, Finding};
use crate::op::{Alteration, ColumnAspect, Object, Op, Origin, Risk, Warning};
use crate::schema::{Column, ColumnType, CompositeType, ForeignKey, ObjectName, TableOptions};

/// What is known of all operations together.
#[derive(Debug, Default)]
pub(super) struct Overview {
    created_tables: BTreeSet<ObjectName>,
    added_columns: BTreeSet<(ObjectName, String)>,
    dropped_keys: Vec<(ObjectName, ForeignKey)>,
}

impl Overview {
    pub(super) fn of(findings: &[Finding]) -> Self {
        let mut overview = Self::default();
        for finding in findings {
            match &finding.op {
                Op::Create(Object::Table(table)) => {
                    overview.created_tables.insert(table.name.clone());
                }
                Op::Create(Object::Column { table, column, .. })
                    if column.default.is_none() && column.generated.is_none() =>
                {
                    overview
                        .added_columns
                        .insert((table.clone(), column.name.clone()));
                }
                Op::Drop(Object::ForeignKey { table, foreign_key }) => {
                    overview
                        .dropped_keys
                        .push((table.clone(), foreign_key.clone()));
                }
                _ => {}
            }
        }
        overview
    }

    /// Whether every row of these columns is NULL or does not exist.
    fn is_empty<'a>(
        &self,
        table: &ObjectName,
        columns: impl IntoIterator<Item = &'a String>,
    ) -> bool {
        self.created_tables.contains(table)
            || columns.into_iter().any(|column| {
                self.added_columns
                    .contains(&(table.clone(), column.clone()))
            })
    }
}

/// The risk of one operation; adds to its warnings and notes.
pub(super) fn judge(context: &Context<'_>, overview: &Overview, finding: &mut Finding) -> Risk {
    let op = finding.op.clone();
    let risk = match &op {
        Op::Create(object) => create(overview, object, finding),
        Op::Drop(object) => drop(object, finding),
        Op::Rename(_) => Risk::Safe,
        Op::Alter(alteration) => alter(context, alteration, finding),
    };
    let types = missing_types(context, &op).into_iter();
    let types = types.map(|name| format!("type {}", context.short(name)));
    let collations = missing_collations(context, &op).into_iter();
    let collations = collations.map(|name| format!("collation {name}"));
    let missing: Vec<String> = types.chain(collations).collect();
    if missing.is_empty() {
        return risk;
    }
    for object in missing {
        finding.warnings.insert(Warning::NeedsType);
        finding.notes.push(format!(
            "the {object} is not there and is not made: make it first"
        ));
    }
    if risk == Risk::DataLoss {
        risk
    } else {
        Risk::MayFail
    }
}

/// The types that the operation needs, that only the second schema has, and that are not made.
fn missing_types<'o>(context: &Context<'_>, op: &'o Op) -> BTreeSet<&'o ObjectName> {
    let types: Vec<&ColumnType> = match op {
        Op::Create(Object::Table(table)) => table
            .columns
            .iter()
            .map(|column| &column.column_type)
            .collect(),
        Op::Create(Object::Column { column, .. })
        | Op::Alter(Alteration::Column {
            aspect: ColumnAspect::Type,
            to: column,
            ..
        }) => vec![&column.column_type],
        Op::Create(Object::Domain(domain)) => vec![&domain.base_type],
        Op::Create(Object::Range(range)) => vec![&range.subtype],
        Op::Create(Object::Composite(composite))
        | Op::Alter(Alteration::Composite { to: composite, .. }) => {
            let attributes = composite.attributes.iter();
            attributes
                .map(|attribute| &attribute.attribute_type)
                .collect()
        }
        _ => Vec::new(),
    };
    let named = types
        .into_iter()
        .filter_map(|column_type| column_type.user_type.as_ref());
    named
        .filter(|name| {
            context.to.other_types.contains(*name) && !context.from.other_types.contains(*name)
        })
        .collect()
}

/// The collations that the operation needs, that only the second schema has, and that are not made.
fn missing_collations<'o>(context: &Context<'_>, op: &'o Op) -> BTreeSet<&'o String> {
    let named: Vec<&Option<String>> = match op {
        Op::Create(Object::Table(table)) => {
            let columns = table.columns.iter();
            columns.map(|column| &column.collation).collect()
        }
        Op::Create(Object::Column { column, .. })
        | Op::Alter(Alteration::Column {
            aspect: ColumnAspect::Collation | ColumnAspect::Type,
            to: column,
            ..
        }) => vec![&column.collation],
        Op::Create(Object::Index { index, .. }) => {
            let keys = index.keys.iter();
            keys.map(|key| &key.collation).collect()
        }
        Op::Create(Object::Domain(domain)) => vec![&domain.collation],
        _ => Vec::new(),
    };
    let (from, to) = (context.from, context.to);
    named
        .into_iter()
        .flatten()
        .filter(|name| {
            to.other_collations.contains(*name) && !from.other_collations.contains(*name)
        })
        .collect()
}

fn may_fail(finding: &mut Finding) -> Risk {
    finding.warnings.insert(Warning::MayFailOnData);
    Risk::MayFail
}

fn data_loss(finding: &mut Finding) -> Risk {
    finding.warnings.insert(Warning::DataLoss);
    Risk::DataLoss
}

fn create(overview: &Overview, object: &Object, finding: &mut Finding) -> Risk {
    // What is only put up again held before.
    let is_back = matches!(finding.origin, Origin::InTheWay { .. });
    match object {
        Object::Column { column, fill, .. } => add_column(column, fill.as_ref(), finding),
        _ if is_back => Risk::Safe,
        Object::PrimaryKey { table, key } => {
            if overview.created_tables.contains(table) {
                Risk::Safe
            } else {
                let _ = key;
                may_fail(finding)
            }
        }
        Object::Unique { table, unique } => {
            if overview.is_empty(table, &unique.columns) && !unique.nulls_not_distinct {
                Risk::Safe
            } else {
                may_fail(finding)
            }
        }
        Object::Index { table, index } if index.unique => {
            let columns: Vec<String> = index
                .keys
                .iter()
                .filter_map(|key| key.column.clone())
                .collect();
            if overview.is_empty(table, &columns) && !index.nulls_not_distinct {
                Risk::Safe
            } else {
                may_fail(finding)
            }
        }
        Object::ForeignKey { table, foreign_key } => {
            let held = overview.dropped_keys.iter().any(|(owner, old)| {
                owner == table
                    && old.columns == foreign_key.columns
                    && old.ref_table == foreign_key.ref_table
                    && old.ref_columns == foreign_key.ref_columns
            });
            if held || overview.is_empty(table, &foreign_key.columns) {
                Risk::Safe
            } else {
                may_fail(finding)
            }
        }
        Object::Check { table, .. } | Object::Exclusion { table, .. } => {
            if overview.created_tables.contains(table) {
                Risk::Safe
            } else {
                may_fail(finding)
            }
        }
        _ => Risk::Safe,
    }
}

fn add_column(column: &Column, fill: Option<&String>, finding: &mut Finding) -> Risk {
    if column.generated.as_ref().is_some_and(|g| g.stored) || column.identity.is_some() {
        return Risk::Rewrites;
    }
    if !column.needs_value() {
        return Risk::Safe;
    }
    if fill.is_some() {
        return Risk::Rewrites;
    }
    finding.warnings.insert(Warning::NotNullWithoutDefault);
    finding.notes.push(format!(
        "rows that are there have no value for {}: give one (--fill TABLE.{}=EXPRESSION) or a default",
        column.name, column.name
    ));
    Risk::MayFail
}

fn drop(object: &Object, finding: &mut Finding) -> Risk {
    match object {
        Object::Table(_) => data_loss(finding),
        Object::Column { column, .. } if column.generated.is_none() => data_loss(finding),
        Object::Sequence(_) => {
            finding
                .notes
                .push("how far it had counted is lost".to_owned());
            data_loss(finding)
        }
        _ => Risk::Safe,
    }
}

/// Renaming a value of a column's type is never guessed, and has no statement of its own: it takes an
/// order in which no row is without its value.
fn warn_of_renamed_values(
    context: &Context<'_>,
    table: &ObjectName,
    from: &Column,
    to: &Column,
    finding: &mut Finding,
) {
    let rules = context.rules;
    for (old, new) in rules.renamed_values(&from.column_type, &to.column_type) {
        finding.warnings.insert(Warning::AmbiguousRename);
        finding.notes.push(format!(
            "if {old} is called {new} now, do it in three steps: add {new} to the values and keep {old}; \
             UPDATE {table} SET {column} = {new} WHERE {column} = {old}; then take {old} out",
            table = context.short(table),
            column = to.name,
        ));
    }
}

/// Whatever is done to a type that no column has is safe: nothing of it is kept anywhere.
fn alter_composite(
    context: &Context<'_>,
    from: &CompositeType,
    to: &CompositeType,
    is_used: bool,
    finding: &mut Finding,
) -> Risk {
    let mut risk = Risk::Safe;
    if !is_used {
        return risk;
    }
    for attribute in &from.attributes {
        let Some(wanted) = to.attribute(&attribute.name) else {
            finding.notes.push(format!(
                "what rows have in the attribute {} is lost",
                attribute.name
            ));
            risk = risk.max(data_loss(finding));
            continue;
        };
        let (old, new) = (&attribute.attribute_type, &wanted.attribute_type);
        if !context.rules.same_type(old, new) {
            let change = context.rules.type_change(old, new);
            finding.warnings.extend(change.warnings);
            finding.notes.extend(change.note);
            risk = risk.max(change.risk).max(Risk::Rewrites);
        }
    }
    let order = |one: &CompositeType, other: &CompositeType| -> Vec<String> {
        let names = one
            .attributes
            .iter()
            .map(|attribute| attribute.name.clone());
        names
            .filter(|name| other.attribute(name).is_some())
            .collect()
    };
    if order(from, to) != order(to, from) {
        risk = risk.max(Risk::Rewrites);
    }
    risk
}

/// Whether characters may have no place in the new character set. Everything has one in Unicode's.
fn narrows_charset(from: Option<&String>, to: Option<&String>) -> bool {
    from != to && to.is_some_and(|charset| charset != "utf8mb4")
}

fn alter_options(from: &TableOptions, to: &TableOptions, finding: &mut Finding) -> Risk {
    if from.unlogged != to.unlogged && to.unlogged {
        finding
            .notes
            .push("an unlogged table is empty after a crash of the server".to_owned());
    }
    if from.partition_by != to.partition_by && to.partition_by.is_some() {
        finding
            .notes
            .push("rows for which there is no partition make it fail".to_owned());
        return may_fail(finding);
    }
    if narrows_charset(from.charset.as_ref(), to.charset.as_ref()) {
        return may_fail(finding);
    }
    let written_anew = |options: &TableOptions| {
        (
            options.unlogged,
            options.partition_by.clone(),
            options.engine.clone(),
            options.charset.clone(),
            options.collation.clone(),
            options.create_options.clone(),
            options.strict,
            options.without_rowid,
        )
    };
    if written_anew(from) == written_anew(to) {
        Risk::Safe
    } else {
        Risk::Rewrites
    }
}

fn alter(context: &Context<'_>, alteration: &Alteration, finding: &mut Finding) -> Risk {
    match alteration {
        Alteration::Column {
            table,
            aspect,
            from,
            to,
            fill,
        } => match aspect {
            ColumnAspect::Type => {
                let change = context
                    .rules
                    .type_change(&from.column_type, &to.column_type);
                finding.warnings.extend(change.warnings);
                finding.notes.extend(change.note);
                warn_of_renamed_values(context, table, from, to, finding);
                change.risk
            }
            ColumnAspect::Nullable if !to.nullable => {
                if fill.is_some() {
                    Risk::Rewrites
                } else {
                    may_fail(finding)
                }
            }
            ColumnAspect::Generated if from.generated.is_some() && to.generated.is_some() => {
                Risk::Rewrites
            }
            ColumnAspect::Generated if to.generated.is_some() => {
                finding
                    .notes
                    .push("the values that are there are replaced by computed ones".to_owned());
                data_loss(finding)
            }
            ColumnAspect::Collation
                if narrows_charset(from.charset.as_ref(), to.charset.as_ref()) =>
            {
                may_fail(finding)
            }
            ColumnAspect::Collation | ColumnAspect::AutoIncrement => Risk::Rewrites,
            _ => Risk::Safe,
        },
        Alteration::TableOptions { from, to, .. } => alter_options(from, to, finding),
        Alteration::EnumRemove { value, .. } => {
            finding
                .notes
                .push(format!("rows that have the value {value} make it fail"));
            // The value is gone for good, even though no row loses one.
            finding.warnings.insert(Warning::DataLoss);
            may_fail(finding)
        }
        Alteration::Composite {
            from,
            to,
            uses,
            embedded,
        } => {
            let is_used = *embedded || !uses.is_empty();
            alter_composite(context, from, to, is_used, finding)
        }
        Alteration::EnumReorder { uses, .. } if !uses.is_empty() => Risk::Rewrites,
        Alteration::Domain { from, to, uses } if from.is_made_anew(to) => {
            if uses.is_empty() {
                return Risk::Safe;
            }
            finding.notes.push(
                "the domain is made anew and its columns are moved over, which writes their tables anew"
                    .to_owned(),
            );
            let change = context.rules.type_change(&from.base_type, &to.base_type);
            finding.warnings.extend(change.warnings);
            finding.notes.extend(change.note);
            let risk = change.risk.max(Risk::Rewrites);
            if to.checks.is_empty() && to.nullable {
                risk
            } else {
                risk.max(may_fail(finding))
            }
        }
        Alteration::Validate { to: true, .. } | Alteration::Domain { .. } => may_fail(finding),
        _ => Risk::Safe,
    }
}
