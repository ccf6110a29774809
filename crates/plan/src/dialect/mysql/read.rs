//! From the rows of the catalogue to a schema.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::dialect::Dialect;
use crate::dialect::rows::TextRow;
use crate::dialect::tokens::significant;
use crate::schema::{
    Check, Column, Deferrability, Dependency, ForeignKey, ForeignKeyAction, Function, FunctionKind,
    Generated, Identity, IdentityKind, Index, IndexKey, MatchType, Named, ObjectName, ObjectRef,
    PrimaryKey, Schema, Server, Table, Trigger, Unique, View, ViewColumn,
};
use crate::sql::lexer::TokenKind;

use super::catalogue::{self, Answers, is_mariadb};
use super::write::{option_words, quoted, string};
use super::{canonical, types};

/// A schema from the answers. Tables for which `is_ignored` holds are left out.
pub fn read(answers: &Answers, is_ignored: impl Fn(&str) -> bool) -> Schema {
    let server = catalogue::server(&answers.server);
    let defaults = Defaults::of(&answers.server);
    let mut schema = Schema::empty(Dialect::Mysql, server, None);
    let mut reader = Reader {
        schema: &mut schema,
        defaults: &defaults,
    };
    reader.tables(&answers.tables, is_ignored);
    reader.columns(&answers.columns);
    reader.checks(&answers.checks, &answers.check_owners);
    reader.keys(&answers.indexes);
    reader.foreign_keys(&answers.key_columns, &answers.foreign_keys);
    reader.partitions(&answers.partitions);
    reader.views(&answers.views);
    reader.triggers(&answers.triggers);
    reader.routines(&answers.routines, &answers.parameters);
    reader.finish(&answers.events);
    schema.not_compared.extend(answers.doubtful.iter().cloned());
    schema
}

/// What a new table gets when nothing is said.
struct Defaults {
    database: String,
    engine: String,
    charset: String,
    collation: String,
}

impl Defaults {
    fn of(answer: &[TextRow]) -> Self {
        let row = answer.first().map_or(&[][..], Vec::as_slice);
        Self {
            database: text(row, 1),
            engine: text(row, 2),
            charset: text(row, 3),
            collation: text(row, 4),
        }
    }
}

struct Reader<'a> {
    schema: &'a mut Schema,
    defaults: &'a Defaults,
}

