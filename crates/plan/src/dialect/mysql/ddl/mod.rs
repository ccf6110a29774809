//! Reading the statements that make a schema, without a server to run them.
//!
//! What a server would show in its catalogue is worked out from the text, and goes through the same
//! reader as the catalogue itself. What is not understood is never guessed: the object is taken as it
//! is in the schema that is compared with, and named. A statement of which it is not known what it
//! reaches is refused.

mod answers;
mod parse;
mod reported;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use self::answers::Made;
use self::parse::{Element, Name, Statement};
use super::catalogue::{self, is_mariadb};
use super::{canonical, meaning, read};
use crate::dialect::Dialect;
use crate::dialect::rows::TextRow;
use crate::dialect::tokens::significant;
use crate::schema::{Column, ObjectName, ObjectRef, Schema, Server, Table};
use crate::sql::lexer::TokenKind;
use crate::sql::{Dialect as SqlDialect, ObjectKind, StatementKind, TextKind, classify, split};

/// How the server names and counts: whether it folds the names of tables, and whether a timestamp is
/// only what it says.
pub const SETTINGS: &str = "SELECT @@lower_case_table_names, @@explicit_defaults_for_timestamp";

/// The character sets: name, default collation, bytes of a character.
pub const CHARSETS: &str = "SELECT CHARACTER_SET_NAME, DEFAULT_COLLATE_NAME, MAXLEN \
    FROM information_schema.CHARACTER_SETS";

/// What a server is like on which the statements would be run.
#[derive(Clone, Debug)]
pub struct Surroundings {
    server: Server,
    server_rows: Vec<TextRow>,
    /// The default collation, and how many bytes a character can take.
    charsets: BTreeMap<String, (String, u64)>,
    folds_tables: bool,
    explicit_timestamps: bool,
}

/// Why statements can't be read without running them.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{origin}: what `{statement}` does is only known to a server")]
pub struct Unreadable {
    /// Where the statement stands, for people.
    pub origin: String,
    /// Its beginning.
    pub statement: String,
}

/// One or more statements, and where they come from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// For people.
    pub origin: &'a str,
    /// The statements.
    pub sql: &'a str,
}

impl Surroundings {
    /// From the answers to [`catalogue::SERVER`], [`SETTINGS`] and [`CHARSETS`].
    pub fn new(server: Vec<TextRow>, settings: &[TextRow], charsets: &[TextRow]) -> Self {
        let cell = |rows: &[TextRow], at: usize| {
            let row = rows.first();
            let value = row.and_then(|row| row.get(at).cloned().flatten());
            value.unwrap_or_default()
        };
        let charsets = charsets.iter().filter_map(|row| {
            let [Some(name), Some(collation), Some(bytes)] = row.as_slice() else {
                return None;
            };
            Some((name.clone(), (collation.clone(), bytes.parse().ok()?)))
        });
        Self {
            server: catalogue::server(&server),
            charsets: charsets.collect(),
            folds_tables: cell(settings, 0) == "1",
            explicit_timestamps: matches!(cell(settings, 1).as_str(), "1" | "ON"),
            server_rows: server,
        }
    }

    fn cell(&self, at: usize) -> &str {
        let row = self.server_rows.first();
        let value = row.and_then(|row| row.get(at)?.as_deref());
        value.unwrap_or_default()
    }

    fn database(&self) -> &str {
        self.cell(1)
    }

    fn engine(&self) -> &str {
        self.cell(2)
    }

    fn default_charset(&self) -> (String, String) {
        (self.cell(3).to_owned(), self.cell(4).to_owned())
    }

    fn bytes(&self, charset: &str) -> Option<u64> {
        self.charsets.get(charset).map(|(_, bytes)| *bytes)
    }

    fn knows_checks(&self) -> bool {
        let first = if is_mariadb(&self.server) {
            (10, 2, 22)
        } else {
            (8, 0, 16)
        };
        self.server.version_number >= first
    }

    fn keeps_checks_with_columns(&self) -> bool {
        is_mariadb(&self.server) && self.server.version_number >= (10, 5, 10)
    }

