//! The names and the JSON form of operations and changes.

use serde::ser::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::{Alteration, Change, ColumnAspect, CommentTarget, Object, Op, Rename};
use crate::dialect::{Rules, rules};
use crate::schema::{Column, ColumnType, CompositeType, ForeignKey, Index, ObjectName};

impl Op {
    /// The operation's name in JSON, for example `add_column`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Create(object) => object.verbs().0,
            Self::Drop(object) => object.verbs().1,
            Self::Rename(rename) => match rename {
                Rename::Table { .. } => "rename_table",
                Rename::Column { .. } => "rename_column",
                Rename::Index { .. } => "rename_index",
                Rename::Constraint { .. } => "rename_constraint",
                Rename::EnumValue { .. } => "rename_enum_value",
            },
            Self::Alter(alteration) => alteration.name(),
        }
    }

    /// The table or view that the operation works on, if it is about one.
    pub fn table(&self) -> Option<&ObjectName> {
        match self {
            Self::Create(object) | Self::Drop(object) => object.table(),
            Self::Rename(rename) => match rename {
                Rename::Table { from, .. } => Some(from),
                Rename::Column { table, .. }
                | Rename::Index { table, .. }
                | Rename::Constraint { table, .. } => Some(table),
                Rename::EnumValue { .. } => None,
            },
            Self::Alter(alteration) => match alteration {
                Alteration::Column { table, .. }
                | Alteration::Trigger { table, .. }
                | Alteration::Policy { table, .. }
                | Alteration::TableOptions { table, .. }
                | Alteration::Validate { table, .. } => Some(table),
                Alteration::Comment { target, .. } => target.table(),
                _ => None,
            },
        }
    }
}

impl Object {
    /// The names of the operations that make and remove it.
    fn verbs(&self) -> (&'static str, &'static str) {
        match self {
            Self::Schema { .. } => ("create_schema", "drop_schema"),
            Self::Extension { .. } => ("create_extension", "drop_extension"),
            Self::Enum(_) => ("create_enum", "drop_enum"),
            Self::Domain(_) => ("create_domain", "drop_domain"),
            Self::Composite(_) => ("create_composite_type", "drop_composite_type"),
            Self::Range(_) => ("create_range_type", "drop_range_type"),
            Self::Sequence(_) => ("create_sequence", "drop_sequence"),
            Self::Function(_) => ("create_function", "drop_function"),
            Self::View(view) if view.materialized => {
                ("create_materialized_view", "drop_materialized_view")
            }
            Self::View(_) => ("create_view", "drop_view"),
            Self::Table(_) => ("create_table", "drop_table"),
            Self::Column { .. } => ("add_column", "drop_column"),
            Self::PrimaryKey { .. } => ("add_pk", "drop_pk"),
            Self::Unique { .. } => ("add_unique", "drop_unique"),
            Self::ForeignKey { .. } => ("add_fk", "drop_fk"),
            Self::Check { .. } => ("add_check", "drop_check"),
            Self::Exclusion { .. } => ("add_exclusion", "drop_exclusion"),
            Self::Index { .. } => ("create_index", "drop_index"),
            Self::Trigger { .. } => ("create_trigger", "drop_trigger"),
            Self::Policy { .. } => ("create_policy", "drop_policy"),
        }
    }

    /// The table or view that it belongs to or is.
    pub fn table(&self) -> Option<&ObjectName> {
        match self {
            Self::Table(table) => Some(&table.name),
            Self::Column { table, .. }
            | Self::PrimaryKey { table, .. }
            | Self::Unique { table, .. }
            | Self::ForeignKey { table, .. }
            | Self::Check { table, .. }
            | Self::Exclusion { table, .. }
            | Self::Index { table, .. }
            | Self::Trigger { table, .. }
            | Self::Policy { table, .. } => Some(table),
            _ => None,
        }
    }