impl Reader<'_> {
    fn server(&self) -> &Server {
        &self.schema.server
    }

    fn table(&mut self, name: &str) -> Option<&mut Table> {
        self.schema.tables.get_mut(&ObjectName::bare(name))
    }

    fn tables(&mut self, rows: &[TextRow], is_ignored: impl Fn(&str) -> bool) {
        for row in rows {
            let name = text(row, 0);
            match text(row, 1).as_str() {
                "BASE TABLE" | "SYSTEM VERSIONED" if is_ignored(&name) => continue,
                "BASE TABLE" => {}
                "SYSTEM VERSIONED" => {
                    let versioning = format!(
                        "system versioning of table {name} (the server takes changes of the table \
                         while system_versioning_alter_history is KEEP)"
                    );
                    self.schema.not_compared.push(versioning);
                }
                "VIEW" => {
                    let view = empty_view(&name);
                    self.schema.views.insert(view.name.clone(), view);
                    continue;
                }
                kind => {
                    let object = format!("{} {name}", kind.to_lowercase());
                    self.schema.not_compared.push(object);
                    continue;
                }
            }
            let mut table = Table::new(ObjectName::bare(name));
            let engine = text(row, 2);
            if !engine.eq_ignore_ascii_case(&self.defaults.engine) {
                table.options.engine = some(engine);
            }
            let collation = text(row, 3);
            if collation != self.defaults.collation {
                // The name of a collation begins with that of its character set.
                let charset = collation.split('_').next().unwrap_or_default().to_owned();
                table.options.charset = some(charset);
                table.options.collation = some(collation);
            }
            let (options, places) = create_options(&text(row, 4));
            self.schema.not_compared.extend(
                places
                    .iter()
                    .map(|place| format!("{place} of table {}", table.name.name)),
            );
            table.options.create_options = some(options);
            table.comment = some(text(row, 5));
            self.schema.tables.insert(table.name.clone(), table);
        }
    }

    fn columns(&mut self, rows: &[TextRow]) {
        let mariadb = is_mariadb(self.server());
        for row in rows {
            let table_name = ObjectName::bare(text(row, 0));
            let column_type = types::parse(&text(row, 2));
            if let Some(view) = self.schema.views.get_mut(&table_name) {
                view.columns.push(ViewColumn {
                    name: text(row, 1),
                    column_type: column_type.text,
                });
                continue;
            }
            let defaults = self.defaults;
            let Some(table) = self.schema.tables.get_mut(&table_name) else {
                continue;
            };
            // The system's times of a row come with the versioning, which takes no part.
            if matches!(
                text(row, 6).to_ascii_uppercase().as_str(),
                "ROW START" | "ROW END"
            ) {
                continue;
            }
            let mut column = Column::new(text(row, 1), column_type);
            let extra = Extra::parse(&text(row, 5));
            column.nullable = text(row, 3) == "YES";
            column.on_update = extra.on_update;
            column.invisible = extra.invisible;
            if extra.auto_increment {
                column.identity = Some(Identity {
                    kind: IdentityKind::AutoIncrement,
                    sequence: None,
                    sequence_name: None,
                });
            }
            if let Some(stored) = extra.generated {
                column.generated = Some(Generated {
                    expression: catalogue_expression(&text(row, 6), mariadb),
                    stored,
                });
            } else {
                let default = row.get(4).cloned().flatten();
                column.default = default
                    .map(|default| {
                        if mariadb {
                            default
                        } else {
                            mysql_default(&default, &column, extra.default_generated)
                        }
                    })
                    .filter(|default| !default.eq_ignore_ascii_case("null"));
            }
            let table_charset = table.options.charset.as_ref().unwrap_or(&defaults.charset);
            let table_collation = table
                .options
                .collation
                .as_ref()
                .unwrap_or(&defaults.collation);
            let (charset, collation) = (text(row, 7), text(row, 8));
            if !charset.is_empty() && charset != *table_charset {
                column.charset = Some(charset);
                column.collation = some(collation);
            } else if !collation.is_empty() && collation != *table_collation {
                column.collation = Some(collation);
            }
            column.comment = some(text(row, 9));
            table.columns.push(column);
        }
    }

    fn checks(&mut self, rows: &[TextRow], owners: &[TextRow]) {
        let mariadb = is_mariadb(self.server());
        let owners: BTreeMap<String, (String, bool)> = owners
            .iter()
            .map(|row| (text(row, 1), (text(row, 0), text(row, 2) != "NO")))
            .collect();
        for row in rows {
            let name = text(row, 1);
            let (owner, enforced) = match owners.get(&name) {
                Some((owner, enforced)) => (owner.clone(), *enforced),
                None => (text(row, 0), true),
            };
            let expression = catalogue_expression(&text(row, 2), mariadb);
            let belongs_to_column = text(row, 3) == "Column";
            let Some(table) = self.table(&owner) else {
                continue;
            };
            let mentioned = mentioned_names(&expression);
            let columns = table.columns.iter().map(|column| &column.name);
            let columns: Vec<String> = columns
                .filter(|column| mentioned.contains(&column.to_lowercase()))
                .cloned()
                .collect();
            // A check that is written with its column has the column's name, and keeps it when the
            // column is renamed.
            let column = match columns.as_slice() {
                [only] => only.clone(),
                _ => name.clone(),
            };
            if belongs_to_column && is_json_noise(table, &column, &expression) {
                continue;
            }
            table.checks.push(Check {
                expression,
                // MariaDB keeps a check that is written with its column there, without a name.
                columns: if belongs_to_column {
                    vec![column]
                } else {
                    columns
                },
                name: (!belongs_to_column).then_some(name),
                validated: enforced,
                no_inherit: false,
                comment: None,
            });
        }
    }

    fn keys(&mut self, rows: &[TextRow]) {
        let mariadb = is_mariadb(self.server());
        let mut indexes: BTreeMap<(String, String), Index> = BTreeMap::new();
        for row in rows {
            let (table, name) = (text(row, 0), text(row, 1));
            let method = match text(row, 6).to_ascii_lowercase().as_str() {
                "rtree" => "spatial".to_owned(),
                other => other.to_owned(),
            };
            let has_prefixes = !matches!(method.as_str(), "fulltext" | "spatial");
            let index = indexes
                .entry((table, name.clone()))
                .or_insert_with(|| Index {
                    name,
                    unique: text(row, 2) == "0",
                    method,
                    keys: Vec::new(),
                    include: Vec::new(),
                    predicate: None,
                    nulls_not_distinct: false,
                    valid: true,
                    invisible: text(row, 9) == "YES",
                    options: BTreeMap::new(),
                    expression_columns: Vec::new(),
                    comment: some(text(row, 7)),
                });
            let expression = row.get(8).cloned().flatten();
            index.keys.push(IndexKey {
                column: row.get(3).cloned().flatten(),
                expression: expression.map(|e| catalogue_expression(&e, mariadb)),
                descending: text(row, 4) == "D",
                prefix_length: text(row, 5).parse().ok().filter(|_| has_prefixes),
                ..IndexKey::default()
            });
        }
        for ((table, name), mut index) in indexes {
            let Some(table) = self.table(&table) else {
                continue;
            };
            if name == "PRIMARY" {
                table.primary_key = Some(primary_key(&index));
                continue;
            }
            let mentioned: BTreeSet<String> = index
                .keys
                .iter()
                .filter_map(|key| key.expression.as_deref())
                .flat_map(mentioned_names)
                .collect();
            let columns = table.columns.iter().map(|column| column.name.clone());
            index.expression_columns = columns
                .filter(|column| mentioned.contains(&column.to_lowercase()))
                .collect();
            match index.plain_columns() {
                Some(columns)
                    if index.unique
                        && matches!(index.method.as_str(), "btree" | "hash")
                        && !index.invisible =>
                {
                    let columns = columns.into_iter().map(ToOwned::to_owned).collect();
                    table.uniques.push(Unique {
                        columns,
                        name: Some(index.name),
                        comment: index.comment,
                        ..Unique::default()
                    });
                }
                _ => {
                    table.indexes.insert(index.name.clone(), index);
                }
            }
        }
    }

    fn foreign_keys(&mut self, key_columns: &[TextRow], rules: &[TextRow]) {
        let rules: BTreeMap<(String, String), (ForeignKeyAction, ForeignKeyAction)> = rules
            .iter()
            .map(|row| {
                let actions = (action(&text(row, 2)), action(&text(row, 3)));
                ((text(row, 0), text(row, 1)), actions)
            })
            .collect();
        let mut found: BTreeMap<(String, String), ForeignKey> = BTreeMap::new();
        for row in key_columns {
            let key = (text(row, 0), text(row, 1));
            let (on_delete, on_update) = rules.get(&key).copied().unwrap_or_default();
            let foreign_key = found.entry(key).or_insert_with(|| ForeignKey {
                columns: Vec::new(),
                ref_table: ObjectName {
                    schema: row.get(3).cloned().flatten(),
                    name: text(row, 4),
                },
                ref_columns: Vec::new(),
                name: Some(text(row, 1)),
                on_delete,
                on_delete_columns: Vec::new(),
                on_update,
                match_type: MatchType::Simple,
                deferrability: Deferrability::NotDeferrable,
                validated: true,
                own_index: None,
                comment: None,
            });
            foreign_key.columns.push(text(row, 2));
            foreign_key.ref_columns.push(text(row, 5));
        }
        for ((table, _), mut foreign_key) in found {
            if let Some(table) = self.table(&table) {
                foreign_key.own_index = take_own_index(table, &foreign_key);
                table.foreign_keys.push(foreign_key);
            }
        }
    }

    fn partitions(&mut self, rows: &[TextRow]) {
        let mut tables: BTreeMap<String, Vec<&TextRow>> = BTreeMap::new();
        for row in rows {
            tables.entry(text(row, 0)).or_default().push(row);
        }
        for (name, rows) in tables {
            if let Some(table) = self.table(&name) {
                table.options.partition_by = Some(partitioning(&rows));
            }
        }
    }

    fn views(&mut self, rows: &[TextRow]) {
        for row in rows {
            let name = text(row, 0);
            let definition = text(row, 1);
            let database = &self.defaults.database;
            let Some(view) = self.schema.views.get_mut(&ObjectName::bare(&name)) else {
                continue;
            };
            if definition.is_empty() {
                self.schema.views.remove(&ObjectName::bare(&name));
                self.schema.not_compared.push(format!(
                    "view {name}: its query is shown to those with the right SHOW VIEW only"
                ));
                continue;
            }
            view.definition = canonical::without_database(&definition, database);
            let mut option = |key: &str, value: String, usual: &[&str]| {
                if !value.is_empty() && !usual.contains(&value.as_str()) {
                    view.options.insert(key.to_owned(), value);
                }
            };
            option("check_option", text(row, 2), &["NONE"]);
            option("security", text(row, 3), &["DEFINER"]);
            option("algorithm", text(row, 4), &["UNDEFINED"]);
        }
    }

    fn triggers(&mut self, rows: &[TextRow]) {
        let mut previous: Option<(String, String)> = None;
        for row in rows {
            let (name, owner) = (text(row, 0), text(row, 1));
            let moment = format!("{} {}", text(row, 2), text(row, 3));
            let place = format!("{owner} {moment}");
            let follows = match &previous {
                Some((other_place, other)) if *other_place == place => {
                    format!(" FOLLOWS {}", quoted(other))
                }
                _ => String::new(),
            };
            let definition = format!(
                "CREATE TRIGGER {} {moment} ON {} FOR EACH ROW{follows} {}",
                quoted(&name),
                quoted(&owner),
                text(row, 4)
            );
            previous = Some((place, name.clone()));
            if let Some(table) = self.table(&owner) {
                let trigger = Trigger {
                    name: name.clone(),
                    definition,
                    firing: None,
                    comment: None,
                };
                table.triggers.insert(name, trigger);
            }
        }
    }

    fn routines(&mut self, rows: &[TextRow], parameters: &[TextRow]) {
        let mut signatures: BTreeMap<(String, String), Vec<&TextRow>> = BTreeMap::new();
        for row in parameters {
            let key = (text(row, 0), text(row, 1));
            signatures.entry(key).or_default().push(row);
        }
        for row in rows {
            let (name, kind) = (text(row, 0), text(row, 1));
            let lower = kind.to_lowercase();
            if !matches!(lower.as_str(), "function" | "procedure") {
                self.schema.not_compared.push(format!("{lower} {name}"));
                continue;
            }
            if row.get(3).is_none_or(Option::is_none) {
                self.schema.not_compared.push(format!(
                    "{lower} {name}: its body is shown to its owner and those with the right to \
                     see it only"
                ));
                continue;
            }
            let key = (text(row, 8), kind);
            let parameters = signatures.get(&key).map_or(&[][..], Vec::as_slice);
            let function = routine(row, parameters);
            self.schema.functions.insert(function.key(), function);
        }
    }

    fn finish(&mut self, events: &[TextRow]) {
        for row in events {
            self.schema
                .not_compared
                .push(format!("event {}", text(row, 0)));
        }
        for table in self.schema.tables.values_mut() {
            table.sort();
        }
        self.schema.dependencies = view_dependencies(self.schema);
    }
}

