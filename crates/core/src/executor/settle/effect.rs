//! MySQL/MariaDB: what a definition must have left behind if it was done. Objects that look otherwise
//! than before may have been changed by somebody else.

use stairway_plan::sql::lexer::{Token, TokenKind, tokens};
use stairway_plan::sql::{Dialect, Statement, StatementKind};

use super::quoted;

/// Stands in a look for an object that is not there.
pub(super) const ABSENT: &str = "absent";

/// What a changed look says of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// All that can be told of it is there.
    There,
    /// The object that it makes is not there.
    NotMade,
    /// This, in words, is not as it would have made it.
    Missing(String),
}

/// Compares a look that has changed with what the statement would have made.
pub(super) fn effect(statement: &Statement, text: &str, now: &str) -> Effect {
    let target = statement
        .target
        .as_ref()
        .map(|name| format!("{}: {ABSENT}", quoted(Dialect::MySql, name)));
    let target_is_absent = target.is_some_and(|line| now.lines().any(|shown| shown == line));
    let missing = match statement.kind {
        StatementKind::CreateTable
        | StatementKind::CreateView { .. }
        | StatementKind::Create(_)
            if target_is_absent =>
        {
            return Effect::NotMade;
        }
        StatementKind::DropTable | StatementKind::DropView { .. }
            if statement.target.is_some() && statement.affects.len() == 1 && !target_is_absent =>
        {
            Some("it is there, but not as it was".to_owned())
        }
        StatementKind::CreateIndex { .. } => statement
            .target
            .as_ref()
            .and_then(|index| Expected::Key(index.name.clone()).missing_in(now)),
        StatementKind::DropIndex { .. } => statement
            .target
            .as_ref()
            .and_then(|index| Expected::NoKey(index.name.clone()).missing_in(now)),
        StatementKind::AlterTable => expected(text)
            .into_iter()
            .find_map(|expected| expected.missing_in(now)),
        _ => None,
    };
    missing.map_or(Effect::There, Effect::Missing)
}

/// What an action of `ALTER TABLE` leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Expected {
    Column(String),
    NoColumn(String),
    Key(String),
    NoKey(String),
    Constraint(String),
    NoConstraint(String),
}

impl Expected {
    /// What is not as expected in `SHOW CREATE TABLE`, in words.
    fn missing_in(&self, shown: &str) -> Option<String> {
        let (name, wanted, found, kind) = match self {
            Self::Column(name) => (name, true, has_column(shown, name), "column"),
            Self::NoColumn(name) => (name, false, has_column(shown, name), "column"),
            Self::Key(name) => (name, true, has_key(shown, name), "index"),
            Self::NoKey(name) => (name, false, has_key(shown, name), "index"),
            // A unique constraint is shown as a key.
            Self::Constraint(name) => (
                name,
                true,
                has_constraint(shown, name) || has_key(shown, name),
                "constraint",
            ),
            Self::NoConstraint(name) => (name, false, has_constraint(shown, name), "constraint"),
        };
        (wanted != found).then(|| {
            let state = if wanted { "is not there" } else { "is there" };
            format!("the {kind} `{name}` {state}")
        })
    }
}

/// A line of `SHOW CREATE TABLE` that begins a column.
fn has_column(shown: &str, name: &str) -> bool {
    has_line(shown, &["  "], name)
}

fn has_key(shown: &str, name: &str) -> bool {
    has_line(
        shown,
        &[
            "  KEY ",
            "  UNIQUE KEY ",
            "  FULLTEXT KEY ",
            "  SPATIAL KEY ",
        ],
        name,
    )
}

fn has_constraint(shown: &str, name: &str) -> bool {
    has_line(shown, &["  CONSTRAINT "], name)
}

/// The server does not tell upper from lower case in these names.
fn has_line(shown: &str, beginnings: &[&str], name: &str) -> bool {
    let name = Dialect::MySql.quote_identifier(name).to_lowercase();
    shown.lines().any(|line| {
        beginnings.iter().any(|beginning| {
            line.strip_prefix(beginning)
                .is_some_and(|rest| rest.to_lowercase().starts_with(&format!("{name} ")))
        })
    })
}

