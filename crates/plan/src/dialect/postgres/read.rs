//! From the rows of the catalogue queries to a schema.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::quote;
use super::types::{self, Behind};
use crate::dialect::rows::{CatalogueError, Row, TextRow};
use crate::dialect::{Dialect, postgres::catalogue};
use crate::schema::{
    Attribute, Check, Column, ColumnType, CompositeType, Deferrability, Dependency, Domain,
    EnumType, Exclusion, Extension, ForeignKey, ForeignKeyAction, Function, FunctionKind,
    Generated, Identity, IdentityKind, Index, IndexKey, MatchType, Named, Namespace, ObjectName,
    ObjectRef, Policy, PrimaryKey, RangeType, Schema, Sequence, SequenceOptions, SequenceOwner,
    Server, Table, Trigger, Unique, View, ViewColumn, is_history_table,
};

/// Which server it is, from the rows of [`catalogue::SERVER`].
///
/// # Errors
///
/// When the rows do not have the expected form, or the server is too old.
pub fn read_server(rows: &[TextRow]) -> Result<(Server, u32), CatalogueError> {
    let query = catalogue::SERVER.name;
    let row = rows
        .first()
        .ok_or_else(|| CatalogueError::new(query, "no row"))?;
    let row = Row::new(query, row);
    let number: u32 = row.number(1)?;
    if number < catalogue::OLDEST_VERSION {
        return Err(CatalogueError::new(
            query,
            format!(
                "PostgreSQL {} is too old: 12 or later is needed",
                row.text(0)?
            ),
        ));
    }
    let server = Server {
        product: "PostgreSQL".to_owned(),
        version: row.text(0)?.to_owned(),
        version_number: (number / 10_000, number % 10_000, 0),
    };
    Ok((server, number))
}

/// The schema that the rows of [`catalogue::QUERIES`], in their order, describe.
///
/// # Errors
///
/// When the rows do not have the expected form.
pub fn read(
    server: Server,
    results: &[Vec<TextRow>],
    default_schema: &str,
    history_table: Option<&str>,
) -> Result<Schema, CatalogueError> {
    let mut reader = Reader {
        schema: Schema::empty(Dialect::Postgres, server, Some(default_schema.to_owned())),
        history_table,
        ..Reader::default_parts()
    };
    let parts: [Part<'_>; 12] = [
        Reader::namespace,
        Reader::relation,
        Reader::column,
        Reader::constraint,
        Reader::index,
        Reader::user_type,
        Reader::sequence,
        Reader::trigger_or_policy,
        Reader::function,
        Reader::dependency,
        Reader::not_compared,
        Reader::composite_or_range,
    ];
    // Types and sequences come before what uses them.
    let order = [0, 5, 11, 1, 2, 6, 3, 4, 7, 8, 9, 10];
    for part in order {
        let query = catalogue::QUERIES[part].name;
        let rows = results
            .get(part)
            .ok_or_else(|| CatalogueError::new(query, "no answer"))?;
        for row in rows {
            parts[part](&mut reader, Row::new(query, row))?;
        }
    }
    Ok(reader.finish())
}

/// How the rows of one query are read.
type Part<'a> = fn(&mut Reader<'a>, Row<'_>) -> Result<(), CatalogueError>;

#[derive(Debug)]
struct Reader<'a> {
    schema: Schema,
    history_table: Option<&'a str>,
    /// Tables and views by their number in the catalogue.
    relations: BTreeMap<String, ObjectName>,
    /// Numbers of relations that are left alone.
    ignored: BTreeSet<String>,
    /// Names of columns by relation and position.
    columns: BTreeMap<(String, String), String>,
    types: BTreeMap<String, ObjectName>,
    /// Composite types by the number of what the catalogue has for a relation of each.
    composites: BTreeMap<String, ObjectName>,
    functions: BTreeMap<String, ObjectName>,
    sequences: BTreeMap<String, ObjectName>,
    /// Triggers, policies, constraints and indexes by kind and number.
    parts: BTreeMap<(&'static str, String), ObjectRef>,
    /// Tables and views with privileges of their own.
    granted: usize,
}