/// The options of a table, and what of them says where its files are, which is no part of a schema.
fn create_options(listed: &str) -> (String, Vec<&'static str>) {
    let mut options = Vec::new();
    let mut places = Vec::new();
    let mut words = option_words(listed).into_iter().peekable();
    while let Some(word) = words.next() {
        let of_directory = |next: &&str| next.to_ascii_uppercase().starts_with("DIRECTORY=");
        match word.to_ascii_uppercase().as_str() {
            "PARTITIONED" => {}
            "DATA" if words.next_if(of_directory).is_some() => places.push("data directory"),
            "INDEX" if words.next_if(of_directory).is_some() => places.push("index directory"),
            _ => options.push(word),
        }
    }
    // The server lists them in the order in which they were given.
    options.sort_unstable();
    (options.join(" "), places)
}

/// What `EXTRA` says about a column.
#[derive(Debug, Default)]
struct Extra {
    auto_increment: bool,
    generated: Option<bool>,
    default_generated: bool,
    invisible: bool,
    on_update: Option<String>,
}

impl Extra {
    fn parse(text: &str) -> Self {
        let lower = text.to_ascii_lowercase();
        let generated = if lower.contains("stored generated") || lower.contains("persistent") {
            Some(true)
        } else if lower.contains("virtual") {
            Some(false)
        } else {
            None
        };
        // It stands at the end, but for INVISIBLE.
        let on_update = lower.find("on update ").map(|at| {
            let rest = &lower[at + "on update ".len()..];
            let rest = rest.split(" invisible").next().unwrap_or(rest);
            rest.trim().trim_end_matches(',').to_owned()
        });
        Self {
            auto_increment: lower.contains("auto_increment"),
            generated,
            default_generated: lower.contains("default_generated"),
            invisible: lower.contains("invisible"),
            on_update,
        }
    }
}