    fn fields(&self, look: &Look<'_>, fields: &mut Map<String, Value>) {
        match self {
            Self::Schema { name, .. } => put(fields, "name", name),
            Self::Extension { name, extension } => {
                put(fields, "name", name);
                put(fields, "version", &extension.version);
            }
            Self::Enum(enum_type) => {
                named(fields, &enum_type.name);
                fields.insert("values".to_owned(), json!(enum_type.values));
            }
            Self::Domain(domain) => {
                named(fields, &domain.name);
                fields.insert("type".to_owned(), look.type_text(&domain.base_type));
            }
            Self::Composite(composite) => {
                named(fields, &composite.name);
                fields.insert("attributes".to_owned(), look.attributes(composite));
            }
            Self::Range(range) => {
                named(fields, &range.name);
                fields.insert("type".to_owned(), look.type_text(&range.subtype));
            }
            Self::Sequence(sequence) => named(fields, &sequence.name),
            Self::Function(function) => {
                named(fields, &function.name);
                put(fields, "arguments", &function.arguments);
            }
            Self::View(view) => named(fields, &view.name),
            Self::Table(table) => {
                tabled(fields, &table.name);
                let columns: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
                fields.insert("columns".to_owned(), json!(columns));
                fields.insert("comment".to_owned(), json!(table.comment));
            }
            Self::Column {
                table,
                column,
                fill,
                ..
            } => {
                tabled(fields, table);
                column_fields(look, fields, column);
                if let Some(fill) = fill {
                    put(fields, "fill", fill);
                }
            }
            Self::PrimaryKey { table, key } => {
                tabled(fields, table);
                fields.insert("name".to_owned(), json!(key.name));
                fields.insert("columns".to_owned(), json!(key.columns));
            }
            Self::Unique { table, unique } => {
                tabled(fields, table);
                fields.insert("name".to_owned(), json!(unique.name));
                fields.insert("columns".to_owned(), json!(unique.columns));
            }
            Self::ForeignKey { table, foreign_key } => {
                tabled(fields, table);
                foreign_key_fields(fields, foreign_key);
            }
            Self::Check { table, check } => {
                tabled(fields, table);
                fields.insert("name".to_owned(), json!(check.name));
                fields.insert("expr".to_owned(), look.expression(Some(&check.expression)));
            }
            Self::Exclusion { table, exclusion } => {
                tabled(fields, table);
                put(fields, "name", &exclusion.name);
                put(fields, "definition", &exclusion.definition);
            }
            Self::Index { table, index } => {
                tabled(fields, table);
                index_fields(look, fields, index);
            }
            Self::Trigger { table, trigger } => {
                tabled(fields, table);
                put(fields, "name", &trigger.name);
            }
            Self::Policy { table, policy } => {
                tabled(fields, table);
                put(fields, "name", &policy.name);
            }
        }
    }
}

