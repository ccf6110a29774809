//! One operation as sea-query calls, where there are any.

use super::column::{definition, is_plain_name};
use super::source::{Body, literal};
use super::table::{create, foreign_key_statement, index_statement, table_name};
use crate::dialect::Dialect;
use crate::op::{Alteration, Change, ColumnAspect, Object, Op, Rename};
use crate::schema::{Column, ObjectName, Schema};

/// How an operation is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// With sea-query. The code does the first `done` statements; the others are run as they are.
    Code { code: String, done: usize },
    /// As SQL.
    Sql,
}

/// The form of the change's operation, or of its reverse, whose statements are `sql`. `alone` says
/// that they do nothing else.
pub(super) fn form(change: &Change, op: &Op, sql: &[String], alone: bool) -> Form {
    let (dialect, default_schema) = (change.dialect, change.default_schema.as_deref());
    let Some(first) = sql.first().filter(|_| alone) else {
        return Form::Sql;
    };
    let context = Context {
        first,
        count: sql.len(),
        dialect,
        default_schema,
    };
    match context.code(op) {
        Some((code, done)) => Form::Code { code, done },
        None => Form::Sql,
    }
}

struct Context<'a> {
    first: &'a str,
    count: usize,
    dialect: Dialect,
    default_schema: Option<&'a str>,
}