/// MySQL writes literals without quotes and escapes quotes in expressions.
fn mysql_default(default: &str, column: &Column, is_expression: bool) -> String {
    if is_expression {
        let expression = catalogue_expression(default, false);
        return if canonical::is_current_time(&expression) {
            expression
        } else {
            format!("({expression})")
        };
    }
    if canonical::is_current_time(default)
        && matches!(column.column_type.base.as_str(), "timestamp" | "datetime")
    {
        return default.to_owned();
    }
    if types::quotes_default(&column.column_type) {
        string(default)
    } else {
        default.to_owned()
    }
}

/// An expression as SQL: MySQL's catalogue escapes its quotes.
fn catalogue_expression(text: &str, mariadb: bool) -> String {
    let text = if mariadb {
        text.to_owned()
    } else {
        text.replace("\\'", "'")
    };
    let tokens = significant(&text, Dialect::Mysql);
    let inner = crate::dialect::tokens::without_outer_parentheses(&tokens);
    match (inner.first(), inner.last()) {
        (Some(first), Some(last)) => text[first.span.start..last.span.end].to_owned(),
        _ => text,
    }
}

/// `JSON` is an alias of `LONGTEXT` in MariaDB, with a check that nobody wrote. Where it is found,
/// the column becomes `json` and the check is none.
fn is_json_noise(table: &mut Table, column: &str, expression: &str) -> bool {
    let wanted = canonical::expression(&format!("json_valid({})", quoted(column)));
    let Some(column) = table.column_mut(column) else {
        return false;
    };
    let is_noise =
        column.column_type.text == "longtext" && canonical::expression(expression) == wanted;
    if is_noise {
        column.column_type = types::json();
        column.charset = None;
        column.collation = None;
    }
    is_noise
}