impl Reader<'_> {
    fn default_parts() -> Self {
        Self {
            schema: Schema::empty(Dialect::Postgres, Server::default(), None),
            history_table: None,
            relations: BTreeMap::new(),
            ignored: BTreeSet::new(),
            columns: BTreeMap::new(),
            types: BTreeMap::new(),
            composites: BTreeMap::new(),
            functions: BTreeMap::new(),
            sequences: BTreeMap::new(),
            parts: BTreeMap::new(),
            granted: 0,
        }
    }

    fn namespace(&mut self, row: Row<'_>) -> Result<(), CatalogueError> {
        let name = row.text(1)?.to_owned();
        if row.text(0)? == "schema" {
            // The comment that the server itself puts on `public` is nobody's wish.
            let comment = row
                .optional(2)
                .filter(|comment| !(name == "public" && *comment == "standard public schema"));
            let comment = comment.and_then(not_empty);
            self.schema.namespaces.insert(name, Namespace { comment });
        } else {
            let extension = Extension {
                schema: row.text(2)?.to_owned(),
                version: row.text(3)?.to_owned(),
            };
            self.schema.extensions.insert(name, extension);
        }
        Ok(())
    }

    fn relation(&mut self, row: Row<'_>) -> Result<(), CatalogueError> {
        let oid = row.text(0)?.to_owned();
        let name = ObjectName::new(row.text(1)?, row.text(2)?);
        let kind = row.text(3)?;
        let comment = row.optional(11).and_then(not_empty);
        let storage = storage(row.json(7)?);
        if is_history_table(&name.name, self.history_table) {
            self.ignored.insert(oid);
            return Ok(());
        }
        self.relations.insert(oid, name.clone());
        if let Some(row_type) = row.optional(13) {
            self.types.insert(row_type.to_owned(), name.clone());
        }
        if row.flag(12)? {
            self.granted += 1;
        }
        if kind == "v" || kind == "m" {
            let definition = row.text(9)?.trim().trim_end_matches(';').to_owned();
            let view = View {
                name: name.clone(),
                materialized: kind == "m",
                definition,
                columns: Vec::new(),
                options: storage,
                indexes: BTreeMap::new(),
                triggers: BTreeMap::new(),
                comment,
                column_comments: BTreeMap::new(),
            };
            self.schema.views.insert(name, view);
            return Ok(());
        }
        let mut table = Table::new(name.clone());
        table.comment = comment;
        table.options.storage = storage;
        table.options.unlogged = row.text(4)? == "u";
        table.options.row_security = row.flag(5)?;
        table.options.force_row_security = row.flag(6)?;
        table.options.partition_by = row.optional(8).map(ToOwned::to_owned);
        table.options.inherits = pairs(row.json(10)?);
        self.schema.tables.insert(name, table);
        Ok(())
    }

    fn column(&mut self, row: Row<'_>) -> Result<(), CatalogueError> {
        let (relation, position) = (row.text(0)?, row.text(1)?);
        let name = row.text(2)?.to_owned();
        let Some(owner) = self.relations.get(relation).cloned() else {
            return Ok(());
        };
        self.columns
            .insert((relation.to_owned(), position.to_owned()), name.clone());
        let column_type = types::parse(
            row.text(3)?,
            Behind {
                kind: row.text(4)?,
                schema: row.text(5)?,
                name: row.text(6)?,
                is_array: row.flag(7)?,
            },
        );
        let comment = row.optional(14).and_then(not_empty);
        if let Some(view) = self.schema.views.get_mut(&owner) {
            view.columns.push(ViewColumn {
                name: name.clone(),
                column_type: column_type.text,
            });
            if let Some(comment) = comment {
                view.column_comments.insert(name, comment);
            }
            return Ok(());
        }
        let mut column = Column::new(name, column_type);
        column.nullable = !row.flag(8)?;
        column.comment = comment;
        column.collation = row.optional(12).map(ToOwned::to_owned);
        column.inherited = !row.flag(13)?;
        let expression = row.optional(11).map(ToOwned::to_owned);
        match row.optional(10) {
            None | Some("") => {
                column.default = expression.filter(|text| is_something(text, &column.column_type));
            }
            Some(kind) => {
                column.generated = expression.map(|expression| Generated {
                    expression,
                    stored: kind == "s",
                });
            }
        }
        column.identity = match row.optional(9) {
            Some("a") => Some(IdentityKind::Always),
            Some("d") => Some(IdentityKind::ByDefault),
            _ => None,
        }
        .map(|kind| Identity {
            kind,
            sequence: None,
            sequence_name: None,
        });
        if let Some(table) = self.schema.tables.get_mut(&owner) {
            table.columns.push(column);
        }
        Ok(())
    }

    fn sequence(&mut self, row: Row<'_>) -> Result<(), CatalogueError> {
        let name = ObjectName::new(row.text(1)?, row.text(2)?);
        let options = SequenceOptions {
            data_type: row.text(3)?.to_owned(),
            start: row.number(4)?,
            increment: row.number(5)?,
            min: row.number(6)?,
            max: row.number(7)?,
            cache: row.number(8)?,
            cycle: row.flag(9)?,
        };
        let owner = row.optional(10).zip(row.optional(11));
        let mut owned_by = None;
        if let Some((relation, position)) = owner {
            if self.ignored.contains(relation) {
                return Ok(());
            }
            let key = (relation.to_owned(), position.to_owned());
            let (Some(table), Some(column)) =
                (self.relations.get(relation), self.columns.get(&key))
            else {
                // The sequence of a partition or temporary table.
                return Ok(());
            };
            let found = self
                .schema
                .tables
                .get_mut(table)
                .and_then(|table| table.column_mut(column));
            if let Some(found) = found {
                if let Some(identity) = &mut found.identity {
                    identity.sequence = Some(options);
                    identity.sequence_name = Some(name.name);
                    return Ok(());
                }
                let quoted = quote::text(&quote::object(&name));
                let next = format!("nextval({quoted}::regclass)");
                if found.default.as_deref() == Some(next.as_str()) && name.schema == table.schema {
                    found.default = None;
                    found.identity = Some(Identity {
                        kind: IdentityKind::Serial,
                        sequence: Some(options),
                        sequence_name: Some(name.name),
                    });
                    return Ok(());
                }
            }
            owned_by = Some(SequenceOwner {
                table: table.clone(),
                column: column.clone(),
            });
        }
        self.sequences.insert(row.text(0)?.to_owned(), name.clone());
        let sequence = Sequence {
            name: name.clone(),
            options,
            owned_by,
            comment: row.optional(13).and_then(not_empty),
        };
        self.schema.sequences.insert(name, sequence);
        Ok(())
    }

    fn constraint(&mut self, row: Row<'_>) -> Result<(), CatalogueError> {
        let oid = row.text(0)?.to_owned();
        let (relation, domain) = (row.text(1)?.to_owned(), row.text(2)?.to_owned());
        let name = row.text(3)?.to_owned();
        let comment = row.optional(22).and_then(not_empty);
        if relation == "0" {
            if let Some(domain) = self.types.get(&domain)
                && let Some(domain) = self.schema.domains.get_mut(domain)
            {
                domain.checks.push(Check {
                    expression: row.text(17)?.to_owned(),
                    name: Some(name),
                    validated: row.flag(14)?,
                    no_inherit: false,
                    columns: Vec::new(),
                    comment,
                });
            }
            return Ok(());
        }
        let Some(table_name) = self.relations.get(&relation).cloned() else {
            return Ok(());
        };
        self.parts.insert(
            ("constraint", oid),
            ObjectRef::Constraint {
                table: table_name.clone(),
                name: name.clone(),
            },
        );
        // A constraint that came down from a parent table is the parent's.
        if !row.flag(16)? {
            return Ok(());
        }
        let columns = self.column_names(&relation, row.json(5)?);
        let deferrability = match (row.flag(12)?, row.flag(13)?) {
            (false, _) => Deferrability::NotDeferrable,
            (true, false) => Deferrability::InitiallyImmediate,
            (true, true) => Deferrability::InitiallyDeferred,
        };
        let (keys, include) = match row.json(19)? {
            Some(Value::Array(all)) => {
                let keys: usize = row.number(20)?;
                let (keys, include) = all.split_at(keys.min(all.len()));
                (
                    self.column_names(&relation, Some(Value::Array(keys.to_vec()))),
                    self.column_names(&relation, Some(Value::Array(include.to_vec()))),
                )
            }
            _ => (columns.clone(), Vec::new()),
        };
        let set_columns = self.column_names(&relation, row.json(18)?);
        let Some(table) = self.schema.tables.get_mut(&table_name) else {
            return Ok(());
        };
        match row.text(4)? {
            "p" => {
                table.primary_key = Some(PrimaryKey {
                    name: Some(name),
                    columns: keys,
                    prefix_lengths: Vec::new(),
                    include,
                    deferrability,
                    on_conflict: None,
                    comment,
                });
            }
            "u" => table.uniques.push(Unique {
                columns: keys,
                name: Some(name),
                nulls_not_distinct: row.optional(21) == Some("t"),
                include,
                deferrability,
                on_conflict: None,
                comment,
            }),
            "c" => table.checks.push(Check {
                expression: row.text(17)?.to_owned(),
                name: Some(name),
                validated: row.flag(14)?,
                no_inherit: row.flag(15)?,
                columns,
                comment,
            }),
            "x" => table.exclusions.push(Exclusion {
                name,
                definition: row.text(17)?.to_owned(),
                columns,
                comment,
            }),
            "f" => table.foreign_keys.push(ForeignKey {
                columns,
                ref_table: ObjectName::new(row.text(6)?, row.text(7)?),
                ref_columns: strings(row.json(8)?),
                name: Some(name),
                on_delete: action(row.text(10)?),
                on_delete_columns: set_columns,
                on_update: action(row.text(9)?),
                match_type: if row.text(11)? == "f" {
                    MatchType::Full
                } else {
                    MatchType::Simple
                },
                deferrability,
                validated: row.flag(14)?,
                own_index: None,
                comment,
            }),
            _ => {}
        }
        Ok(())
    }

    fn index(&mut self, row: Row<'_>) -> Result<(), CatalogueError> {
        let relation = row.text(1)?.to_owned();
        let Some(owner) = self.relations.get(&relation).cloned() else {
            return Ok(());
        };
        let name = row.text(2)?.to_owned();
        self.parts.insert(
            ("index", row.text(0)?.to_owned()),
            ObjectRef::Index {
                table: owner.clone(),
                name: name.clone(),
            },
        );
        let key_count: usize = row.number(9)?;
        let mut keys = Vec::new();
        let mut include = Vec::new();
        let mut key_columns = BTreeSet::new();
        if let Some(Value::Array(list)) = row.json(10)? {
            for (position, item) in list.iter().enumerate() {
                let column = item
                    .get(0)
                    .map(Value::to_string)
                    .and_then(|number| self.columns.get(&(relation.clone(), number)))
                    .cloned();
                if position >= key_count {
                    include.extend(column);
                    continue;
                }
                key_columns.extend(column.clone());
                keys.push(index_key(item, column));
            }
        }
        let expression_columns = self
            .column_names(&relation, row.json(12)?)
            .into_iter()
            .filter(|column| !key_columns.contains(column) && !include.contains(column))
            .collect();
        let index = Index {
            name: name.clone(),
            unique: row.flag(3)?,
            method: row.text(4)?.to_owned(),
            keys,
            include,
            predicate: row.optional(8).map(ToOwned::to_owned),
            nulls_not_distinct: row.optional(6) == Some("t"),
            valid: row.flag(5)?,
            invisible: false,
            options: storage(row.json(7)?),
            expression_columns,
            comment: row.optional(11).and_then(not_empty),
        };
        if let Some(table) = self.schema.tables.get_mut(&owner) {
            table.indexes.insert(name, index);
        } else if let Some(view) = self.schema.views.get_mut(&owner) {
            view.indexes.insert(name, index);
        }
        Ok(())
    }

    fn user_type(&mut self, row: Row<'_>) -> Result<(), CatalogueError> {
        let name = ObjectName::new(row.text(1)?, row.text(2)?);
        self.types.insert(row.text(0)?.to_owned(), name.clone());
        if let Some(array) = row.optional(14) {
            self.types.insert(array.to_owned(), name.clone());
        }
        let comment = row.optional(13).and_then(not_empty);
        if row.text(3)? == "e" {
            let values = strings(row.json(4)?);
            let enum_type = EnumType {
                name: name.clone(),
                values,
                comment,
            };
            self.schema.enums.insert(name, enum_type);
            return Ok(());
        }
        let base_type = types::parse(
            row.text(5)?,
            Behind {
                kind: row.text(6)?,
                schema: row.text(7)?,
                name: row.text(8)?,
                is_array: row.flag(9)?,
            },
        );
        let default = row
            .optional(11)
            .filter(|text| is_something(text, &base_type))
            .map(ToOwned::to_owned);
        let domain = Domain {
            name: name.clone(),
            base_type,
            nullable: !row.flag(10)?,
            default,
            collation: row.optional(12).map(ToOwned::to_owned),
            checks: Vec::new(),
            comment,
        };
        self.schema.domains.insert(name, domain);
        Ok(())
    }

    fn composite_or_range(&mut self, row: Row<'_>) -> Result<(), CatalogueError> {
        let name = ObjectName::new(row.text(3)?, row.text(4)?);
        // The type, arrays of it, its multirange type and arrays of that.
        for number in [1, 2, 12, 13] {
            if let Some(oid) = row.optional(number) {
                self.types.insert(oid.to_owned(), name.clone());
            }
        }
        let comment = row.optional(5).and_then(not_empty);
        let mut attributes = attributes(row.json(7)?);
        if row.text(0)? == "c" {
            let relation = row.text(6)?;
            for (position, name) in positions(row.json(7)?) {
                self.columns.insert((relation.to_owned(), position), name);
            }
            self.composites.insert(relation.to_owned(), name.clone());
            let composite = CompositeType {
                name: name.clone(),
                attributes,
                comment,
            };
            self.schema.composites.insert(name, composite);
            return Ok(());
        }
        let Some(bound) = attributes.pop() else {
            return Err(CatalogueError::new(
                "composite and range types",
                format!("{name} has no subtype"),
            ));
        };
        let multirange = match (row.optional(10), row.optional(11)) {
            (Some(schema), Some(name)) => Some(ObjectName::new(schema, name)),
            _ => None,
        };
        let range = RangeType {
            name: name.clone(),
            subtype: bound.attribute_type,
            operator_class: row.optional(8).map(ToOwned::to_owned),
            collation: bound.collation,
            difference: row.optional(9).map(ToOwned::to_owned),
            multirange,
            comment,
        };
        self.schema.ranges.insert(name, range);
        Ok(())
    }

    fn trigger_or_policy(&mut self, row: Row<'_>) -> Result<(), CatalogueError> {
        let Some(owner) = self.relations.get(row.text(2)?).cloned() else {
            return Ok(());
        };
        let oid = row.text(1)?.to_owned();
        let name = row.text(3)?.to_owned();
        let comment = row.optional(9).and_then(not_empty);
        if row.text(0)? == "trigger" {
            self.parts.insert(
                ("trigger", oid),
                ObjectRef::Trigger {
                    table: owner.clone(),
                    name: name.clone(),
                },
            );
            let firing = match row.text(4)? {
                "D" => Some("disabled"),
                "R" => Some("replica"),
                "A" => Some("always"),
                _ => None,
            };
            let trigger = Trigger {
                name: name.clone(),
                definition: row.text(5)?.to_owned(),
                firing: firing.map(ToOwned::to_owned),
                comment,
            };
            if let Some(table) = self.schema.tables.get_mut(&owner) {
                table.triggers.insert(name, trigger);
            } else if let Some(view) = self.schema.views.get_mut(&owner) {
                view.triggers.insert(name, trigger);
            }
            return Ok(());
        }
        self.parts.insert(
            ("policy", oid),
            ObjectRef::Policy {
                table: owner.clone(),
                name: name.clone(),
            },
        );
        let command = match row.text(4)? {
            "r" => "SELECT",
            "a" => "INSERT",
            "w" => "UPDATE",
            "d" => "DELETE",
            _ => "ALL",
        };
        let roles = row.optional(6).unwrap_or("[]");
        let roles = serde_json::from_str(roles)
            .map_err(|error| CatalogueError::new("triggers and policies", error.to_string()))?;
        let policy = Policy {
            name: name.clone(),
            permissive: row.text(5)? == "true",
            command: command.to_owned(),
            roles: strings(Some(roles)),
            using: row.optional(7).map(ToOwned::to_owned),
            check: row.optional(8).map(ToOwned::to_owned),
            comment,
        };
        if let Some(table) = self.schema.tables.get_mut(&owner) {
            table.policies.insert(name, policy);
        }
        Ok(())
    }

    fn function(&mut self, row: Row<'_>) -> Result<(), CatalogueError> {
        let kind = if row.text(6)? == "p" {
            FunctionKind::Procedure
        } else {
            FunctionKind::Function
        };
        let function = Function {
            name: ObjectName::new(row.text(1)?, row.text(2)?),
            arguments: row.optional(3).unwrap_or_default().to_owned(),
            overloaded: true,
            kind,
            parameters: row.optional(4).unwrap_or_default().to_owned(),
            returns: row.optional(5).map(ToOwned::to_owned),
            definition: row.text(7)?.trim_end().to_owned(),
            comment: row.optional(8).and_then(not_empty),
        };
        let key = function.key();
        self.functions.insert(row.text(0)?.to_owned(), key.clone());
        self.schema.functions.insert(key, function);
        Ok(())
    }

    fn dependency(&mut self, row: Row<'_>) -> Result<(), CatalogueError> {
        let dependent = self.reference(row.text(0)?, row.text(1)?, row.text(2)?);
        let needs = self.reference(row.text(3)?, row.text(4)?, row.text(5)?);
        let (Some(dependent), Some(needs)) = (dependent, needs) else {
            return Ok(());
        };
        // What belongs to itself, or is a table's own type.
        let is_own = match (&dependent, &needs) {
            (ObjectRef::Column { table, .. }, ObjectRef::Table { name }) => table == name,
            (ObjectRef::Table { .. }, ObjectRef::Type { .. }) => true,
            (dependent, needs) => dependent == needs,
        };
        // Whoever needs an attribute needs its type.
        if let ObjectRef::Column { table, .. } = &needs
            && self.schema.composites.contains_key(table)
        {
            self.schema.dependencies.insert(Dependency {
                dependent: dependent.clone(),
                needs: ObjectRef::Type {
                    name: table.clone(),
                },
            });
        }
        if !is_own {
            self.schema
                .dependencies
                .insert(Dependency { dependent, needs });
        }
        Ok(())
    }

    /// What a row of the dependencies points to, if it is something that is read.
    fn reference(&self, class: &str, oid: &str, position: &str) -> Option<ObjectRef> {
        match class {
            "pg_class" | "pg_rewrite" | "pg_attrdef" => {
                if let Some(name) = self.composites.get(oid).cloned() {
                    let attribute = self.columns.get(&(oid.to_owned(), position.to_owned()));
                    return Some(match attribute.cloned() {
                        Some(column) => ObjectRef::Column {
                            table: name,
                            column,
                        },
                        None => ObjectRef::Type { name },
                    });
                }
                if let Some(name) = self.sequences.get(oid) {
                    return Some(ObjectRef::Sequence { name: name.clone() });
                }
                if let Some(index) = self.parts.get(&("index", oid.to_owned())) {
                    return Some(index.clone());
                }
                let name = self.relations.get(oid)?.clone();
                if self.schema.views.contains_key(&name) {
                    return Some(ObjectRef::View { name });
                }
                if position == "0" {
                    return Some(ObjectRef::Table { name });
                }
                let column = self
                    .columns
                    .get(&(oid.to_owned(), position.to_owned()))?
                    .clone();
                Some(ObjectRef::Column {
                    table: name,
                    column,
                })
            }
            "pg_constraint" => self.parts.get(&("constraint", oid.to_owned())).cloned(),
            "pg_trigger" => self.parts.get(&("trigger", oid.to_owned())).cloned(),
            "pg_policy" => self.parts.get(&("policy", oid.to_owned())).cloned(),
            // The row has its name.
            "extension" => Some(ObjectRef::Extension {
                name: oid.to_owned(),
            }),
            "pg_proc" => {
                let name = self.functions.get(oid)?.clone();
                Some(ObjectRef::Function { name })
            }
            "pg_type" => {
                let name = self.types.get(oid)?.clone();
                if self.schema.tables.contains_key(&name) {
                    Some(ObjectRef::Table { name })
                } else if self.schema.views.contains_key(&name) {
                    Some(ObjectRef::View { name })
                } else {
                    Some(ObjectRef::Type { name })
                }
            }
            _ => None,
        }
    }

    fn not_compared(&mut self, row: Row<'_>) -> Result<(), CatalogueError> {
        let kind = row.text(0)?;
        let name = match row.optional(1) {
            Some(schema) => {
                let name = ObjectName::new(schema, row.text(2)?);
                let short = self.schema.short_name(&name);
                if kind == "collation" {
                    self.schema.other_collations.insert(quote::object(&name));
                }
                if kind.ends_with(" type") {
                    self.schema.other_types.insert(name);
                }
                short
            }
            None => row.text(2)?.to_owned(),
        };
        let entry = if kind == "partitions" {
            match row.text(3)? {
                "1" => format!("1 partition of {name}"),
                several => format!("{several} partitions of {name}"),
            }
        } else {
            format!("{kind} {name}")
        };
        self.schema.not_compared.push(entry);
        Ok(())
    }

    fn column_names(&self, relation: &str, numbers: Option<Value>) -> Vec<String> {
        let Some(Value::Array(numbers)) = numbers else {
            return Vec::new();
        };
        numbers
            .iter()
            .filter_map(|number| {
                self.columns
                    .get(&(relation.to_owned(), number.to_string()))
                    .cloned()
            })
            .collect()
    }

    fn finish(mut self) -> Schema {
        for table in self.schema.tables.values_mut() {
            table.sort();
        }
        for domain in self.schema.domains.values_mut() {
            domain.checks.sort();
        }
        if self.granted > 0 {
            self.schema.not_compared.push(match self.granted {
                1 => "privileges, which 1 table or view has".to_owned(),
                several => format!("privileges, which {several} tables and views have"),
            });
        }
        self.schema
    }
}

