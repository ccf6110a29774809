//! From tables as they were written to the rows that the catalogue would have for them.

use std::collections::BTreeMap;

use super::parse::{ColumnText, Element, ForeignKeyText, Key, KeyKind, KeyPart, Name, TableText};
use super::{Surroundings, reported};
use crate::dialect::mysql::catalogue::{Answers, is_mariadb};
use crate::dialect::mysql::{canonical, types};
use crate::dialect::rows::TextRow;
use crate::schema::ColumnType;

/// A table as it is after some statements.
#[derive(Clone, Debug)]
pub(super) struct Made {
    text: TableText,
    columns: Vec<MadeColumn>,
    keys: Vec<Key>,
    foreign_keys: Vec<ForeignKeyText>,
    checks: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
struct MadeColumn {
    text: ColumnText,
    /// As the catalogue shows it.
    shown_type: String,
    column_type: ColumnType,
    charset: Option<(String, String)>,
}

/// A row of a query.
fn row<const N: usize>(values: [&str; N]) -> TextRow {
    values
        .iter()
        .map(|value| Some((*value).to_owned()))
        .collect()
}

impl Made {
    /// A table without its parts. Nothing where an option is not understood.
    pub(super) fn new(mut text: TableText, server: &Surroundings) -> Option<Self> {
        let (charset, collation) = server.resolve(
            text.charset.as_deref(),
            text.collation.as_deref(),
            &server.default_charset(),
        )?;
        text.charset = Some(charset);
        text.collation = Some(collation);
        let elements = std::mem::take(&mut text.elements);
        let mut made = Self {
            text,
            columns: Vec::new(),
            keys: Vec::new(),
            foreign_keys: Vec::new(),
            checks: Vec::new(),
        };
        made.add(&elements, server)?;
        Some(made)
    }

    fn is_innodb(&self, server: &Surroundings) -> bool {
        let engine = self.text.engine.as_deref();
        engine
            .unwrap_or(server.engine())
            .eq_ignore_ascii_case("innodb")
    }

    /// Adds parts. Nothing where one is not understood; the table may then be half changed.
    pub(super) fn add(&mut self, elements: &[Element], server: &Surroundings) -> Option<()> {
        let mut keys = Vec::new();
        let mut foreign_keys = Vec::new();
        for element in elements {
            match element {
                Element::Column(column) => {
                    self.column(column, server, &mut keys, &mut foreign_keys)?;
                }
                Element::Key(key) => keys.push(key.clone()),
                Element::ForeignKey(key) => {
                    foreign_keys.push(key.clone());
                    keys.push(index_of(key));
                }
                Element::Check { name, expression } => {
                    if server.knows_checks() {
                        let name = self.check_name(name.as_ref(), server);
                        self.checks.push((name, expression.clone()));
                    }
                }
            }
        }
        if !foreign_keys.is_empty() && !self.is_innodb(server) {
            // Other engines have none, or keep them in ways of their own.
            return None;
        }
        for key in keys {
            self.key(key)?;
        }
        for mut key in foreign_keys {
            for column in &mut key.columns {
                *column = self.actual(column)?;
            }
            if key.name.is_none() {
                key.name = Some(self.foreign_key_name());
            }
            self.foreign_keys.push(key);
        }
        self.drop_needless_keys();
        Some(())
    }