impl Alteration {
    fn name(&self) -> &'static str {
        match self {
            Self::Column { aspect, .. } => match aspect {
                ColumnAspect::Type => "alter_column_type",
                ColumnAspect::Nullable => "alter_column_nullable",
                ColumnAspect::Default => "alter_column_default",
                ColumnAspect::Generated => "alter_column_generated",
                ColumnAspect::Collation => "alter_column_collation",
                ColumnAspect::Identity => "alter_column_identity",
                ColumnAspect::AutoIncrement => "set_auto_increment",
                ColumnAspect::OnUpdate => "alter_column_on_update",
                ColumnAspect::Visibility => "alter_column_visibility",
                ColumnAspect::Comment => "set_column_comment",
            },
            Self::EnumAdd { .. } => "add_enum_value",
            Self::EnumRemove { .. } => "remove_enum_value",
            Self::EnumReorder { .. } => "reorder_enum_values",
            Self::Domain { .. } => "alter_domain",
            Self::Composite { .. } => "alter_composite_type",
            Self::Sequence { .. } => "alter_sequence",
            Self::Function { .. } => "alter_function",
            Self::View { .. } => "alter_view",
            Self::Trigger { .. } => "alter_trigger",
            Self::Policy { .. } => "alter_policy",
            Self::TableOptions { .. } => "set_table_options",
            Self::Extension { .. } => "alter_extension",
            Self::Comment { target, .. } => match target {
                CommentTarget::Schema(_) => "set_schema_comment",
                CommentTarget::Table(_) => "set_table_comment",
                CommentTarget::View(..) => "set_view_comment",
                CommentTarget::ViewColumn(..) => "set_column_comment",
                CommentTarget::Enum(_) => "set_enum_comment",
                CommentTarget::Domain(_) => "set_domain_comment",
                CommentTarget::Type(_) => "set_type_comment",
                CommentTarget::Sequence(_) => "set_sequence_comment",
                CommentTarget::Function(..) => "set_function_comment",
                CommentTarget::Index(..) => "set_index_comment",
                CommentTarget::Constraint(..) => "set_constraint_comment",
                CommentTarget::Trigger(..) => "set_trigger_comment",
                CommentTarget::Policy(..) => "set_policy_comment",
            },
            Self::Validate { .. } => "validate_constraint",
        }
    }

    fn fields(&self, look: &Look<'_>, fields: &mut Map<String, Value>) {
        match self {
            Self::Column {
                table,
                aspect,
                from,
                to,
                fill,
            } => {
                tabled(fields, table);
                put(fields, "column", &to.name);
                if let Some(fill) = fill {
                    put(fields, "fill", fill);
                }
                column_alteration_fields(look, fields, *aspect, from, to);
            }
            Self::EnumAdd { to, value, .. } => {
                named(fields, &to.name);
                put(fields, "value", value);
                let position = to.values.iter().position(|v| v == value);
                let before = position.and_then(|position| to.values.get(position + 1));
                if let Some(before) = before {
                    put(fields, "before", before);
                }
            }
            Self::EnumRemove { to, value, .. } => {
                named(fields, &to.name);
                put(fields, "value", value);
            }
            Self::EnumReorder { from, to, .. } => {
                named(fields, &to.name);
                fields.insert("from".to_owned(), json!(from.values));
                fields.insert("to".to_owned(), json!(to.values));
                fields.insert("values".to_owned(), json!(to.values));
            }
            Self::Domain { to, .. } => named(fields, &to.name),
            Self::Composite { from, to, .. } => {
                named(fields, &to.name);
                fields.insert("from".to_owned(), look.attributes(from));
                fields.insert("to".to_owned(), look.attributes(to));
            }
            Self::Sequence { to, .. } => named(fields, &to.name),
            Self::Function { to, .. } => {
                named(fields, &to.name);
                put(fields, "arguments", &to.arguments);
            }
            Self::View { to, .. } => named(fields, &to.name),
            Self::Trigger { table, to, .. } => {
                tabled(fields, table);
                put(fields, "name", &to.name);
            }
            Self::Policy { table, to, .. } => {
                tabled(fields, table);
                put(fields, "name", &to.name);
            }
            Self::TableOptions { table, from, to } => {
                tabled(fields, table);
                fields.insert("from".to_owned(), json!(from.words()));
                fields.insert("to".to_owned(), json!(to.words()));
            }
            Self::Extension { name, from, to } => {
                put(fields, "name", name);
                put(fields, "from", &from.version);
                put(fields, "to", &to.version);
            }
            Self::Comment { target, to, .. } => {
                target.fields(fields);
                fields.insert("comment".to_owned(), json!(to));
            }
            Self::Validate { table, name, .. } => {
                tabled(fields, table);
                put(fields, "name", name);
            }
        }
    }
}

impl CommentTarget {
    fn table(&self) -> Option<&ObjectName> {
        match self {
            Self::Table(table)
            | Self::Index(table, _)
            | Self::Constraint(table, _)
            | Self::Trigger(table, _)
            | Self::Policy(table, _) => Some(table),
            _ => None,
        }
    }

    fn fields(&self, fields: &mut Map<String, Value>) {
        match self {
            Self::Schema(name) => put(fields, "name", name),
            Self::Table(table) => tabled(fields, table),
            Self::View(name, _)
            | Self::Enum(name)
            | Self::Domain(name)
            | Self::Type(name)
            | Self::Sequence(name)
            | Self::Function(name, _) => named(fields, name),
            Self::ViewColumn(table, column) => {
                tabled(fields, table);
                put(fields, "column", column);
            }
            Self::Index(table, name)
            | Self::Constraint(table, name)
            | Self::Trigger(table, name)
            | Self::Policy(table, name) => {
                tabled(fields, table);
                put(fields, "name", name);
            }
        }
    }
}