/// One key of an index from its JSON form.
fn index_key(item: &Value, column: Option<String>) -> IndexKey {
    let text = |at: usize| item.get(at).and_then(Value::as_str).map(ToOwned::to_owned);
    let options = item.get(2).and_then(Value::as_i64).unwrap_or(0);
    let (descending, nulls_first) = (options & 1 != 0, options & 2 != 0);
    let operator_class = text(3).map(|class| match text(4) {
        Some(parameters) => format!("{class} ({parameters})"),
        None => class,
    });
    IndexKey {
        expression: if column.is_none() { text(1) } else { None },
        column,
        descending,
        nulls_first: (nulls_first != descending).then_some(nulls_first),
        operator_class,
        collation: text(5),
        prefix_length: None,
    }
}

/// Attributes from their JSON form.
fn attributes(list: Option<Value>) -> Vec<Attribute> {
    let Some(Value::Array(list)) = list else {
        return Vec::new();
    };
    let attributes = list.iter().map(|item| {
        let text = |at: usize| item.get(at).and_then(Value::as_str);
        let behind = Behind {
            kind: text(2).unwrap_or_default(),
            schema: text(3).unwrap_or_default(),
            name: text(4).unwrap_or_default(),
            is_array: item.get(5).and_then(Value::as_bool).unwrap_or_default(),
        };
        Attribute {
            name: text(0).unwrap_or_default().to_owned(),
            attribute_type: types::parse(text(1).unwrap_or_default(), behind),
            collation: text(6).map(ToOwned::to_owned),
            comment: text(7).and_then(not_empty),
        }
    });
    attributes.collect()
}