    fn column(
        &mut self,
        column: &ColumnText,
        server: &Surroundings,
        keys: &mut Vec<Key>,
        foreign_keys: &mut Vec<ForeignKeyText>,
    ) -> Option<()> {
        let mut text = column.clone();
        let mariadb = is_mariadb(&server.server);
        if self
            .columns
            .iter()
            .any(|other| other.text.name.to_lowercase() == text.name.to_lowercase())
        {
            return None;
        }
        let table_charset = (self.text.charset.clone()?, self.text.collation.clone()?);
        let mut charset = server.resolve(
            text.charset.as_deref(),
            text.collation.as_deref(),
            &table_charset,
        )?;
        let is_json = text.written_type.name == "json";
        if is_json && mariadb {
            if server.server.version_number < (10, 4, 3) {
                return None;
            }
            charset = server.resolve(Some("utf8mb4"), Some("utf8mb4_bin"), &charset)?;
        }
        let mut shown_type = reported::column_type(&text.written_type, server.bytes(&charset.0)?)?;
        if is_json && mariadb {
            "longtext".clone_into(&mut shown_type);
            if text.check.is_none() {
                text.check = Some(format!("json_valid(`{}`)", text.name));
            }
        }
        let column_type = types::parse(&shown_type);
        let has_charset = types::has_charset(&column_type);
        if charset.0 == "binary"
            || !has_charset && (text.charset.is_some() || text.collation.is_some())
        {
            return None;
        }
        let is_timestamp = column_type.base == "timestamp" && text.generated.is_none();
        if is_timestamp && !server.explicit_timestamps && text.nullable != Some(true) {
            return None;
        }
        if text.auto_increment {
            text.nullable = Some(false);
        }
        let part = KeyPart {
            column: text.name.clone(),
            length: None,
            descending: false,
        };
        let key = |kind| Key {
            kind,
            name: None,
            parts: vec![part.clone()],
            comment: String::new(),
            hidden: false,
            generated: false,
        };
        if text.primary {
            keys.push(key(KeyKind::Primary));
        }
        if text.unique && !text.primary {
            keys.push(key(KeyKind::Unique));
        }
        if let Some(references) = text.references.take() {
            // MySQL reads it and does nothing.
            if mariadb && server.server.version_number >= (10, 5, 0) {
                let foreign_key = ForeignKeyText {
                    name: None,
                    index: None,
                    columns: vec![text.name.clone()],
                    references,
                };
                keys.push(index_of(&foreign_key));
                foreign_keys.push(foreign_key);
            }
        }
        if !server.knows_checks() {
            text.check = None;
        } else if !server.keeps_checks_with_columns()
            && let Some(check) = text.check.take()
        {
            let given = mariadb.then(|| text.name.clone());
            let name = self.check_name(given.as_ref(), server);
            self.checks.push((name, check));
        }
        self.columns.push(MadeColumn {
            text,
            shown_type,
            column_type,
            charset: has_charset.then_some(charset),
        });
        Some(())
    }

    /// The name of a column as the table has it.
    fn actual(&self, name: &str) -> Option<String> {
        let mut names = self.columns.iter().map(|column| &column.text.name);
        names
            .find(|other| other.to_lowercase() == name.to_lowercase())
            .cloned()
    }

    fn key(&mut self, mut key: Key) -> Option<()> {
        for part in &mut key.parts {
            part.column = self.actual(&part.column)?;
            let column = self
                .columns
                .iter()
                .find(|column| column.text.name == part.column)?;
            let whole = column.column_type.modifiers.first().copied();
            let is_sized = ["char", "varchar", "binary", "varbinary"]
                .contains(&column.column_type.base.as_str());
            if let Some(length) = part.length
                && is_sized
                && whole
                    .is_some_and(|whole| u64::try_from(whole).is_ok_and(|whole| whole <= length))
            {
                part.length = None;
            }
        }
        if key.kind == KeyKind::Primary {
            if self.keys.iter().any(|other| other.kind == KeyKind::Primary) {
                return None;
            }
            for part in &key.parts {
                let mut columns = self.columns.iter_mut();
                if let Some(column) = columns.find(|column| column.text.name == part.column) {
                    column.text.nullable = Some(false);
                }
            }
        } else if key.name.is_none() {
            key.name = Some(self.key_name(&key.parts.first()?.column));
        }
        let is_taken = |key: &Key| {
            let name = key.name.as_ref().map(|name| name.to_lowercase());
            let mut others = self.keys.iter().filter(|other| !other.generated);
            name.is_some()
                && others.any(|other| other.name.as_ref().map(|n| n.to_lowercase()) == name)
        };
        if !key.generated && is_taken(&key) {
            return None;
        }
        self.keys.push(key);
        Some(())
    }

    fn key_name(&self, column: &str) -> String {
        let is_free = |name: &String| {
            let mut names = self.keys.iter().filter_map(|key| key.name.as_ref());
            !name.eq_ignore_ascii_case("primary")
                && !names.any(|other| other.to_lowercase() == name.to_lowercase())
        };
        let numbered = (2..).map(|number| format!("{column}_{number}"));
        std::iter::once(column.to_owned())
            .chain(numbered)
            .find(is_free)
            .unwrap_or_default()
    }

    fn check_name(&self, given: Option<&String>, server: &Surroundings) -> String {
        if let Some(given) = given {
            return given.clone();
        }
        let table = &self.text.name.name;
        let mariadb = is_mariadb(&server.server);
        let numbered = (1..).map(|number| {
            if mariadb {
                format!("CONSTRAINT_{number}")
            } else {
                format!("{table}_chk_{number}")
            }
        });
        let is_free = |name: &String| !self.checks.iter().any(|(other, _)| other == name);
        numbered.into_iter().find(is_free).unwrap_or_default()
    }