fn primary_key(index: &Index) -> PrimaryKey {
    let prefixes: Vec<Option<u32>> = index.keys.iter().map(|key| key.prefix_length).collect();
    PrimaryKey {
        name: None,
        columns: index
            .keys
            .iter()
            .filter_map(|key| key.column.clone())
            .collect(),
        prefix_lengths: if prefixes.iter().any(Option::is_some) {
            prefixes
        } else {
            Vec::new()
        },
        comment: index.comment.clone(),
        ..PrimaryKey::default()
    }
}

/// An action; MySQL does the same for `RESTRICT` and `NO ACTION`, and MariaDB says the former for
/// nothing at all.
fn action(rule: &str) -> ForeignKeyAction {
    match ForeignKeyAction::from_sql(rule).unwrap_or_default() {
        ForeignKeyAction::Restrict => ForeignKeyAction::NoAction,
        other => other,
    }
}

/// The names that the server can have given to the index that it made for a foreign key: that of
/// the constraint, or that of its first column where the constraint had no name.
fn own_index_names<'k>(table: &str, foreign_key: &'k ForeignKey) -> Vec<&'k String> {
    let Some(name) = &foreign_key.name else {
        return Vec::new();
    };
    let was_named_by_server = name
        .strip_prefix(table)
        .and_then(|rest| rest.strip_prefix("_ibfk_"))
        .is_some_and(|number| number.chars().all(|c| c.is_ascii_digit()));
    let column = foreign_key.columns.first();
    std::iter::once(name)
        .chain(column.filter(|_| was_named_by_server))
        .collect()
}

/// Whether an index on these columns serves the foreign key: its columns come first.
pub(crate) fn serves<S: AsRef<str>>(columns: &[S], foreign_key: &ForeignKey) -> bool {
    columns.len() >= foreign_key.columns.len()
        && foreign_key
            .columns
            .iter()
            .zip(columns)
            .all(|(wanted, column)| wanted == column.as_ref())
}