impl Rename {
    fn fields(&self, fields: &mut Map<String, Value>) {
        let (from, to) = match self {
            Self::Table { from, to } => {
                if let Some(schema) = &from.schema {
                    put(fields, "schema", schema);
                }
                (&from.name, &to.name)
            }
            Self::Column {
                table,
                from,
                to,
                known_as,
            } => {
                tabled(fields, table);
                (known_as.as_ref().unwrap_or(from), to)
            }
            Self::Index {
                table, from, to, ..
            }
            | Self::Constraint { table, from, to } => {
                tabled(fields, table);
                (from, to)
            }
            Self::EnumValue {
                enum_type,
                from,
                to,
            } => {
                named(fields, enum_type);
                (from, to)
            }
        };
        put(fields, "from", from);
        put(fields, "to", to);
    }
}

/// How types and expressions look to people.
struct Look<'a> {
    default_schema: Option<&'a str>,
    rules: &'a dyn Rules,
}

impl Look<'_> {
    fn attributes(&self, composite: &CompositeType) -> Value {
        let attributes = composite.attributes.iter();
        let attributes: Vec<Value> = attributes
            .map(|attribute| {
                json!({
                    "name": attribute.name,
                    "type": self.type_text(&attribute.attribute_type),
                })
            })
            .collect();
        Value::Array(attributes)
    }

    fn type_text(&self, column_type: &ColumnType) -> Value {
        json!(column_type.short(self.default_schema))
    }

    fn expression(&self, expression: Option<&String>) -> Value {
        json!(expression.map(|text| self.rules.short_expression(text)))
    }
}