    fn foreign_key_name(&self) -> String {
        let beginning = format!("{}_ibfk_", self.text.name.name);
        let numbers = self.foreign_keys.iter().filter_map(|key| {
            let number = key.name.as_ref()?.strip_prefix(&beginning)?;
            number.parse::<u32>().ok()
        });
        format!(
            "{beginning}{}",
            numbers.max().unwrap_or(0).saturating_add(1)
        )
    }

    /// An index that the server makes for a foreign key goes where another key serves.
    fn drop_needless_keys(&mut self) {
        let begins_like = |key: &Key, wanted: &Key| {
            !matches!(key.kind, KeyKind::Fulltext | KeyKind::Spatial)
                && key.parts.len() >= wanted.parts.len()
                && key
                    .parts
                    .iter()
                    .zip(&wanted.parts)
                    .all(|(one, other)| one.column == other.column && one.length.is_none())
        };
        let keys = self.keys.clone();
        let mut at = 0;
        self.keys.retain(|key| {
            let place = at;
            at += 1;
            !key.generated
                || !keys.iter().enumerate().any(|(other_place, other)| {
                    let is_preferred = !other.generated
                        || other.parts.len() > key.parts.len()
                        || other.parts.len() == key.parts.len() && other_place > place;
                    other_place != place && is_preferred && begins_like(other, key)
                })
        });
    }
}

/// The index that the server makes for a foreign key.
fn index_of(foreign_key: &ForeignKeyText) -> Key {
    let parts = foreign_key.columns.iter().map(|column| KeyPart {
        column: column.clone(),
        length: None,
        descending: false,
    });
    Key {
        kind: KeyKind::Plain,
        name: foreign_key
            .name
            .clone()
            .or_else(|| foreign_key.index.clone()),
        parts: parts.collect(),
        comment: String::new(),
        hidden: false,
        generated: true,
    }
}

/// The rows that the catalogue would have for the tables.
pub(super) fn answers(tables: &BTreeMap<String, Made>, server: &Surroundings) -> Answers {
    let mut answers = Answers {
        server: server.server_rows.clone(),
        ..Answers::default()
    };
    for made in tables.values() {
        made.tell(server, &mut answers);
    }
    answers
}

impl Made {
    fn tell(&self, server: &Surroundings, answers: &mut Answers) {
        let table = self.text.name.name.as_str();
        let mariadb = is_mariadb(&server.server);
        let row_format = self.text.row_format.as_ref();
        let options = row_format
            .filter(|format| !format.eq_ignore_ascii_case("default"))
            .map(|format| format!("row_format={}", format.to_ascii_uppercase()));
        answers.tables.push(row([
            table,
            "BASE TABLE",
            self.text.engine.as_deref().unwrap_or(server.engine()),
            self.text.collation.as_deref().unwrap_or_default(),
            &options.unwrap_or_default(),
            &kept_comment(&self.text.comment, mariadb),
        ]));
        for column in &self.columns {
            answers.columns.push(column.row(table, mariadb));
            if let Some(check) = &column.text.check {
                let expression = shown_expression(check, mariadb);
                answers
                    .checks
                    .push(row([table, &column.text.name, &expression, "Column"]));
            }
        }
        for (name, expression) in &self.checks {
            let expression = shown_expression(expression, mariadb);
            answers
                .checks
                .push(row([table, name, &expression, "Table"]));
            if !mariadb {
                answers.check_owners.push(row([table, name, "YES"]));
            }
        }
        for key in &self.keys {
            let name = match key.kind {
                KeyKind::Primary => "PRIMARY",
                _ => key.name.as_deref().unwrap_or_default(),
            };
            let is_unique = matches!(key.kind, KeyKind::Primary | KeyKind::Unique);
            let method = match key.kind {
                KeyKind::Fulltext => "FULLTEXT",
                KeyKind::Spatial => "SPATIAL",
                KeyKind::Primary | KeyKind::Unique | KeyKind::Plain => "BTREE",
            };
            for part in &key.parts {
                let mut cells = row([
                    table,
                    name,
                    if is_unique { "0" } else { "1" },
                    &part.column,
                    if part.descending { "D" } else { "A" },
                    &part
                        .length
                        .map_or_else(String::new, |length| length.to_string()),
                    method,
                    &kept_comment(&key.comment, mariadb),
                ]);
                cells.push(None);
                cells.push(Some(if key.hidden { "YES" } else { "NO" }.to_owned()));
                answers.indexes.push(cells);
            }
        }
        for foreign_key in &self.foreign_keys {
            let name = foreign_key.name.as_deref().unwrap_or_default();
            let references = &foreign_key.references;
            for (column, referenced) in foreign_key.columns.iter().zip(&references.columns) {
                let mut cells = row([table, name, column]);
                cells.push(references.table.database.clone());
                cells.push(Some(references.table.name.clone()));
                cells.push(Some(referenced.clone()));
                answers.key_columns.push(cells);
            }
            answers.foreign_keys.push(row([
                table,
                name,
                &references.on_delete,
                &references.on_update,
            ]));
        }
    }