impl Context<'_> {
    fn code(&self, op: &Op) -> Option<(String, usize)> {
        match op {
            Op::Create(object) => self.make(object),
            Op::Drop(object) => self.remove(object),
            Op::Rename(rename) => self.rename(rename),
            Op::Alter(alteration) => self.alter(alteration),
        }
    }

    fn name(&self, table: &ObjectName) -> Option<String> {
        table_name(table, self.default_schema)
    }

    /// Whether the statements begin as the code's own would.
    fn begins(&self, words: &str) -> bool {
        let mut actual = self.first.split_whitespace();
        words.split(' ').all(|word| {
            actual
                .next()
                .is_some_and(|other| other.eq_ignore_ascii_case(word))
        })
    }

    /// Whether the statement makes or removes an index too, as MySQL's foreign keys may need.
    fn changes_indexes(&self) -> bool {
        let upper = self.first.to_ascii_uppercase();
        [" ADD INDEX ", " ADD KEY ", " DROP INDEX ", " DROP KEY "]
            .iter()
            .any(|words| upper.contains(words))
    }

    /// Whether the enum lives where unqualified names look for it.
    fn type_name(&self, name: &ObjectName) -> Option<String> {
        let here = name.schema.as_deref() == self.default_schema;
        (here && is_plain_name(&name.name)).then(|| literal(&name.name))
    }

    fn make(&self, object: &Object) -> Option<(String, usize)> {
        let code = match object {
            Object::Table(table) if self.begins("CREATE TABLE") => {
                if self.count == 1 && !table.indexes.is_empty() {
                    return None;
                }
                let statement = create(table, self.dialect, self.default_schema)?;
                format!("manager.create_table({statement}).await?;")
            }
            Object::Column {
                table,
                column,
                fill: None,
                ..
            } if self.begins("ALTER TABLE") => {
                let mut added = column.clone();
                // MySQL's statements add it so that it takes NULL at first.
                added.nullable |= self.dialect == Dialect::Mysql && column.needs_value();
                let added = definition(&added, self.dialect, false)?;
                format!(
                    "manager.alter_table(Table::alter().table({}).add_column({added}).to_owned()).await?;",
                    self.name(table)?
                )
            }
            Object::Index { table, index } if self.begins("CREATE") => {
                let statement = index_statement(index, table, self.dialect, self.default_schema)?;
                format!("manager.create_index({statement}).await?;")
            }
            Object::ForeignKey { table, foreign_key }
                if self.dialect != Dialect::Sqlite
                    && self.begins("ALTER TABLE")
                    && !self.changes_indexes() =>
            {
                let statement =
                    foreign_key_statement(foreign_key, table, self.dialect, self.default_schema)?;
                format!("manager.create_foreign_key({statement}.to_owned()).await?;")
            }
            Object::Enum(enum_type) if self.begins("CREATE TYPE") => {
                let values: Vec<String> = enum_type
                    .values
                    .iter()
                    .map(|value| literal(value))
                    .collect();
                if values.is_empty() {
                    return None;
                }
                format!(
                    "manager.create_type(Type::create().as_enum({}).values([{}]).to_owned()).await?;",
                    self.type_name(&enum_type.name)?,
                    values.join(", ")
                )
            }
            _ => return None,
        };
        Some((code, 1))
    }

    fn remove(&self, object: &Object) -> Option<(String, usize)> {
        let code = match object {
            Object::Table(table) if self.begins("DROP TABLE") => {
                format!(
                    "manager.drop_table(Table::drop().table({}).to_owned()).await?;",
                    self.name(&table.name)?
                )
            }
            Object::Column { table, column, .. }
                if self.begins("ALTER TABLE")
                    && self.count == 1
                    && self.first.contains(" DROP COLUMN ") =>
            {
                if !is_plain_name(&column.name) {
                    return None;
                }
                format!(
                    "manager.alter_table(Table::alter().table({}).drop_column({}).to_owned()).await?;",
                    self.name(table)?,
                    literal(&column.name)
                )
            }
            Object::Index { table, index }
                if self.begins("DROP INDEX") || self.begins("ALTER TABLE") =>
            {
                if !is_plain_name(&index.name) {
                    return None;
                }
                format!(
                    "manager.drop_index(Index::drop().name({}).table({}).to_owned()).await?;",
                    literal(&index.name),
                    self.name(table)?
                )
            }
            Object::ForeignKey { table, foreign_key }
                if self.dialect != Dialect::Sqlite
                    && self.begins("ALTER TABLE")
                    && !self.changes_indexes() =>
            {
                let name = foreign_key
                    .name
                    .as_deref()
                    .filter(|name| is_plain_name(name))?;
                format!(
                    "manager.drop_foreign_key(ForeignKey::drop().name({}).table({}).to_owned()).await?;",
                    literal(name),
                    self.name(table)?
                )
            }
            Object::Enum(enum_type) if self.begins("DROP TYPE") => format!(
                "manager.drop_type(Type::drop().name({}).to_owned()).await?;",
                self.type_name(&enum_type.name)?
            ),
            _ => return None,
        };
        (self.count == 1).then_some((code, 1))
    }

    fn rename(&self, rename: &Rename) -> Option<(String, usize)> {
        let code = match rename {
            Rename::Table { from, to } => {
                // PostgreSQL wants the new name without a schema.
                if from.schema.as_deref() != self.default_schema {
                    return None;
                }
                format!(
                    "manager.rename_table(Table::rename().table({}, {}).to_owned()).await?;",
                    self.name(from)?,
                    self.name(to)?
                )
            }
            Rename::Column {
                table, from, to, ..
            } if is_plain_name(from) && is_plain_name(to) => format!(
                "manager.alter_table(Table::alter().table({}).rename_column({}, {}).to_owned()).await?;",
                self.name(table)?,
                literal(from),
                literal(to)
            ),
            Rename::EnumValue {
                enum_type,
                from,
                to,
            } => format!(
                "manager.alter_type(Type::alter().name({}).rename_value({}, {})).await?;",
                self.type_name(enum_type)?,
                literal(from),
                literal(to)
            ),
            _ => return None,
        };
        (self.count == 1).then_some((code, 1))
    }

    fn alter(&self, alteration: &Alteration) -> Option<(String, usize)> {
        match alteration {
            Alteration::Column {
                table,
                aspect,
                to,
                fill: None,
                ..
            } => {
                if self.count != 1
                    || self.first.matches("ALTER COLUMN").count() > 1
                    || self.first.contains(" USING ")
                    || !self.begins("ALTER TABLE")
                {
                    return None;
                }
                let column = self.modified(*aspect, to)?;
                Some((modify(&self.name(table)?, &column), 1))
            }
            Alteration::EnumAdd { to, value, .. }
                if self.begins("ALTER TYPE") && self.count == 1 =>
            {
                let position = to.values.iter().position(|other| other == value)?;
                let place = match (to.values.get(position + 1), position.checked_sub(1)) {
                    (Some(next), _) => format!(".before({})", literal(next)),
                    (None, Some(before)) => format!(".after({})", literal(&to.values[before])),
                    (None, None) => String::new(),
                };
                let code = format!(
                    "manager.alter_type(Type::alter().name({}).add_value({}){place}).await?;",
                    self.type_name(&to.name)?,
                    literal(value)
                );
                Some((code, 1))
            }
            _ => None,
        }
    }

    /// The argument of `modify_column`: on MySQL the whole column, on PostgreSQL what changes.
    fn modified(&self, aspect: ColumnAspect, to: &Column) -> Option<String> {
        match self.dialect {
            Dialect::Mysql => {
                let whole = definition(to, self.dialect, false)?;
                let modifies = self.first.to_ascii_uppercase().contains(" MODIFY ");
                modifies.then_some(whole)
            }
            Dialect::Postgres => {
                let only = match aspect {
                    ColumnAspect::Type => Column::new(to.name.clone(), to.column_type.clone()),
                    ColumnAspect::Nullable => {
                        let call = if to.nullable { "null" } else { "not_null" };
                        return is_plain_name(&to.name)
                            .then(|| format!("ColumnDef::new({}).{call}()", literal(&to.name)));
                    }
                    ColumnAspect::Default => {
                        to.default.as_ref()?;
                        let mut only = Column::new(to.name.clone(), to.column_type.clone());
                        only.default.clone_from(&to.default);
                        let whole = definition(&only, self.dialect, false)?;
                        let at = whole.find(".default(")?;
                        return Some(format!(
                            "ColumnDef::new({}){}",
                            literal(&to.name),
                            &whole[at..]
                        ));
                    }
                    _ => return None,
                };
                // A column's type alone says nothing about NULL.
                definition(&only, self.dialect, false)
                    .map(|code| code.trim_end_matches(".null()").to_owned())
            }
            Dialect::Sqlite => None,
        }
    }
}