/// What the actions of an `ALTER TABLE` leave behind, as far as they are told by names.
fn expected(text: &str) -> Vec<Expected> {
    let significant: Vec<Token> = tokens(text, Dialect::MySql)
        .filter(Token::is_significant)
        .collect();
    actions(text, &significant)
        .into_iter()
        .flat_map(|action| expected_of(text, action))
        .collect()
}

/// The tokens of each action: what stands between the commas behind the table's name.
fn actions<'a>(text: &str, significant: &'a [Token]) -> Vec<&'a [Token]> {
    let is = |index: usize, word: &str| {
        significant
            .get(index)
            .is_some_and(|token| token.text(text).eq_ignore_ascii_case(word))
    };
    let Some(table) = (0..significant.len()).find(|index| is(*index, "table")) else {
        return Vec::new();
    };
    let mut at = table + 1;
    if is(at, "if") {
        at += 2;
    }
    at += 1;
    while is(at, ".") {
        at += 2;
    }
    let mut found = Vec::new();
    let (mut begin, mut depth) = (at, 0_usize);
    for index in at..significant.len() {
        match significant[index].text(text) {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            "," if depth == 0 => {
                found.push(&significant[begin..index]);
                begin = index + 1;
            }
            _ => {}
        }
    }
    found.push(significant.get(begin..).unwrap_or_default());
    found
}

