//! What the numbers mean on a kind of database, as statements.

use std::fmt::Write as _;

use super::spec::{Column, ForeignKey, Frame, Index, Pair, Spec, Table};
use super::types::{Class, Type, types};
use crate::databases::Backend;

const TABLES: [&str; 6] = ["users", "posts", "order", "Mixed Case", "tags", "events"];
const COLUMNS: [&str; 6] = ["a", "b", "c", "group", "Two Words", "f"];
const WORDS: [&str; 6] = ["new", "open", "it's", "Done", "on hold", "gone"];
const NOTES: [&str; 4] = ["a note", "it's \"quoted\" \\ here", "two\nlines", "note ä"];

/// One side of a spec on one kind of database.
pub(crate) struct Side<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) backend: Backend,
    pub(crate) after: bool,
}

/// A column as it is on one side.
struct Found<'a> {
    column: &'a Column,
    name: String,
    kind: Type,
    generated: bool,
    key: bool,
}

impl Side<'_> {
    fn quote(&self, name: &str) -> String {
        match self.backend {
            Backend::Mysql => format!("`{name}`"),
            Backend::Postgres | Backend::Sqlite => format!("\"{name}\""),
        }
    }

    /// Everything, in an order that works.
    pub(crate) fn statements(&self) -> Vec<String> {
        let mut list = Vec::new();
        if self.backend == Backend::Postgres {
            for at in 0..self.spec.enums.len() {
                if let Some(values) = self.enum_values(at) {
                    let values: Vec<String> = values.iter().map(|v| text(v)).collect();
                    list.push(format!(
                        "CREATE TYPE {} AS ENUM ({})",
                        enum_name(at),
                        values.join(", ")
                    ));
                }
            }
        }
        for (at, table) in self.spec.tables.iter().enumerate() {
            if let Some(frame) = table.frame.at(self.after) {
                list.extend(self.table(at, table, frame));
            }
        }
        if self.backend != Backend::Sqlite {
            for (at, table) in TABLES.iter().enumerate().take(self.spec.tables.len()) {
                let keys = self.foreign_keys(at).into_iter();
                list.extend(keys.map(|(name, key)| {
                    let table = self.quote(table);
                    format!("ALTER TABLE {table} ADD CONSTRAINT {name} {key}")
                }));
            }
        }
        list.extend(self.triggers());
        list.extend(self.views());
        list
    }

    fn enum_values(&self, at: usize) -> Option<Vec<&'static str>> {
        let places = self.spec.enums.get(at)?.at(self.after)?;
        let mut values = Vec::new();
        for place in places {
            let word = WORDS[usize::from(*place) % WORDS.len()];
            if !values.contains(&word) {
                values.push(word);
            }
        }
        Some(values)
    }

    fn id(&self, frame: &Frame) -> &'static str {
        let list = match self.backend {
            Backend::Postgres => [
                "integer NOT NULL",
                "bigint NOT NULL",
                "serial NOT NULL",
                "integer GENERATED ALWAYS AS IDENTITY",
                "bigint GENERATED ALWAYS AS IDENTITY",
            ],
            Backend::Mysql => [
                "int NOT NULL",
                "bigint NOT NULL",
                "int NOT NULL AUTO_INCREMENT",
                "bigint unsigned NOT NULL AUTO_INCREMENT",
                "int unsigned NOT NULL",
            ],
            Backend::Sqlite => [
                "integer NOT NULL",
                "bigint NOT NULL",
                "integer NOT NULL PRIMARY KEY AUTOINCREMENT",
                "int",
                "integer",
            ],
        };
        list[usize::from(frame.id) % list.len()]
    }

    /// The type of a column that refers to the table's `id`.
    fn referring(&self, frame: &Frame) -> &'static str {
        let list = match self.backend {
            Backend::Postgres => ["integer", "bigint", "integer", "integer", "bigint"],
            Backend::Mysql => ["int", "bigint", "int", "bigint unsigned", "int unsigned"],
            Backend::Sqlite => ["integer"; 5],
        };
        list[usize::from(frame.id) % list.len()]
    }

    fn counts_up(&self, frame: &Frame) -> bool {
        self.id(frame).contains("INCREMENT")
    }

    /// The columns of a table by their places; those that are not on this side are nothing.
    fn columns(&self, table: &Table, frame: &Frame) -> Vec<Option<Found<'_>>>
    where
        Self: Sized,
    {
        let spec_table = self
            .spec
            .tables
            .iter()
            .find(|other| std::ptr::eq(*other, table))
            .unwrap_or(&self.spec.tables[0]);
        let key_place = (frame.key == 1).then(|| {
            spec_table.columns.iter().position(|pair| {
                pair.at(self.after).is_some_and(|column| {
                    let kind = self.kind(column);
                    !matches!(kind.class, Class::Opaque) && !self.needs_prefix(&kind)
                })
            })
        });
        let key_place = key_place.flatten();
        let all = types(self.backend);
        spec_table
            .columns
            .iter()
            .enumerate()
            .map(|(place, pair)| {
                let column = pair.at(self.after)?;
                let is_new_name = self.after && column.renamed && matches!(pair, Pair::Changed(..));
                let name = if is_new_name {
                    format!("renamed {place}")
                } else {
                    COLUMNS[place].to_owned()
                };
                let key = key_place == Some(place);
                let generated = (column.extra == 10 || column.extra == 11)
                    && !key
                    && !self.counts_up(frame)
                    && self.strictness(frame) != 1;
                let kind = if generated { all[0] } else { self.kind(column) };
                Some(Found {
                    column,
                    name,
                    kind,
                    generated,
                    key,
                })
            })
            .collect()
    }

    fn strictness(&self, frame: &Frame) -> u8 {
        if self.backend == Backend::Sqlite {
            frame.options
        } else {
            0
        }
    }

    fn kind(&self, column: &Column) -> Type {
        let all = types(self.backend);
        all[usize::from(column.kind) % all.len()]
    }

    fn needs_prefix(&self, kind: &Type) -> bool {
        self.backend == Backend::Mysql && (kind.class == Class::Opaque || kind.sql == "text")
    }

    /// The enum of a column, on the database that has such types.
    fn enum_of(&self, found: &Found<'_>) -> Option<usize> {
        let count = self.spec.enums.len();
        let is_one = self.backend == Backend::Postgres && found.column.extra >= 14 && count > 0;
        let at = usize::from(found.column.kind) % count.max(1);
        (is_one && !found.generated && self.enum_values(at).is_some()).then_some(at)
    }

    fn table(&self, at: usize, table: &Table, frame: &Frame) -> Vec<String> {
        let name = self.quote(TABLES[at]);
        let columns = self.columns(table, frame);
        let mut lines = vec![format!("id {}", self.id(frame))];
        let mut later = Vec::new();
        for found in columns.iter().flatten() {
            lines.push(self.column(frame, found));
            if let (Some(note), Backend::Postgres) = (found.column.comment, self.backend) {
                let column = self.quote(&found.name);
                later.push(format!(
                    "COMMENT ON COLUMN {name}.{column} IS {}",
                    self.note(note)
                ));
            }
        }
        for (place, pair) in table.foreign_keys.iter().enumerate() {
            if let Some(key) = pair.at(self.after) {
                lines.push(self.foreign_key_column(place, key));
            }
        }
        lines.extend(self.key(at, frame, &columns));
        for (place, pair) in table.checks.iter().enumerate() {
            if let Some((column, form)) = pair.at(self.after)
                && let Some(check) = self.check(*column, *form, &columns)
            {
                lines.push(format!("CONSTRAINT ck_{at}_{place} CHECK ({check})"));
            }
        }
        if self.backend == Backend::Sqlite {
            let keys = self.foreign_keys(at).into_iter();
            lines.extend(keys.map(|(name, key)| format!("CONSTRAINT {name} {key}")));
        }
        for (place, pair) in table.indexes.iter().enumerate() {
            if let Some(index) = pair.at(self.after)
                && let Some(statement) = self.index(at, place, index, &columns)
            {
                // PostgreSQL makes one of two constraints that say the same.
                let body = |line: &str| line.split(" UNIQUE ").nth(1).map(ToOwned::to_owned);
                match statement.strip_prefix("CONSTRAINT") {
                    Some(_) if lines.iter().any(|line| body(line) == body(&statement)) => {}
                    Some(_) => lines.push(statement),
                    None => later.push(statement),
                }
            }
        }
        let mut create = format!("CREATE TABLE {name} (\n  {}\n)", lines.join(",\n  "));
        create.push_str(&self.table_options(frame));
        if let (Some(note), Backend::Postgres) = (frame.comment, self.backend) {
            later.push(format!("COMMENT ON TABLE {name} IS {}", self.note(note)));
        }
        later.insert(0, create);
        later
    }

    fn table_options(&self, frame: &Frame) -> String {
        match (self.backend, frame.options) {
            (Backend::Sqlite, 1) => " STRICT".to_owned(),
            (Backend::Sqlite, 2) if matches!(frame.key, 0 | 3) && !self.counts_up(frame) => {
                " WITHOUT ROWID".to_owned()
            }
            (Backend::Mysql, options) => {
                let collation = match options {
                    1 => " COLLATE utf8mb4_bin",
                    2 => " CHARACTER SET latin1",
                    _ => "",
                };
                let comment = frame
                    .comment
                    .map_or_else(String::new, |note| format!(" COMMENT {}", self.note(note)));
                format!("{collation}{comment}")
            }
            _ => String::new(),
        }
    }

    fn note(&self, note: u8) -> String {
        let words = NOTES[usize::from(note) % NOTES.len()];
        match self.backend {
            Backend::Mysql => text(&words.replace('\\', "\\\\")),
            Backend::Postgres | Backend::Sqlite => text(words),
        }
    }

    fn column(&self, frame: &Frame, found: &Found<'_>) -> String {
        let name = self.quote(&found.name);
        let column = found.column;
        let mut words = if let Some(at) = self.enum_of(found) {
            let array = if column.extra == 15 && !found.key {
                "[]"
            } else {
                ""
            };
            format!("{name} {}{array}", enum_name(at))
        } else if self.strictness(frame) == 1 {
            format!("{name} ANY")
        } else {
            format!("{name} {}", found.kind.sql)
        };
        if found.generated {
            let stored = match (self.backend, column.extra) {
                (Backend::Postgres, _) | (_, 10) => "STORED",
                _ => "VIRTUAL",
            };
            // Writing to a string cannot fail.
            let _ = write!(
                words,
                " GENERATED ALWAYS AS (id + {}) {stored}",
                column.default.unwrap_or(1) % 3
            );
        } else {
            if column.extra == 12
                && found.kind.class == Class::Text
                && self.backend == Backend::Postgres
                && self.enum_of(found).is_none()
            {
                words.push_str(" COLLATE \"C\"");
            }
            if !column.nullable || found.key {
                words.push_str(" NOT NULL");
            }
            if let Some(default) = self.default(found) {
                // Writing to a string cannot fail.
                let _ = write!(words, " DEFAULT {default}");
            }
        }
        if let (Some(note), Backend::Mysql) = (column.comment, self.backend) {
            // Writing to a string cannot fail.
            let _ = write!(words, " COMMENT {}", self.note(note));
        }
        words
    }

    fn default(&self, found: &Found<'_>) -> Option<String> {
        let choice = usize::from(found.column.default?);
        if let Some(at) = self.enum_of(found) {
            let values = self.enum_values(at)?;
            return (found.column.extra == 14).then(|| text(values[choice % values.len()]));
        }
        let all = found.kind.defaults;
        if all.is_empty() {
            return None;
        }
        let default = all[choice % all.len()];
        let says_null = default == "NULL" && (!found.column.nullable || found.key);
        (!says_null).then(|| default.to_owned())
    }

    fn key(&self, at: usize, frame: &Frame, columns: &[Option<Found<'_>>]) -> Vec<String> {
        if self.backend == Backend::Sqlite && self.counts_up(frame) {
            return Vec::new();
        }
        let other = columns.iter().flatten().find(|found| found.key);
        match (frame.key, other) {
            (1, Some(found)) => vec![
                format!("PRIMARY KEY (id, {})", self.quote(&found.name)),
                format!("CONSTRAINT uq_{at}_id UNIQUE (id)"),
            ],
            (2, _) => vec![format!("CONSTRAINT uq_{at}_id UNIQUE (id)")],
            // PostgreSQL keeps the name, and the comparison passes over it.
            (3, _) if self.backend != Backend::Postgres => {
                vec![format!("CONSTRAINT key_{at} PRIMARY KEY (id)")]
            }
            _ => vec!["PRIMARY KEY (id)".to_owned()],
        }
    }

    fn foreign_key_column(&self, place: usize, key: &ForeignKey) -> String {
        let target = &self.spec.tables[usize::from(key.target) % self.spec.tables.len()];
        let frame = target.frame.at(self.after);
        let kind = frame.map_or("integer", |frame| self.referring(frame));
        let null = if key.nullable { "" } else { " NOT NULL" };
        format!("ref{place} {kind}{null}")
    }

    /// Names and texts of the foreign keys of a table, without those whose target is not there.
    fn foreign_keys(&self, at: usize) -> Vec<(String, String)> {
        let table = &self.spec.tables[at];
        if table.frame.at(self.after).is_none() {
            return Vec::new();
        }
        let mut list = Vec::new();
        for (place, pair) in table.foreign_keys.iter().enumerate() {
            let Some(key) = pair.at(self.after) else {
                continue;
            };
            let target = usize::from(key.target) % self.spec.tables.len();
            if self.spec.tables[target].frame.at(self.after).is_none() {
                continue;
            }
            let action = |number: u8| match number {
                1 => "CASCADE",
                2 if key.nullable => "SET NULL",
                3 => "RESTRICT",
                _ => "NO ACTION",
            };
            let mut words = format!(
                "FOREIGN KEY (ref{place}) REFERENCES {} (id)",
                self.quote(TABLES[target])
            );
            if key.on_delete > 0 {
                // Writing to a string cannot fail.
                let _ = write!(words, " ON DELETE {}", action(key.on_delete));
            }
            if key.on_update > 0 {
                // Writing to a string cannot fail.
                let _ = write!(words, " ON UPDATE {}", action(key.on_update));
            }
            if self.backend != Backend::Mysql {
                words.push_str(match key.deferrable {
                    2 => " DEFERRABLE INITIALLY DEFERRED",
                    3 if self.backend == Backend::Postgres => " DEFERRABLE",
                    _ => "",
                });
            }
            list.push((format!("fk_{at}_{place}"), words));
        }
        list
    }

    fn check(&self, column: u8, form: u8, columns: &[Option<Found<'_>>]) -> Option<String> {
        if columns.is_empty() {
            return None;
        }
        let found = columns[usize::from(column) % columns.len()].as_ref()?;
        let name = self.quote(&found.name);
        if self.enum_of(found).is_some() || found.generated {
            return None;
        }
        // All of these hold for every value and default of the types.
        let forms: &[&str] = match found.kind.class {
            Class::Number => &[
                "$ >= -5",
                "$ BETWEEN -5 AND 9000000000",
                "$ <> 99 OR $ IS NULL",
                "NOT ($ = 98)",
                "$ > -10 AND ($ < 91 OR $ > 92)",
            ],
            Class::Text => &[
                "length($) < 100",
                "$ <> 'forbidden'",
                "$ NOT IN ('u', 'v')",
                "$ NOT LIKE 'zz%'",
                "lower($) <> 'no' AND $ <> 'it''s not'",
            ],
            Class::Truth => &["$ IN (true, false)", "$ OR NOT $"],
            Class::Opaque | Class::Other => &["$ IS NULL OR $ IS NOT NULL"],
        };
        Some(forms[usize::from(form) % forms.len()].replace('$', &name))
    }

    fn index(
        &self,
        at: usize,
        place: usize,
        index: &Index,
        columns: &[Option<Found<'_>>],
    ) -> Option<String> {
        if columns.is_empty() {
            return None;
        }
        let mut found: Vec<&Found<'_>> = Vec::new();
        for column in &index.columns {
            if let Some(one) = &columns[usize::from(*column) % columns.len()]
                && !found.iter().any(|other| other.name == one.name)
                && (one.kind.class != Class::Opaque
                    || self.backend == Backend::Mysql
                    || self.enum_of(one).is_some())
            {
                found.push(one);
            }
        }
        let first = *found.first()?;
        let mut parts: Vec<String> = found
            .iter()
            .map(|one| {
                let name = self.quote(&one.name);
                if self.needs_prefix(&one.kind) {
                    format!("{name}(10)")
                } else {
                    name
                }
            })
            .collect();
        let backend = self.backend;
        let is_plain = self.enum_of(first).is_none();
        let table = self.quote(TABLES[at]);
        if index.form == 7 && found.iter().all(|one| !self.needs_prefix(&one.kind)) {
            return Some(format!(
                "CONSTRAINT uq_{at}_{place} UNIQUE ({})",
                parts.join(", ")
            ));
        }
        let unique = if index.unique && index.form != 8 {
            "UNIQUE "
        } else {
            ""
        };
        let mut method = "";
        let mut rest = String::new();
        match (index.form, backend) {
            (4, _) => parts[0].push_str(" DESC"),
            (5, Backend::Postgres | Backend::Sqlite) => {
                let name = self.quote(&first.name);
                rest = match first.kind.class {
                    Class::Number if is_plain => format!(" WHERE {name} > 0"),
                    Class::Text if is_plain => format!(" WHERE {name} <> 'x' AND id > 3"),
                    _ => format!(" WHERE {name} IS NOT NULL"),
                };
            }
            (6, Backend::Postgres | Backend::Sqlite) if is_plain => match first.kind.class {
                Class::Number => parts[0] = format!("(abs({}) + 1)", parts[0]),
                Class::Text => parts[0] = format!("lower({})", parts[0]),
                _ => {}
            },
            (8, Backend::Postgres) if is_hashable(&first.kind) => {
                method = " USING hash";
                parts.truncate(1);
            }
            (9, Backend::Postgres) => rest = " INCLUDE (id)".to_owned(),
            (10, Backend::Postgres) if index.unique => rest = " NULLS NOT DISTINCT".to_owned(),
            (10, Backend::Postgres) => parts[0].push_str(" DESC NULLS LAST"),
            _ => {}
        }
        Some(format!(
            "CREATE {unique}INDEX ix_{at}_{place} ON {table}{method} ({}){rest}",
            parts.join(", ")
        ))
    }

    fn triggers(&self) -> Vec<String> {
        let mut list = Vec::new();
        for (at, table) in self.spec.tables.iter().enumerate() {
            let Some(frame) = table.frame.at(self.after) else {
                continue;
            };
            let Some(form) = frame.trigger else { continue };
            let name = self.quote(TABLES[at]);
            let form = form % 3;
            if self.backend == Backend::Postgres && list.is_empty() {
                list.push(
                    "CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
                        .to_owned(),
                );
            }
            list.push(match self.backend {
                Backend::Postgres => {
                    let event = ["INSERT", "UPDATE", "INSERT OR UPDATE"][usize::from(form)];
                    format!("CREATE TRIGGER trg_{at} BEFORE {event} ON {name} FOR EACH ROW EXECUTE FUNCTION touched()")
                }
                Backend::Mysql => {
                    format!("CREATE TRIGGER trg_{at} BEFORE UPDATE ON {name} FOR EACH ROW SET @touched = {form}")
                }
                Backend::Sqlite => format!(
                    "CREATE TRIGGER trg_{at} AFTER DELETE ON {name} BEGIN DELETE FROM {name} WHERE id = OLD.id + {form}; END"
                ),
            });
        }
        list
    }

    fn views(&self) -> Vec<String> {
        let mut list = Vec::new();
        let mut there: Vec<usize> = Vec::new();
        for (place, pair) in self.spec.views.iter().enumerate() {
            let Some((target, form)) = pair.at(self.after) else {
                continue;
            };
            let at = usize::from(*target) % self.spec.tables.len();
            let table = &self.spec.tables[at];
            let Some(frame) = table.frame.at(self.after) else {
                continue;
            };
            let name = self.quote(TABLES[at]);
            let mut kind = "VIEW";
            let body = match form % 6 {
                1 => {
                    let mut columns = vec!["id".to_owned()];
                    let found = self.columns(table, frame);
                    columns.extend(found.iter().flatten().map(|one| self.quote(&one.name)));
                    format!("SELECT {} FROM {name} WHERE id > 0", columns.join(", "))
                }
                2 => format!("SELECT count(*) AS n FROM {name}"),
                3 if !there.is_empty() => format!("SELECT * FROM v{}", there[0]),
                4 if self.backend == Backend::Postgres => {
                    kind = "MATERIALIZED VIEW";
                    format!("SELECT id, id + 1 AS next FROM {name}")
                }
                5 => format!("SELECT one.id FROM {name} one JOIN {name} two ON one.id = two.id"),
                _ => format!("SELECT id FROM {name}"),
            };
            there.push(place);
            list.push(format!("CREATE {kind} v{place} AS {body}"));
        }
        list
    }

    /// Two rows for each table. What refers to a row refers to the first one.
    pub(super) fn rows(&self) -> Vec<String> {
        let mut inserts = Vec::new();
        let mut updates = Vec::new();
        for (at, table) in self.spec.tables.iter().enumerate() {
            let Some(frame) = table.frame.at(self.after) else {
                continue;
            };
            let name = self.quote(TABLES[at]);
            let columns = self.columns(table, frame);
            let mut names = vec!["id".to_owned()];
            let mut rows = [vec!["1".to_owned()], vec!["2".to_owned()]];
            for found in columns.iter().flatten().filter(|found| !found.generated) {
                names.push(self.quote(&found.name));
                let nothing = found.column.nullable && !found.key;
                for (number, row) in rows.iter_mut().enumerate() {
                    row.push(match self.enum_of(found) {
                        _ if nothing && number == 1 => "NULL".to_owned(),
                        Some(_) if found.column.extra == 15 && !found.key => "'{}'".to_owned(),
                        Some(at) => text(self.enum_values(at).unwrap_or_default()[0]),
                        None => found.kind.values[number].to_owned(),
                    });
                }
            }
            let overriding = match self.backend {
                Backend::Postgres => " OVERRIDING SYSTEM VALUE",
                Backend::Mysql | Backend::Sqlite => "",
            };
            inserts.push(format!(
                "INSERT INTO {name} ({}){overriding} VALUES ({}), ({})",
                names.join(", "),
                rows[0].join(", "),
                rows[1].join(", ")
            ));
            let keys = table.foreign_keys.iter().enumerate();
            updates.extend(
                keys.filter(|(_, pair)| {
                    // What is yet to come, or about to go, has no rows that could be referred to.
                    pair.at(self.after).is_some_and(|key| {
                        let target = usize::from(key.target) % self.spec.tables.len();
                        let frame = &self.spec.tables[target].frame;
                        frame.at(true).is_some() && frame.at(false).is_some()
                    })
                })
                .map(|(place, _)| format!("UPDATE {name} SET ref{place} = 1")),
            );
        }
        inserts.extend(updates);
        inserts
    }

    /// For each table that is on both sides, a query for the content that is on both sides, as it is
    /// to be asked on this side.
    pub(super) fn content(&self) -> Vec<String> {
        let mut list = Vec::new();
        for (at, table) in self.spec.tables.iter().enumerate() {
            let (Some(_), Some(frame)) = (table.frame.at(!self.after), table.frame.at(self.after))
            else {
                continue;
            };
            let mut names = vec!["id".to_owned()];
            let columns = self.columns(table, frame);
            for (pair, found) in table.columns.iter().zip(&columns) {
                if let (Some(_), Some(found)) = (pair.at(!self.after), found)
                    && !found.generated
                {
                    names.push(self.quote(&found.name));
                }
            }
            let keys = table.foreign_keys.iter().enumerate();
            names.extend(
                keys.filter(|(_, pair)| pair.at(false).is_some() && pair.at(true).is_some())
                    .map(|(place, _)| format!("ref{place}")),
            );
            list.push(format!(
                "SELECT {} FROM {} ORDER BY id;",
                names.join(", "),
                self.quote(TABLES[at])
            ));
        }
        list
    }
}

fn is_hashable(kind: &Type) -> bool {
    !kind.sql.starts_with("bit") && kind.sql != "point"
}

fn enum_name(at: usize) -> String {
    format!("mood_{at}")
}

fn text(words: &str) -> String {
    format!("'{}'", words.replace('\'', "''"))
}

/// The renames, in the form of the command line.
pub(super) fn renames(spec: &Spec) -> Vec<String> {
    let mut list = Vec::new();
    for (at, table) in spec.tables.iter().enumerate() {
        if table.frame.at(false).is_none() || table.frame.at(true).is_none() {
            continue;
        }
        for (place, pair) in table.columns.iter().enumerate() {
            if let Pair::Changed(_, after) = pair
                && after.renamed
            {
                list.push(format!("{}.{}=renamed {place}", TABLES[at], COLUMNS[place]));
            }
        }
    }
    list
}

/// The spec with changes that rows survive, whatever they hold.
pub(super) fn survivable(mut spec: Spec, backend: Backend) -> Spec {
    let all = types(backend);
    let wider = |kind: u8| {
        let name = all[usize::from(kind) % all.len()].wider?;
        let at = all.iter().position(|other| other.sql == name)?;
        u8::try_from(at).ok()
    };
    let may_be_empty = |mut column: Column| {
        column.nullable = true;
        column
    };
    for table in &mut spec.tables {
        if let Pair::Changed(before, after) = &mut table.frame {
            (after.id, after.key, after.options) = (before.id, before.key, before.options);
        }
        if let Pair::Same(frame) | Pair::Changed(_, frame) = &table.frame
            && frame.key == 1
        {
            // Which column belongs to the key must not change.
            table.columns.retain(|pair| matches!(pair, Pair::Same(_)));
        }
        for pair in &mut table.columns {
            *pair = match pair.clone() {
                Pair::Same(column) => Pair::Same(column),
                Pair::Changed(before, mut after) => {
                    after.kind = match wider(before.kind) {
                        Some(kind) if after.kind % 2 == 1 && before.extra < 10 => kind,
                        _ => before.kind,
                    };
                    after.extra = before.extra;
                    if before.extra == 10 || before.extra == 11 {
                        after.default = before.default;
                    }
                    after.nullable |= before.nullable;
                    Pair::Changed(before, after)
                }
                Pair::Added(column) => Pair::Added(may_be_empty(column)),
                Pair::Dropped(column) => Pair::Dropped(may_be_empty(column)),
            };
        }
        // A default may be the same for several rows, and what comes back has its default.
        let comes_or_goes: Vec<bool> = table
            .columns
            .iter()
            .map(|pair| matches!(pair, Pair::Added(_) | Pair::Dropped(_)))
            .collect();
        let open = |index: &mut Index| {
            index.unique = false;
            index.form = index.form.min(6);
        };
        for pair in &mut table.indexes {
            if let Pair::Changed(_, index) | Pair::Added(index) = pair {
                open(index);
            }
            if let Pair::Changed(index, _) | Pair::Same(index) | Pair::Dropped(index) = pair
                && index.columns.iter().any(|column| {
                    !comes_or_goes.is_empty()
                        && comes_or_goes[usize::from(*column) % comes_or_goes.len()]
                })
            {
                open(index);
            }
        }
        for pair in &mut table.foreign_keys {
            match pair {
                Pair::Same(key) | Pair::Added(key) | Pair::Dropped(key) => key.nullable = true,
                Pair::Changed(before, after) => {
                    before.nullable = true;
                    after.nullable = true;
                    after.target = before.target;
                }
            }
        }
    }
    for pair in &mut spec.enums {
        // Without the enum its columns are of another type.
        if let Pair::Added(values) | Pair::Dropped(values) = pair {
            *pair = Pair::Same(values.clone());
        }
        if let Pair::Changed(before, after) = pair {
            for value in before.iter() {
                if !after.contains(value) {
                    after.push(*value);
                }
            }
        }
    }
    spec
}