    /// The character set and collation that are meant. Nothing where a name is not known.
    fn resolve(
        &self,
        charset: Option<&str>,
        collation: Option<&str>,
        default: &(String, String),
    ) -> Option<(String, String)> {
        let known = |name: &str| -> Option<String> {
            // The old name of three bytes for a character, which servers call one way or the other.
            let others: &[&str] = match name {
                "utf8" => &["utf8", "utf8mb3"],
                "utf8mb3" => &["utf8mb3", "utf8"],
                _ => &[],
            };
            std::iter::once(&name)
                .chain(others)
                .find(|name| self.charsets.contains_key(**name))
                .map(|name| (*name).to_owned())
        };
        let charset = match charset {
            Some(charset) => Some(known(charset)?),
            None => None,
        };
        let Some(collation) = collation else {
            let Some(charset) = charset else {
                return Some(default.clone());
            };
            let (collation, _) = self.charsets.get(&charset)?;
            return Some((charset, collation.clone()));
        };
        let (beginning, rest) = collation.split_once('_').unwrap_or((collation, ""));
        let of_collation = known(beginning)?;
        if charset.is_some_and(|charset| charset != of_collation) {
            return None;
        }
        let collation = if rest.is_empty() {
            of_collation.clone()
        } else {
            format!("{of_collation}_{rest}")
        };
        Some((of_collation, collation))
    }
}

/// The texts in a statement that a server shows of a table.
#[derive(Clone, Debug, Default)]
pub(super) struct ShownTable {
    /// By column.
    pub(super) columns: BTreeMap<String, ShownColumn>,
    /// The conditions of checks by their names.
    pub(super) checks: BTreeMap<String, String>,
}

/// The texts of a column.
#[derive(Clone, Debug, Default)]
pub(super) struct ShownColumn {
    pub(super) default: Option<String>,
    pub(super) generated: Option<String>,
    pub(super) check: Option<String>,
}

/// Reads what `SHOW CREATE TABLE` says, without the parts that are not understood.
pub(super) fn shown_table(sql: &str) -> ShownTable {
    let mut shown = ShownTable::default();
    for element in parse::shown_elements(sql) {
        match element {
            Element::Column(column) => {
                let texts = ShownColumn {
                    default: column.default,
                    generated: column.generated.map(|(expression, _)| expression),
                    check: column.check,
                };
                shown.columns.insert(column.name, texts);
            }
            Element::Check {
                name: Some(name),
                expression,
            } => {
                shown.checks.insert(name, expression);
            }
            Element::Check { name: None, .. } | Element::Key(_) | Element::ForeignKey(_) => {}
        }
    }
    shown
}

/// What a person calls a kind of object that is not read from statements, and its catalogue entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unread {
    Table,
    Index,
    View,
    Trigger,
    Routine,
    Event,
    Sequence,
}

/// What the statements make. `beside` is the schema that it will be compared with: what is not
/// understood is taken from it, and named among what is not compared.
///
/// # Errors
///
/// When it is not known what a statement reaches, or there is nothing beside to take a table from.
pub fn read_statements(
    sources: &[Source<'_>],
    server: &Surroundings,
    beside: Option<&Schema>,
    is_ignored: impl Fn(&str) -> bool,
) -> Result<Schema, Unreadable> {
    let mut script = Script {
        server,
        tables: BTreeMap::new(),
        taken: Vec::new(),
        notes: Vec::new(),
    };
    for source in sources {
        for piece in split(source.sql, SqlDialect::MySql) {
            if piece.kind == TextKind::Sql {
                script.statement(piece.text).map_err(|()| Unreadable {
                    origin: source.origin.to_owned(),
                    statement: beginning(piece.text),
                })?;
            }
        }
    }
    let names = script.tables.clone();
    for made in script.tables.values_mut() {
        made.point_at(&names);
    }
    let mut schema = read(&answers::answers(&script.tables, server), is_ignored);
    let lacks_table = script
        .taken
        .iter()
        .find(|taken| taken.kind == Unread::Table);
    if let (Some(taken), None) = (lacks_table, beside) {
        return Err(Unreadable {
            origin: format!("table {}", taken.name),
            statement: taken.statement.clone(),
        });
    }
    for taken in &script.taken {
        if let Some(beside) = beside {
            take_over(taken, beside, &mut schema);
        }
        schema.not_compared.push(format!(
            "{} {}: `{}` is only understood by a server",
            taken.words(),
            taken.name,
            taken.statement
        ));
    }
    if let Some(beside) = beside {
        settle(&mut schema, beside);
    }
    schema.not_compared.extend(script.notes);
    Ok(schema)
}

/// What is not understood and taken from the other schema.
#[derive(Debug)]
struct Taken {
    kind: Unread,
    name: String,
    /// The table that an index or trigger is on.
    table: Option<String>,
    statement: String,
}

impl Taken {
    fn words(&self) -> &'static str {
        match self.kind {
            Unread::Table => "table",
            Unread::Index => "index",
            Unread::View => "view",
            Unread::Trigger => "trigger",
            Unread::Routine => "routine",
            Unread::Event => "event",
            Unread::Sequence => "sequence",
        }
    }
}