/// Takes the index that the server made for the foreign key out of the table, if there is one, and
/// gives its name. With another index that serves the foreign key, the server would not have made
/// one.
fn take_own_index(table: &mut Table, foreign_key: &ForeignKey) -> Option<String> {
    let names = own_index_names(&table.name.name, foreign_key);
    let own = names.into_iter().find(|name| {
        table.indexes.get(*name).is_some_and(|index| {
            !index.unique
                && index.comment.is_none()
                && index
                    .plain_columns()
                    .is_some_and(|columns| columns == foreign_key.columns)
        })
    })?;
    if other_index_serves(table, foreign_key, Some(own)) {
        return None;
    }
    table.indexes.remove(own);
    Some(own.clone())
}

/// Whether the table has a key or index, other than the named one, that serves the foreign key.
pub(crate) fn other_index_serves(
    table: &Table,
    foreign_key: &ForeignKey,
    but: Option<&str>,
) -> bool {
    let by_primary_key = table
        .primary_key
        .as_ref()
        .is_some_and(|key| serves(&key.columns, foreign_key));
    by_primary_key
        || table
            .uniques
            .iter()
            .any(|unique| unique.name.as_deref() != but && serves(&unique.columns, foreign_key))
        || table.indexes.values().any(|index| {
            let columns: Vec<&str> = index
                .keys
                .iter()
                .map_while(|key| {
                    key.column
                        .as_deref()
                        .filter(|_| key.prefix_length.is_none())
                })
                .collect();
            Some(index.name.as_str()) != but
                && index.method == "btree"
                && serves(&columns, foreign_key)
        })
}

/// The index, not among the table's indexes, that the foreign key is served by: its own one, or the
/// own one of another foreign key over the same columns.
pub(crate) fn unlisted_index(table: &Table, foreign_key: &ForeignKey) -> Option<String> {
    if other_index_serves(table, foreign_key, None) {
        return None;
    }
    let owner = table
        .foreign_keys
        .iter()
        .find(|other| other.own_index.is_some() && serves(&other.columns, foreign_key))
        .unwrap_or(foreign_key);
    own_index_name(owner).cloned()
}

/// The name that the index of a foreign key has, or gets when the server makes one.
pub(crate) fn own_index_name(foreign_key: &ForeignKey) -> Option<&String> {
    foreign_key.own_index.as_ref().or(foreign_key.name.as_ref())
}

/// The clause that cuts a table into partitions.
fn partitioning(rows: &[&TextRow]) -> String {
    let Some(first) = rows.first() else {
        return String::new();
    };
    let method = text(first, 2);
    let mut clause = format!("{method} ({})", text(first, 3));
    let sub_method = text(first, 6);
    if !sub_method.is_empty() {
        let sub_partitions: BTreeSet<String> = rows
            .iter()
            .filter(|row| text(row, 1) == text(first, 1))
            .map(|row| text(row, 5))
            .collect();
        let _ = write!(
            clause,
            " SUBPARTITION BY {sub_method} ({}) SUBPARTITIONS {}",
            text(first, 7),
            sub_partitions.len()
        );
    }
    let mut names = BTreeSet::new();
    let mut partitions = Vec::new();
    for row in rows {
        let name = text(row, 1);
        if !names.insert(name.clone()) {
            continue;
        }
        let values = text(row, 4);
        partitions.push(if method.starts_with("RANGE") {
            let bound = if values == "MAXVALUE" {
                values
            } else {
                format!("({values})")
            };
            format!("PARTITION {} VALUES LESS THAN {bound}", quoted(&name))
        } else if method.starts_with("LIST") {
            format!("PARTITION {} VALUES IN ({values})", quoted(&name))
        } else {
            format!("PARTITION {}", quoted(&name))
        });
    }
    let _ = write!(clause, " ({})", partitions.join(", "));
    clause
}

fn empty_view(name: &str) -> View {
    View {
        name: ObjectName::bare(name),
        materialized: false,
        definition: String::new(),
        columns: Vec::new(),
        options: BTreeMap::new(),
        indexes: BTreeMap::new(),
        triggers: BTreeMap::new(),
        comment: None,
        column_comments: BTreeMap::new(),
    }
}