impl Change {
    /// The change as a JSON object. Types and expressions look as people write them; the SQL has
    /// them as they are.
    pub fn to_json(&self) -> Value {
        let look = Look {
            default_schema: self.default_schema.as_deref(),
            rules: rules(self.dialect),
        };
        let mut fields = Map::new();
        put(&mut fields, "op", self.op.name());
        match &self.op {
            Op::Create(object) | Op::Drop(object) => object.fields(&look, &mut fields),
            Op::Rename(rename) => rename.fields(&mut fields),
            Op::Alter(alteration) => alteration.fields(&look, &mut fields),
        }
        put(&mut fields, "description", &self.description);
        fields.insert("risk".to_owned(), json!(self.risk));
        fields.insert("warnings".to_owned(), json!(self.warnings));
        if !self.notes.is_empty() {
            fields.insert("notes".to_owned(), json!(self.notes));
        }
        if let Some(candidate) = &self.rename_candidate {
            fields.insert("rename_candidate".to_owned(), json!(candidate));
        }
        fields.insert("origin".to_owned(), json!(self.origin));
        if let Some(done_with) = self.done_with {
            fields.insert("done_with".to_owned(), json!(done_with));
        }
        if self.commit_after {
            fields.insert("commit_after".to_owned(), json!(true));
        }
        fields.insert("sql".to_owned(), json!(self.sql));
        fields.insert("reverse_sql".to_owned(), json!(self.reverse_sql));
        Value::Object(fields)
    }
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

fn put(fields: &mut Map<String, Value>, key: &str, value: &str) {
    fields.insert(key.to_owned(), Value::String(value.to_owned()));
}

fn named(fields: &mut Map<String, Value>, name: &ObjectName) {
    if let Some(schema) = &name.schema {
        put(fields, "schema", schema);
    }
    put(fields, "name", &name.name);
}

fn tabled(fields: &mut Map<String, Value>, table: &ObjectName) {
    if let Some(schema) = &table.schema {
        put(fields, "schema", schema);
    }
    put(fields, "table", &table.name);
}

fn column_fields(look: &Look<'_>, fields: &mut Map<String, Value>, column: &Column) {
    put(fields, "column", &column.name);
    fields.insert("type".to_owned(), look.type_text(&column.column_type));
    fields.insert("nullable".to_owned(), json!(column.nullable));
    fields.insert(
        "default".to_owned(),
        look.expression(column.default.as_ref()),
    );
    if let Some(generated) = &column.generated {
        fields.insert("generated".to_owned(), json!(generated));
    }
    if let Some(identity) = &column.identity {
        fields.insert("identity".to_owned(), json!(identity.kind));
    }
    if let Some(comment) = &column.comment {
        put(fields, "comment", comment);
    }
}

fn column_alteration_fields(
    look: &Look<'_>,
    fields: &mut Map<String, Value>,
    aspect: ColumnAspect,
    from: &Column,
    to: &Column,
) {
    match aspect {
        ColumnAspect::Type => {
            fields.insert("from".to_owned(), look.type_text(&from.column_type));
            fields.insert("to".to_owned(), look.type_text(&to.column_type));
            fields.insert("type".to_owned(), look.type_text(&to.column_type));
        }
        ColumnAspect::Nullable => {
            fields.insert("nullable".to_owned(), json!(to.nullable));
        }
        ColumnAspect::Default => {
            fields.insert("from".to_owned(), look.expression(from.default.as_ref()));
            fields.insert("to".to_owned(), look.expression(to.default.as_ref()));
            fields.insert("default".to_owned(), look.expression(to.default.as_ref()));
        }
        ColumnAspect::Generated => {
            fields.insert("from".to_owned(), json!(from.generated));
            fields.insert("to".to_owned(), json!(to.generated));
        }
        ColumnAspect::Collation => {
            fields.insert("from".to_owned(), json!(from.collation));
            fields.insert("to".to_owned(), json!(to.collation));
        }
        ColumnAspect::Identity => {
            let kind = |column: &Column| column.identity.as_ref().map(|identity| identity.kind);
            fields.insert("from".to_owned(), json!(kind(from)));
            fields.insert("to".to_owned(), json!(kind(to)));
        }
        ColumnAspect::AutoIncrement => {
            fields.insert("on".to_owned(), json!(to.identity.is_some()));
        }
        ColumnAspect::OnUpdate => {
            fields.insert("from".to_owned(), json!(from.on_update));
            fields.insert("to".to_owned(), json!(to.on_update));
        }
        ColumnAspect::Visibility => {
            fields.insert("invisible".to_owned(), json!(to.invisible));
        }
        ColumnAspect::Comment => {
            fields.insert("comment".to_owned(), json!(to.comment));
        }
    }
}

fn foreign_key_fields(fields: &mut Map<String, Value>, foreign_key: &ForeignKey) {
    fields.insert("name".to_owned(), json!(foreign_key.name));
    fields.insert("columns".to_owned(), json!(foreign_key.columns));
    if let Some(schema) = &foreign_key.ref_table.schema {
        put(fields, "ref_schema", schema);
    }
    put(fields, "ref_table", &foreign_key.ref_table.name);
    fields.insert("ref_columns".to_owned(), json!(foreign_key.ref_columns));
    put(fields, "on_delete", foreign_key.on_delete.as_sql());
    put(fields, "on_update", foreign_key.on_update.as_sql());
    put(fields, "options", &foreign_key.options_sql());
}

fn index_fields(look: &Look<'_>, fields: &mut Map<String, Value>, index: &Index) {
    put(fields, "name", &index.name);
    let columns: Vec<&str> = index
        .keys
        .iter()
        .filter_map(|key| key.column.as_deref())
        .collect();
    fields.insert("columns".to_owned(), json!(columns));
    let expressions: Vec<String> = index
        .keys
        .iter()
        .filter_map(|key| key.expression.as_ref())
        .map(|expression| look.rules.short_expression(expression))
        .collect();
    if !expressions.is_empty() {
        put(fields, "expr", &expressions.join(", "));
    }
    fields.insert("keys".to_owned(), json!(index.keys));
    fields.insert("unique".to_owned(), json!(index.unique));
    put(fields, "method", &index.method);
    if !index.include.is_empty() {
        fields.insert("include".to_owned(), json!(index.include));
    }
    if let Some(predicate) = &index.predicate {
        fields.insert("predicate".to_owned(), look.expression(Some(predicate)));
        fields.insert("where".to_owned(), look.expression(Some(predicate)));
    }
    if index.nulls_not_distinct {
        fields.insert("nulls_not_distinct".to_owned(), json!(true));
    }
}