struct Script<'s> {
    server: &'s Surroundings,
    tables: BTreeMap<String, Made>,
    taken: Vec<Taken>,
    notes: Vec<String>,
}

impl Script<'_> {
    /// Follows a statement. An error where it is not known what it reaches.
    fn statement(&mut self, sql: &str) -> Result<(), ()> {
        let understood = parse::statement(sql).and_then(|statement| self.apply(statement));
        if understood.is_some() {
            return Ok(());
        }
        let statement = classify(sql, SqlDialect::MySql);
        if statement.is_read() || statement.is_data_change() || is_of_session(sql, &statement) {
            return Ok(());
        }
        let target = statement.target.as_ref().ok_or(())?;
        let kind = match statement.kind {
            StatementKind::CreateTable | StatementKind::AlterTable => Unread::Table,
            StatementKind::CreateIndex { .. } => Unread::Index,
            StatementKind::CreateView { .. } => Unread::View,
            StatementKind::Create(kind) => match kind {
                ObjectKind::Trigger => Unread::Trigger,
                ObjectKind::Function | ObjectKind::Procedure => Unread::Routine,
                ObjectKind::Event => Unread::Event,
                ObjectKind::Sequence => Unread::Sequence,
                _ => return Err(()),
            },
            StatementKind::DropView { .. } => {
                self.taken
                    .retain(|taken| taken.kind != Unread::View || taken.name != target.name);
                return Ok(());
            }
            StatementKind::Drop(kind) if statement.if_exists => {
                let unread = match kind {
                    ObjectKind::Trigger => Unread::Trigger,
                    ObjectKind::Function | ObjectKind::Procedure => Unread::Routine,
                    ObjectKind::Event => Unread::Event,
                    _ => return Err(()),
                };
                self.taken
                    .retain(|taken| taken.kind != unread || taken.name != target.name);
                return Ok(());
            }
            _ => return Err(()),
        };
        let database = target.schema.as_deref();
        if statement.temporary || database.is_some_and(|name| name != self.server.database()) {
            return Err(());
        }
        if kind == Unread::Table {
            self.tables.remove(&target.name);
        }
        if kind == Unread::Index && statement.table.is_none() {
            return Err(());
        }
        self.taken
            .retain(|taken| taken.kind != kind || taken.name != target.name);
        self.taken.push(Taken {
            kind,
            name: target.name.clone(),
            table: statement.table.as_ref().map(|table| table.name.clone()),
            statement: beginning(sql),
        });
        Ok(())
    }

    /// The name of a table as the catalogue has it. Nothing for one of another database.
    fn own(&self, name: &Name) -> Option<String> {
        let database = name.database.as_deref();
        if database.is_some_and(|database| database != self.server.database()) {
            return None;
        }
        Some(self.folded(&name.name))
    }

    fn folded(&self, name: &str) -> String {
        if self.server.folds_tables {
            name.to_lowercase()
        } else {
            name.to_owned()
        }
    }

    fn is_taken(&self, table: &str) -> bool {
        let mut taken = self.taken.iter();
        taken.any(|taken| taken.kind == Unread::Table && taken.name == table)
    }

    fn apply(&mut self, statement: Statement) -> Option<()> {
        match statement {
            Statement::DropTables(names) => {
                for name in names {
                    let name = self.own(&name)?;
                    self.tables.remove(&name);
                    self.taken.retain(|taken| {
                        (taken.kind != Unread::Table || taken.name != name)
                            && taken.table.as_ref() != Some(&name)
                    });
                }
            }
            Statement::CreateTable {
                mut table,
                if_not_exists,
                replace,
            } => {
                let name = self.own(&table.name)?;
                if self.tables.contains_key(&name) || self.is_taken(&name) {
                    if if_not_exists {
                        return Some(());
                    }
                    if !replace {
                        return None;
                    }
                }
                table.name = Name {
                    database: None,
                    name: name.clone(),
                };
                let mut made = Made::new(*table, self.server)?;
                self.point(&mut made);
                self.taken
                    .retain(|taken| taken.kind != Unread::Table || taken.name != name);
                self.tables.insert(name, made);
            }
            Statement::Add { table, elements } => {
                let name = self.own(&table)?;
                if self.is_taken(&name) {
                    return Some(());
                }
                let mut made = self.tables.get(&name)?.clone();
                made.add(&elements, self.server)?;
                self.point(&mut made);
                self.tables.insert(name, made);
            }
        }
        Some(())
    }

    /// Takes this database's name off what the foreign keys refer to.
    fn point(&self, made: &mut Made) {
        for name in made.referenced() {
            if name.database.as_deref() == Some(self.server.database()) {
                name.database = None;
            }
            name.name = self.folded(&name.name);
        }
    }
}