/// The names of attributes by their number, from their JSON form.
fn positions(list: Option<Value>) -> Vec<(String, String)> {
    let Some(Value::Array(list)) = list else {
        return Vec::new();
    };
    let positions = list.iter().filter_map(|item| {
        let position = item.get(8)?.as_i64()?;
        Some((position.to_string(), item.get(0)?.as_str()?.to_owned()))
    });
    positions.collect()
}

/// Whether a default is one: `NULL` and `NULL::text` are none.
fn is_something(default: &str, column_type: &ColumnType) -> bool {
    super::normalise::default(default, column_type).is_some()
}

fn not_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn action(code: &str) -> ForeignKeyAction {
    match code {
        "r" => ForeignKeyAction::Restrict,
        "c" => ForeignKeyAction::Cascade,
        "n" => ForeignKeyAction::SetNull,
        "d" => ForeignKeyAction::SetDefault,
        _ => ForeignKeyAction::NoAction,
    }
}

/// `["fillfactor=70"]` as a map.
fn storage(options: Option<Value>) -> BTreeMap<String, String> {
    strings(options)
        .into_iter()
        .map(|option| match option.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => (option, String::new()),
        })
        .collect()
}

fn strings(list: Option<Value>) -> Vec<String> {
    let Some(Value::Array(list)) = list else {
        return Vec::new();
    };
    list.into_iter()
        .filter_map(|item| item.as_str().map(ToOwned::to_owned))
        .collect()
}

fn pairs(list: Option<Value>) -> Vec<ObjectName> {
    let Some(Value::Array(list)) = list else {
        return Vec::new();
    };
    list.iter()
        .filter_map(|item| {
            let schema = item.get(0)?.as_str()?;
            Some(ObjectName::new(schema, item.get(1)?.as_str()?))
        })
        .collect()
}