fn routine(row: &TextRow, parameters: &[&TextRow]) -> Function {
    let is_function = text(row, 1) == "FUNCTION";
    let name = text(row, 0);
    let written: Vec<String> = parameters
        .iter()
        .map(|parameter| {
            let declaration = format!("{} {}", quoted(&text(parameter, 3)), text(parameter, 4));
            match text(parameter, 2).as_str() {
                mode @ ("OUT" | "INOUT") => format!("{mode} {declaration}"),
                _ => declaration,
            }
        })
        .collect();
    let argument_types: Vec<String> = parameters
        .iter()
        .map(|parameter| types::parse(&text(parameter, 4)).text)
        .collect();
    let returns = is_function.then(|| text(row, 2));
    let mut definition = format!(
        "CREATE {}{} {}({})",
        if is_aggregate(&text(row, 3)) {
            "AGGREGATE "
        } else {
            ""
        },
        text(row, 1),
        quoted(&name),
        written.join(", ")
    );
    if let Some(returns) = &returns {
        definition.push_str(" RETURNS ");
        definition.push_str(returns);
    }
    if text(row, 4) == "YES" {
        definition.push_str(" DETERMINISTIC");
    }
    let access = text(row, 5);
    if access != "CONTAINS SQL" {
        definition.push(' ');
        definition.push_str(&access);
    }
    if text(row, 6) == "INVOKER" {
        definition.push_str(" SQL SECURITY INVOKER");
    }
    let comment = some(text(row, 7));
    if let Some(comment) = &comment {
        definition.push_str(" COMMENT ");
        definition.push_str(&string(comment));
    }
    definition.push(' ');
    definition.push_str(&text(row, 3));
    Function {
        name: ObjectName::bare(name),
        arguments: argument_types.join(", "),
        parameters: written.join(", "),
        kind: if is_function {
            FunctionKind::Function
        } else {
            FunctionKind::Procedure
        },
        returns: returns.map(|returns| types::parse(&returns).text),
        definition,
        // It is part of the definition.
        comment: None,
        overloaded: false,
    }
}

/// Whether the body is that of an aggregate function of MariaDB, which the catalogue does not tell:
/// `FETCH GROUP NEXT ROW` stands in every such body and in no other.
fn is_aggregate(body: &str) -> bool {
    significant(body, Dialect::Mysql).windows(4).any(|words| {
        ["fetch", "group", "next", "row"]
            .iter()
            .zip(words)
            .all(|(word, token)| token.is_word(word))
    })
}

/// The names that stand in a text, in lower case.
fn mentioned_names(text: &str) -> BTreeSet<String> {
    significant(text, Dialect::Mysql)
        .iter()
        .filter_map(canonical::name)
        .map(|name| name.to_lowercase())
        .collect()
}

/// Which tables, views and functions each view reads. The catalogue writes all names of a query in
/// backticks.
fn view_dependencies(schema: &Schema) -> BTreeSet<Dependency> {
    let mut dependencies = BTreeSet::new();
    for view in schema.views.values() {
        let tokens = significant(&view.definition, Dialect::Mysql);
        let dependent = ObjectRef::View {
            name: view.name.clone(),
        };
        for (at, token) in tokens.iter().enumerate() {
            if token.kind != TokenKind::QuotedIdentifier {
                continue;
            }
            let name = ObjectName::bare(crate::dialect::tokens::unquote(token.text));
            let is_called = tokens.get(at + 1).is_some_and(|next| next.is_sign("("));
            let needs = if is_called {
                let functions = schema.functions.iter();
                functions
                    .filter(|(_, function)| function.name == name)
                    .map(|(key, _)| ObjectRef::Function { name: key.clone() })
                    .next()
            } else if !canonical::names_a_table(&tokens[..at]) {
                None
            } else if schema.tables.contains_key(&name) {
                Some(ObjectRef::Table { name })
            } else if schema.views.contains_key(&name) && name != view.name {
                Some(ObjectRef::View { name })
            } else {
                None
            };
            dependencies.extend(needs.map(|needs| Dependency {
                dependent: dependent.clone(),
                needs,
            }));
        }
    }
    dependencies
}

fn text(row: &[Option<String>], at: usize) -> String {
    row.get(at).cloned().flatten().unwrap_or_default()
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