    /// Names of tables and columns that its foreign keys refer to, as those have them.
    pub(super) fn point_at(&mut self, tables: &BTreeMap<String, Self>) {
        for key in &mut self.foreign_keys {
            let Some(target) = tables.get(&key.references.table.name) else {
                continue;
            };
            for column in &mut key.references.columns {
                if let Some(actual) = target.actual(column) {
                    *column = actual;
                }
            }
        }
    }

    /// The tables in other databases, and this one, that its foreign keys refer to.
    pub(super) fn referenced(&mut self) -> impl Iterator<Item = &mut Name> {
        let keys = self.foreign_keys.iter_mut();
        keys.map(|key| &mut key.references.table)
    }
}

impl MadeColumn {
    fn row(&self, table: &str, mariadb: bool) -> TextRow {
        let text = &self.text;
        let can_be_null = text.nullable.unwrap_or(true) || text.generated.is_some() && mariadb;
        let mut extra = Vec::new();
        if text.auto_increment {
            extra.push("auto_increment".to_owned());
        }
        if let Some((_, stored)) = &text.generated {
            let word = if *stored {
                "STORED GENERATED"
            } else {
                "VIRTUAL GENERATED"
            };
            extra.push(word.to_owned());
        }
        let (default, is_expression) = self.default(mariadb);
        if is_expression && !mariadb {
            extra.push("DEFAULT_GENERATED".to_owned());
        }
        if let Some(on_update) = &text.on_update {
            extra.push(format!("on update {}", current_time(on_update, mariadb)));
        }
        if text.invisible {
            extra.push("INVISIBLE".to_owned());
        }
        let generated = text.generated.as_ref();
        let (charset, collation) = self.charset.clone().unwrap_or_default();
        let mut cells = row([
            table,
            &text.name,
            &self.shown_type,
            if can_be_null { "YES" } else { "NO" },
        ]);
        cells.push(default);
        cells.push(Some(extra.join(" ")));
        cells.push(generated.map(|(expression, _)| shown_expression(expression, mariadb)));
        let comment = kept_comment(&text.comment, mariadb);
        cells.extend(row([&charset, &collation, &comment]));
        cells
    }

    /// The default, and whether MySQL keeps it as an expression.
    fn default(&self, mariadb: bool) -> (Option<String>, bool) {
        let Some(written) = &self.text.default else {
            return (None, false);
        };
        if canonical::is_current_time(written) {
            return (Some(current_time(written, mariadb)), true);
        }
        let shown = reported::default(written, &self.column_type);
        if mariadb {
            return (Some(shown), false);
        }
        if !canonical::is_literal(&shown) {
            return (Some(shown_expression(&shown, false)), true);
        }
        let is_null = shown.eq_ignore_ascii_case("null");
        let is_string = shown.starts_with(['\'', '"']);
        let raw = if is_string {
            canonical::string_value(&shown)
        } else {
            shown
        };
        ((!is_null).then_some(raw), false)
    }
}

/// An expression as the catalogue keeps it: MySQL escapes its quotes.
fn shown_expression(expression: &str, mariadb: bool) -> String {
    if mariadb {
        expression.to_owned()
    } else {
        expression.replace('\'', "\\'")
    }
}

/// What the server keeps of a comment: MariaDB has no characters of four bytes there.
fn kept_comment(comment: &str, mariadb: bool) -> String {
    let kept = |c: char| if mariadb && c.len_utf8() == 4 { '?' } else { c };
    comment.chars().map(kept).collect()
}

/// The current time as the server shows it.
fn current_time(written: &str, mariadb: bool) -> String {
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    match (digits.as_str(), mariadb) {
        ("" | "0", true) => "current_timestamp()".to_owned(),
        ("" | "0", false) => "CURRENT_TIMESTAMP".to_owned(),
        (digits, _) => format!("current_timestamp({digits})"),
    }
}