/// Whether a statement is about the session alone and changes nothing about how others are read.
fn is_of_session(sql: &str, statement: &crate::sql::Statement) -> bool {
    match statement.kind {
        StatementKind::Empty
        | StatementKind::Begin
        | StatementKind::Commit { .. }
        | StatementKind::LockTables
        | StatementKind::UnlockTables
        | StatementKind::SetAutocommit { .. } => true,
        StatementKind::Set { .. } => {
            const HARMLESS: [&str; 16] = [
                "set",
                "sql_mode",
                "concat",
                "names",
                "session",
                "local",
                "foreign_key_checks",
                "unique_checks",
                "time_zone",
                "sql_notes",
                "character_set_client",
                "character_set_results",
                "collation_connection",
                "utf8mb4",
                "utf8",
                "null",
            ];
            // Some modes make other things of quotes and words than the default one.
            const MODES: [&str; 3] = ["''", "'no_auto_value_on_zero'", "',strict_all_tables'"];
            let tokens = significant(sql, Dialect::Mysql);
            let sets_mode = tokens.iter().any(|token| token.is_word("sql_mode"));
            tokens.iter().all(|token| {
                let text = token.text.to_ascii_lowercase();
                let is_unknown_mode =
                    sets_mode && token.kind == TokenKind::String && !MODES.contains(&text.as_str());
                token.kind != TokenKind::Word && !text.starts_with("@@") && !is_unknown_mode
                    || HARMLESS.contains(&text.trim_start_matches('@'))
                    || ["0", "1", "on", "off"].contains(&text.as_str())
            })
        }
        _ => false,
    }
}

/// Puts what is not understood into the schema as it is in the other one.
fn take_over(taken: &Taken, beside: &Schema, schema: &mut Schema) {
    let name = ObjectName::bare(&taken.name);
    match taken.kind {
        Unread::Table => {
            if let Some(table) = beside.tables.get(&name) {
                schema.tables.insert(name, table.clone());
            }
        }
        Unread::View => {
            if let Some(view) = beside.views.get(&name) {
                schema.views.insert(name, view.clone());
                let dependencies = beside.dependencies.iter().filter(|dependency| {
                    dependency.dependent
                        == ObjectRef::View {
                            name: ObjectName::bare(&taken.name),
                        }
                });
                schema.dependencies.extend(dependencies.cloned());
            }
        }
        Unread::Routine => {
            let functions = beside.functions.iter();
            let same = functions.filter(|(_, function)| function.name == name);
            let same = same.map(|(key, function)| (key.clone(), function.clone()));
            schema.functions.extend(same);
        }
        // These take no part in a comparison anyway.
        Unread::Event | Unread::Sequence => {}
        Unread::Index | Unread::Trigger => {
            let Some(table) = taken.table.as_ref().map(ObjectName::bare) else {
                return;
            };
            let (Some(from), Some(to)) = (beside.tables.get(&table), schema.tables.get_mut(&table))
            else {
                return;
            };
            if let (Unread::Trigger, Some(trigger)) = (taken.kind, from.triggers.get(&taken.name)) {
                to.triggers.insert(taken.name.clone(), trigger.clone());
            }
            if taken.kind == Unread::Index {
                if let Some(index) = from.indexes.get(&taken.name) {
                    to.indexes.insert(taken.name.clone(), index.clone());
                }
                let uniques = from.uniques.iter();
                let mut same = uniques.filter(|unique| unique.name.as_ref() == Some(&taken.name));
                to.uniques.extend(same.next().cloned());
                to.sort();
            }
        }
    }
}

