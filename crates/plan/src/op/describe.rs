//! Operations in words: one line that begins with a sign.

use std::fmt::Write as _;

use super::{Alteration, ColumnAspect, CommentTarget, Object, Op, Rename, same_values};
use crate::dialect::{Dialect, Rules, rules};
use crate::schema::{
    Attribute, Column, CompositeType, Domain, Function, FunctionKind, Index, IndexKey, ObjectName,
    Unique,
};

impl Op {
    /// One line for people: `+` adds, `-` removes, `~` changes. Names of the default schema stand
    /// without it.
    pub fn describe(&self, dialect: Dialect, default_schema: Option<&str>) -> String {
        let words = Words {
            default_schema,
            rules: rules(dialect),
        };
        match self {
            Self::Create(object) => format!("+ {}", words.object(object)),
            Self::Drop(object) => format!("- {}", words.object(object)),
            Self::Rename(rename) => format!("~ {}", words.rename(rename)),
            Self::Alter(alteration) => words.alteration(alteration),
        }
    }
}

struct Words<'a> {
    default_schema: Option<&'a str>,
    rules: &'a dyn Rules,
}

impl Words<'_> {
    fn name(&self, name: &ObjectName) -> String {
        name.relative_to(self.default_schema)
    }

    /// With the types of the arguments, also where they do not belong to the name.
    fn routine(&self, function: &Function) -> String {
        let kind = match function.kind {
            FunctionKind::Function => "function",
            FunctionKind::Procedure => "procedure",
        };
        format!(
            "{kind} {}({})",
            self.name(&function.name),
            function.arguments
        )
    }

    fn object(&self, object: &Object) -> String {
        match object {
            Object::Schema { name, .. } => format!("schema {name}"),
            Object::Extension { name, extension } => {
                format!("extension {name} {}", extension.version)
            }
            Object::Enum(enum_type) => format!(
                "enum {} ({})",
                self.name(&enum_type.name),
                enum_type.values.join(", ")
            ),
            Object::Domain(domain) => format!(
                "domain {} over {}",
                self.name(&domain.name),
                domain.base_type.short(self.default_schema)
            ),
            Object::Composite(composite) => {
                let attributes = composite.attributes.iter();
                let attributes: Vec<String> = attributes.map(|a| self.attribute(a)).collect();
                format!(
                    "composite type {} ({})",
                    self.name(&composite.name),
                    attributes.join(", ")
                )
            }
            Object::Range(range) => format!(
                "range type {} of {}",
                self.name(&range.name),
                range.subtype.short(self.default_schema)
            ),
            Object::Sequence(sequence) => format!("sequence {}", self.name(&sequence.name)),
            Object::Function(function) => self.routine(function),
            Object::View(view) if view.materialized => {
                format!("materialized view {}", self.name(&view.name))
            }
            Object::View(view) => format!("view {}", self.name(&view.name)),
            Object::Table(table) => format!(
                "table {} ({} {})",
                self.name(&table.name),
                table.columns.len(),
                if table.columns.len() == 1 {
                    "column"
                } else {
                    "columns"
                }
            ),
            Object::Column { table, column, .. } => {
                format!("column {}.{}", self.name(table), self.column_words(column))
            }
            Object::PrimaryKey { table, key } => format!(
                "primary key of {} ({})",
                self.name(table),
                key.columns.join(", ")
            ),
            Object::Unique { table, unique } => format!(
                "unique {}{} ({}){}",
                prefix(unique.name.as_deref(), " of "),
                self.name(table),
                unique.columns.join(", "),
                unique_words(unique),
            ),
            Object::ForeignKey { table, foreign_key } => {
                let options = foreign_key.options_sql().to_lowercase();
                format!(
                    "foreign key {}{} ({}) references {} ({}){}{options}",
                    prefix(foreign_key.name.as_deref(), " of "),
                    self.name(table),
                    foreign_key.columns.join(", "),
                    self.name(&foreign_key.ref_table),
                    foreign_key.ref_columns.join(", "),
                    if options.is_empty() { "" } else { " " },
                )
            }
            Object::Check { table, check } => format!(
                "check {}{}: {}{}",
                prefix(check.name.as_deref(), " of "),
                self.name(table),
                self.rules.short_expression(&check.expression),
                if check.no_inherit { " no inherit" } else { "" },
            ),
            Object::Exclusion { table, exclusion } => format!(
                "exclusion {} of {}: {}",
                exclusion.name,
                self.name(table),
                exclusion.definition
            ),
            Object::Index { table, index } => format!(
                "{} {} on {} ({}){}",
                index_kind(index),
                index.name,
                self.name(table),
                self.index_keys(index),
                self.index_options(index),
            ),
            Object::Trigger { table, trigger } => {
                format!("trigger {} on {}", trigger.name, self.name(table))
            }
            Object::Policy { table, policy } => {
                format!("policy {} on {}", policy.name, self.name(table))
            }
        }
    }

    fn rename(&self, rename: &Rename) -> String {
        match rename {
            Rename::Table { from, to } => {
                format!("table {} renamed to {}", self.name(from), to.name)
            }
            Rename::Column {
                table,
                from,
                to,
                known_as,
            } => {
                let from = known_as.as_ref().unwrap_or(from);
                format!("column {}.{from} renamed to {to}", self.name(table))
            }
            Rename::Index {
                table, from, to, ..
            } => format!("index {from} on {} renamed to {to}", self.name(table)),
            Rename::Constraint { table, from, to } => {
                format!("constraint {from} of {} renamed to {to}", self.name(table))
            }
            Rename::EnumValue {
                enum_type,
                from,
                to,
            } => format!(
                "enum {}: value {from} renamed to {to}",
                self.name(enum_type)
            ),
        }
    }

    fn alteration(&self, alteration: &Alteration) -> String {
        match alteration {
            Alteration::Column {
                table,
                aspect,
                from,
                to,
                ..
            } => format!(
                "~ column {}.{}: {}",
                self.name(table),
                to.name,
                self.column_change(*aspect, from, to)
            ),
            Alteration::EnumAdd { to, value, .. } => {
                format!("+ enum {}: value {value}", self.name(&to.name))
            }
            Alteration::EnumRemove { to, value, .. } => {
                format!("- enum {}: value {value}", self.name(&to.name))
            }
            Alteration::EnumReorder { to, .. } => format!(
                "~ enum {}: order ({})",
                self.name(&to.name),
                to.values.join(", ")
            ),
            Alteration::Domain { from, to, .. } => format!(
                "~ domain {}: {}",
                self.name(&to.name),
                self.domain_changes(from, to)
            ),
            Alteration::Composite { from, to, .. } => format!(
                "~ composite type {}: {}",
                self.name(&to.name),
                self.attribute_changes(from, to)
            ),
            Alteration::Sequence { to, .. } => format!("~ sequence {}", self.name(&to.name)),
            Alteration::Function { to, .. } => format!("~ {}", self.routine(to)),
            Alteration::View { to, .. } => format!("~ view {}", self.name(&to.name)),
            Alteration::Trigger { table, to, .. } => {
                format!("~ trigger {} on {}", to.name, self.name(table))
            }
            Alteration::Policy { table, to, .. } => {
                format!("~ policy {} on {}", to.name, self.name(table))
            }
            Alteration::TableOptions { table, from, to } => {
                let (old, new) = (from.words(), to.words());
                let gone = old
                    .iter()
                    .filter(|w| !new.contains(w))
                    .map(|w| format!("-{w}"));
                let come = new
                    .iter()
                    .filter(|w| !old.contains(w))
                    .map(|w| format!("+{w}"));
                let words: Vec<String> = gone.chain(come).collect();
                format!("~ table {}: {}", self.name(table), words.join(", "))
            }
            Alteration::Extension { name, from, to } => {
                format!("~ extension {name}: {} to {}", from.version, to.version)
            }
            Alteration::Comment { target, to, .. } => {
                let what = self.comment_target(target);
                match to {
                    Some(comment) => format!("~ comment of {what}: {}", one_line(comment)),
                    None => format!("- comment of {what}"),
                }
            }
            Alteration::Validate {
                table, name, to, ..
            } => format!(
                "~ constraint {name} of {}: {}",
                self.name(table),
                if *to { "validated" } else { "not validated" }
            ),
        }
    }

    fn domain_changes(&self, from: &Domain, to: &Domain) -> String {
        let mut words = Vec::new();
        let base = |domain: &Domain| {
            let mut base = domain.base_type.short(self.default_schema).to_owned();
            if let Some(collation) = &domain.collation {
                base.push_str(" collate ");
                base.push_str(collation);
            }
            base
        };
        if from.is_made_anew(to) {
            words.push(format!("type {} to {}", base(from), base(to)));
        }
        let expression = |text: &String| self.rules.short_expression(text);
        if from.default != to.default {
            let default = |domain: &Domain| {
                let default = domain.default.as_ref();
                default.map_or_else(|| "none".to_owned(), expression)
            };
            words.push(format!("default {} to {}", default(from), default(to)));
        }
        if from.nullable != to.nullable {
            let nullable = ["null to not null", "not null to null"][usize::from(to.nullable)];
            words.push(nullable.to_owned());
        }
        for (sign, checks, others) in [("-", &from.checks, to), ("+", &to.checks, from)] {
            let changed = checks.iter().filter(|check| !others.checks.contains(check));
            words.extend(
                changed.map(|check| format!("{sign}check {}", expression(&check.expression))),
            );
        }
        words.join(", ")
    }

    fn attribute(&self, attribute: &Attribute) -> String {
        let words = attribute.attribute_type.short(self.default_schema);
        format!("{} {words}", attribute.name)
    }

    fn attribute_changes(&self, from: &CompositeType, to: &CompositeType) -> String {
        let mut words = Vec::new();
        for attribute in &from.attributes {
            match to.attribute(&attribute.name) {
                None => words.push(format!("-{}", attribute.name)),
                Some(new) if same_values(attribute, new) => {
                    if new.comment != attribute.comment {
                        words.push(format!("comment of {}", attribute.name));
                    }
                }
                Some(new) => words.push(format!(
                    "{} to {}",
                    self.attribute(attribute),
                    new.attribute_type.short(self.default_schema)
                )),
            }
        }
        let come = to.attributes.iter();
        let come = come.filter(|attribute| from.attribute(&attribute.name).is_none());
        words.extend(come.map(|attribute| format!("+{}", self.attribute(attribute))));
        if words.is_empty() {
            words.push("order of its attributes".to_owned());
        }
        words.join(", ")
    }

    fn comment_target(&self, target: &CommentTarget) -> String {
        match target {
            CommentTarget::Schema(name) => format!("schema {name}"),
            CommentTarget::Table(name) => format!("table {}", self.name(name)),
            CommentTarget::View(name, _) => format!("view {}", self.name(name)),
            CommentTarget::ViewColumn(view, column) => {
                format!("column {}.{column}", self.name(view))
            }
            CommentTarget::Enum(name) => format!("enum {}", self.name(name)),
            CommentTarget::Domain(name) => format!("domain {}", self.name(name)),
            CommentTarget::Type(name) => format!("type {}", self.name(name)),
            CommentTarget::Sequence(name) => format!("sequence {}", self.name(name)),
            CommentTarget::Function(name, _) => format!("function {}", self.name(name)),
            CommentTarget::Index(_, name) => format!("index {name}"),
            CommentTarget::Constraint(table, name) => {
                format!("constraint {name} of {}", self.name(table))
            }
            CommentTarget::Trigger(table, name) => {
                format!("trigger {name} on {}", self.name(table))
            }
            CommentTarget::Policy(table, name) => format!("policy {name} on {}", self.name(table)),
        }
    }
}