fn expected_of(text: &str, action: &[Token]) -> Vec<Expected> {
    let word = |index: usize| {
        action
            .get(index)
            .filter(|token| token.kind == TokenKind::Word)
            .map(|token| token.text(text).to_ascii_lowercase())
            .unwrap_or_default()
    };
    // The name that stands at a place, behind `IF [NOT] EXISTS`.
    let name = |mut index: usize| {
        if word(index) == "if" {
            index += if word(index + 1) == "not" { 3 } else { 2 };
        }
        let token = action.get(index)?;
        let text = token.text(text);
        match token.kind {
            TokenKind::Word => Some(text.to_owned()),
            TokenKind::QuotedIdentifier => Some(text.trim_matches('`').replace("``", "`")),
            _ => None,
        }
    };
    let found = |expected: fn(String) -> Expected, index| name(index).map(expected);
    let (verb, second) = (word(0), word(1));
    let single = match (verb.as_str(), second.as_str()) {
        ("add", "index" | "key") => found(Expected::Key, 2),
        ("add", "unique" | "fulltext" | "spatial") => {
            let at = if matches!(word(2).as_str(), "index" | "key") {
                3
            } else {
                2
            };
            found(Expected::Key, at)
        }
        ("add", "constraint")
            if !matches!(word(2).as_str(), "primary" | "unique" | "foreign" | "check") =>
        {
            // A primary key has no name of its own.
            let is_primary = action
                .iter()
                .any(|token| token.text(text).eq_ignore_ascii_case("primary"));
            if is_primary {
                None
            } else {
                found(Expected::Constraint, 2)
            }
        }
        (
            "add",
            "constraint" | "primary" | "foreign" | "check" | "partition" | "period" | "system",
        )
        | ("drop", "primary" | "partition" | "period" | "system" | "check") => None,
        ("add", "column") => found(Expected::Column, 2),
        ("add", _) => found(Expected::Column, 1),
        ("drop", "index" | "key") => found(Expected::NoKey, 2),
        ("drop", "constraint") => found(Expected::NoConstraint, 2),
        ("drop", "foreign") => found(Expected::NoConstraint, 3),
        ("drop", "column") => found(Expected::NoColumn, 2),
        ("drop", _) => found(Expected::NoColumn, 1),
        ("change" | "rename", _) => {
            let (old, new) = match (verb.as_str(), second.as_str()) {
                ("change", "column") => (name(2), name(3)),
                ("change", _) => (name(1), name(2)),
                (_, "column") => (name(2), name(4)),
                _ => return Vec::new(),
            };
            let renamed = match (&old, &new) {
                (Some(old), Some(new)) if !old.eq_ignore_ascii_case(new) => old.clone(),
                _ => return new.map(Expected::Column).into_iter().collect(),
            };
            return new
                .map(Expected::Column)
                .into_iter()
                .chain([Expected::NoColumn(renamed)])
                .collect();
        }
        _ => None,
    };
    single.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "`t`: CREATE TABLE `t` (\n  `id` int(11) NOT NULL,\n  `Weight` int(11) DEFAULT NULL,\n  \
         PRIMARY KEY (`id`),\n  UNIQUE KEY `u` (`Weight`),\n  KEY `k` (`id`,`Weight`),\n  \
         CONSTRAINT `f` FOREIGN KEY (`id`) REFERENCES `s` (`id`),\n  CONSTRAINT `c` CHECK (`id` > 0)\n) \
         ENGINE=InnoDB\n";

    fn of(sql: &str, now: &str) -> Effect {
        effect(&stairway_plan::sql::classify(sql, Dialect::MySql), sql, now)
    }

    #[test]
    fn what_the_actions_would_have_made_is_there() {
        for sql in [
            "ALTER TABLE t ADD weight int",
            "ALTER TABLE `s`.`t` ADD COLUMN IF NOT EXISTS `weight` int DEFAULT (1, 2), DROP COLUMN gone",
            "ALTER TABLE t ADD UNIQUE KEY u (weight), ADD INDEX k (id, weight), ADD CONSTRAINT f FOREIGN KEY (id) \
             REFERENCES s (id), ADD CONSTRAINT c CHECK (id > 0)",
            "ALTER TABLE t ADD CONSTRAINT u UNIQUE (weight), ADD CONSTRAINT p PRIMARY KEY (id)",
            "ALTER TABLE t CHANGE size weight int, MODIFY id int, RENAME COLUMN a TO id",
            "ALTER TABLE t DROP INDEX other, DROP FOREIGN KEY other, DROP PRIMARY KEY",
            "ALTER TABLE t ENGINE=InnoDB, COMMENT 'add column x', ADD PRIMARY KEY (id), ADD CHECK (id > 0)",
            "ALTER TABLE t ADD UNIQUE (weight), ADD FOREIGN KEY (id) REFERENCES s (id)",
            "CREATE INDEX k ON t (id, weight)",
            "DROP INDEX other ON t",
        ] {
            assert_eq!(of(sql, TABLE), Effect::There, "{sql}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        for (sql, missing) in [
            (
                "ALTER TABLE t ADD height int",
                "the column `height` is not there",
            ),
            ("ALTER TABLE t ADD weight int, ADD (a int)", ""),
            (
                "ALTER TABLE t ADD weight int, DROP id",
                "the column `id` is there",
            ),
            ("ALTER TABLE t ADD KEY z (id)", "the index `z` is not there"),
            (
                "ALTER TABLE t DROP FOREIGN KEY f",
                "the constraint `f` is there",
            ),
            (
                "ALTER TABLE t CHANGE id number int",
                "the column `number` is not there",
            ),
            (
                "CREATE UNIQUE INDEX z ON t (id)",
                "the index `z` is not there",
            ),
            ("DROP INDEX k ON t", "the index `k` is there"),
        ] {
            let wanted = if missing.is_empty() {
                Effect::There
            } else {
                Effect::Missing(missing.to_owned())
            };
            assert_eq!(of(sql, TABLE), wanted, "{sql}");
        }
    }

    #[test]
    fn an_object_that_was_to_be_made_and_is_absent_was_not_made() {
        assert_eq!(
            of("CREATE OR REPLACE TABLE t (id int)", "`t`: absent\n"),
            Effect::NotMade
        );
        assert_eq!(
            of("CREATE OR REPLACE TABLE t (id int)", TABLE),
            Effect::There
        );
        assert_eq!(of("DROP TABLE t", "`t`: absent\n"), Effect::There);
        assert!(matches!(of("DROP TABLE t", TABLE), Effect::Missing(_)));
    }
}