/// Takes expressions that are not understood, and look different from those of the other schema, as
/// they are there.
fn settle(schema: &mut Schema, beside: &Schema) {
    let mut notes = Vec::new();
    for (name, table) in &mut schema.tables {
        let Some(other) = beside.tables.get(name) else {
            continue;
        };
        let mut note = |what: String, text: &str| {
            notes.push(format!(
                "{what} of table {}: whether `{}` is what is there is only known to a server",
                name.name,
                beginning(text)
            ));
        };
        for column in &mut table.columns {
            let folded = column.name.to_lowercase();
            let mut others = other.columns.iter();
            if let Some(other) = others.find(|other| other.name.to_lowercase() == folded) {
                settle_column(column, other, &mut note);
            }
        }
        settle_checks(table, other, &mut note);
        table.sort();
    }
    schema.not_compared.extend(notes);
}

fn settle_column(column: &mut Column, other: &Column, note: &mut impl FnMut(String, &str)) {
    if let (Some(ours), Some(theirs)) = (&mut column.generated, &other.generated) {
        let is_same =
            canonical::expression(&ours.expression) == canonical::expression(&theirs.expression);
        if !is_same && meaning::of(&ours.expression).is_none() {
            let what = format!("the expression of column {}", column.name);
            note(what, &ours.expression);
            ours.expression.clone_from(&theirs.expression);
        }
    }
    if let (Some(ours), Some(theirs)) = (&column.default, &other.default) {
        let is_same = canonical::default(ours, &column.column_type)
            == canonical::default(theirs, &other.column_type);
        if !is_same && !reported::is_known_default(ours, &column.column_type) {
            note(format!("the default of column {}", column.name), ours);
            column.default.clone_from(&other.default);
        }
    }
}

fn settle_checks(table: &mut Table, other: &Table, note: &mut impl FnMut(String, &str)) {
    let mut matched = BTreeSet::new();
    let same = |one: &str, other: &str| canonical::expression(one) == canonical::expression(other);
    for check in &table.checks {
        let mut theirs = other.checks.iter().enumerate();
        let found = theirs.find(|(at, their)| {
            !matched.contains(at) && same(&check.expression, &their.expression)
        });
        matched.extend(found.map(|(at, _)| at));
    }
    for check in &mut table.checks {
        let has_twin = other
            .checks
            .iter()
            .any(|their| same(&check.expression, &their.expression));
        if has_twin || meaning::of(&check.expression).is_some() {
            continue;
        }
        let free = || {
            let theirs = other.checks.iter().enumerate();
            theirs.filter(|(at, _)| !matched.contains(at))
        };
        let by_name = free().find(|(_, their)| check.name.is_some() && their.name == check.name);
        let by_columns = || free().find(|(_, their)| their.columns == check.columns);
        if let Some((at, their)) = by_name.or_else(by_columns) {
            note("a check".to_owned(), &check.expression);
            *check = their.clone();
            matched.insert(at);
        }
    }
}

/// Enough of a statement to recognise it.
fn beginning(statement: &str) -> String {
    let line = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= 120 {
        return line;
    }
    let mut short: String = line.chars().take(120).collect();
    short.push('…');
    short
}