/// What a unique constraint has beside its columns.
fn unique_words(unique: &Unique) -> String {
    let mut words = String::new();
    if unique.nulls_not_distinct {
        words.push_str(" nulls not distinct");
    }
    if let Some(clause) = unique.deferrability.as_sql() {
        words.push(' ');
        words.push_str(&clause.to_lowercase());
    }
    if !unique.include.is_empty() {
        words.push_str(" include (");
        words.push_str(&unique.include.join(", "));
        words.push(')');
    }
    if let Some(conflict) = &unique.on_conflict {
        words.push_str(" on conflict ");
        words.push_str(&conflict.to_lowercase());
    }
    words
}

fn prefix(name: Option<&str>, link: &str) -> String {
    name.map_or_else(
        || link.trim_start().to_owned(),
        |name| format!("{name}{link}"),
    )
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Words<'_> {
    fn type_of<'c>(&self, column: &'c Column) -> &'c str {
        column.column_type.short(self.default_schema)
    }

    fn column_words(&self, column: &Column) -> String {
        let mut words = format!("{} {}", column.name, self.type_of(column));
        if !column.nullable {
            words.push_str(" not null");
        }
        if let Some(default) = &column.default {
            words.push_str(" default ");
            words.push_str(&self.rules.short_expression(default));
        }
        if let Some(generated) = &column.generated {
            words.push_str(" generated as ");
            words.push_str(&self.rules.short_expression(&generated.expression));
        }
        if column.identity.is_some() {
            words.push_str(" numbered by the database");
        }
        words
    }

    fn column_change(&self, aspect: ColumnAspect, from: &Column, to: &Column) -> String {
        let or_none = |value: Option<&String>| {
            value.map_or_else(
                || "none".to_owned(),
                |value| self.rules.short_expression(value),
            )
        };
        let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        match aspect {
            ColumnAspect::Type => format!("type {} to {}", self.type_of(from), self.type_of(to)),
            ColumnAspect::Nullable if to.nullable => "not null to null".to_owned(),
            ColumnAspect::Nullable => "null to not null".to_owned(),
            ColumnAspect::Default => format!(
                "default {} to {}",
                or_none(from.default.as_ref()),
                or_none(to.default.as_ref())
            ),
            ColumnAspect::Generated => {
                let kept = |column: &Column| column.generated.as_ref().map(|g| g.stored);
                let is_kept_otherwise = matches!(
                    (kept(from), kept(to)),
                    (Some(before), Some(after)) if before != after
                );
                let expression = |column: &Column| {
                    let Some(generated) = &column.generated else {
                        return "none".to_owned();
                    };
                    let expression = self.rules.short_expression(&generated.expression);
                    match (is_kept_otherwise, generated.stored) {
                        (false, _) => expression,
                        (true, true) => format!("{expression} stored"),
                        (true, false) => format!("{expression} virtual"),
                    }
                };
                format!("generated as {} to {}", expression(from), expression(to))
            }
            ColumnAspect::Collation => {
                format!(
                    "collation {} to {}",
                    word(&from.collation),
                    word(&to.collation)
                )
            }
            ColumnAspect::Identity | ColumnAspect::AutoIncrement => {
                match (&from.identity, &to.identity) {
                    (None, _) => "numbered by the database from now on".to_owned(),
                    (_, None) => "no longer numbered by the database".to_owned(),
                    _ => "numbered in another way".to_owned(),
                }
            }
            ColumnAspect::OnUpdate => format!(
                "on update {} to {}",
                or_none(from.on_update.as_ref()),
                or_none(to.on_update.as_ref())
            ),
            ColumnAspect::Visibility if to.invisible => "hidden".to_owned(),
            ColumnAspect::Visibility => "shown".to_owned(),
            ColumnAspect::Comment => match &to.comment {
                Some(comment) => format!("comment: {}", one_line(comment)),
                None => "comment removed".to_owned(),
            },
        }
    }

    fn index_keys(&self, index: &Index) -> String {
        let keys: Vec<String> = index.keys.iter().map(|key| self.index_key(key)).collect();
        let mut text = keys.join(", ");
        if !index.include.is_empty() {
            text.push_str(") include (");
            text.push_str(&index.include.join(", "));
        }
        text
    }

    fn index_key(&self, key: &IndexKey) -> String {
        let mut words = match (&key.column, &key.expression) {
            (Some(column), _) => column.clone(),
            (None, Some(expression)) => self.rules.short_expression(expression),
            (None, None) => String::new(),
        };
        if let Some(length) = key.prefix_length {
            let _ = write!(words, "({length})");
        }
        let of_server = |name: &str| {
            let name = name.strip_prefix("pg_catalog.").unwrap_or(name);
            self.without_default_schema(name)
        };
        if let Some(collation) = &key.collation {
            let _ = write!(words, " collate {}", of_server(collation));
        }
        if let Some(class) = &key.operator_class {
            let _ = write!(words, " {}", of_server(class));
        }
        if key.descending {
            words.push_str(" desc");
        }
        match key.nulls_first {
            Some(true) => words.push_str(" nulls first"),
            Some(false) => words.push_str(" nulls last"),
            None => {}
        }
        words
    }

    fn without_default_schema(&self, name: &str) -> String {
        let rest = self
            .default_schema
            .and_then(|schema| name.strip_prefix(schema))
            .and_then(|rest| rest.strip_prefix('.'));
        rest.unwrap_or(name).to_owned()
    }

    /// What an index has beside its keys.
    fn index_options(&self, index: &Index) -> String {
        let mut words = String::new();
        if index.nulls_not_distinct {
            words.push_str(" nulls not distinct");
        }
        if !index.options.is_empty() {
            let options = index.options.iter();
            let options: Vec<String> = options
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let _ = write!(words, " with {}", options.join(", "));
        }
        if let Some(predicate) = &index.predicate {
            let predicate = self.rules.short_expression(predicate);
            let _ = write!(words, " where {predicate}");
        }
        if index.invisible {
            words.push_str(" hidden from the optimiser");
        }
        words
    }
}

fn index_kind(index: &Index) -> String {
    let mut kind = String::new();
    if index.unique {
        kind.push_str("unique ");
    }
    if index.method != "btree" {
        kind.push_str(&index.method);
        kind.push(' ');
    }
    kind.push_str("index");
    kind
}