fn modify(table: &str, column: &str) -> String {
    format!(
        "manager.alter_table(Table::alter().table({table}).modify_column({column}).to_owned()).await?;"
    )
}

/// Adds a column that takes no NULL and has no default in three steps. Returns false where that
/// needs another form.
pub(super) fn add_in_three_steps(body: &mut Body, change: &Change, after: &Schema) -> bool {
    let Op::Create(Object::Column {
        table,
        column,
        fill,
        ..
    }) = &change.op
    else {
        return false;
    };
    // More than these steps are needed where the server makes up values on the way to NOT NULL.
    let steps = if fill.is_some() { 3 } else { 2 };
    let needs_more = change.dialect == Dialect::Mysql && change.sql.len() > steps;
    if change.dialect == Dialect::Sqlite || needs_more {
        return false;
    }
    let open = Column {
        nullable: true,
        ..column.clone()
    };
    let name = table_name(table, after.default_schema.as_deref());
    let (Some(name), Some(added)) = (name, definition(&open, change.dialect, false)) else {
        return false;
    };
    let constrained = match change.dialect {
        Dialect::Mysql => definition(column, change.dialect, false),
        Dialect::Postgres | Dialect::Sqlite => Some(format!(
            "ColumnDef::new({}).not_null()",
            literal(&column.name)
        )),
    };
    let Some(constrained) = constrained else {
        return false;
    };
    let quote = |part: &str| match change.dialect {
        Dialect::Mysql => format!("`{}`", part.replace('`', "``")),
        Dialect::Postgres | Dialect::Sqlite => format!("\"{}\"", part.replace('"', "\"\"")),
    };
    let quoted_table = match &table.schema {
        Some(schema) => format!("{}.{}", quote(schema), quote(&table.name)),
        None => quote(&table.name),
    };
    let quoted_column = quote(&column.name);
    body.comment("1 of 3: the column takes NULL at first.");
    body.code(&format!(
        "manager.alter_table(Table::alter().table({name}).add_column({added}).to_owned()).await?;"
    ));
    if let Some(fill) = fill {
        body.comment("2 of 3: the rows that are there get a value.");
        body.execute(&format!(
            "UPDATE {quoted_table} SET {quoted_column} = {fill} WHERE {quoted_column} IS NULL"
        ));
    } else {
        body.comment("2 of 3, CHECK: say what the rows that are there get. As long as nothing is said, step 3 fails");
        body.comment(
            "if the table has rows. For example, with `let db = manager.get_connection();`:",
        );
        body.comment(&format!(
            "    db.execute_unprepared({}).await?;",
            literal(&format!(
                "UPDATE {quoted_table} SET {quoted_column} = ... WHERE {quoted_column} IS NULL"
            ))
        ));
    }
    body.comment("3 of 3: the column takes no NULL any more.");
    body.code(&modify(&name, &constrained));
    true
}
