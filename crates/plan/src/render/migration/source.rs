//! Rust source with comments, formatted.

use std::fmt::Write as _;

use super::RenderError;
use crate::dialect::Dialect;

/// The statements of a function body. Comments stand in it as calls of macros that do not exist, so
/// that they survive formatting, which knows no comments; they are turned into comments afterwards.
#[derive(Debug, Default)]
pub(super) struct Body {
    code: String,
    /// The texts of its comments; the code names them by number.
    comments: Vec<String>,
    /// Something is done with the bare connection.
    runs_sql: bool,
    is_empty: bool,
}

const COMMENT: &str = "stairway_comment!(";
const BLANK: &str = "stairway_blank!();";

impl Body {
    pub(super) fn new() -> Self {
        Self {
            is_empty: true,
            ..Self::default()
        }
    }

    /// A line of comment.
    pub(super) fn comment(&mut self, text: &str) {
        // What a database calls things must not end the comment or turn the text round.
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        let _ = writeln!(self.code, "{COMMENT}{});", self.comments.len());
        self.comments.push(text);
        self.is_empty = false;
    }

    /// The SQL of code that does not show it.
    pub(super) fn preview(&mut self, statement: &str) {
        for line in statement.lines() {
            self.comment(&format!("    {line}"));
        }
    }

    /// An empty line, except at the beginning.
    pub(super) fn blank(&mut self) {
        if !self.is_empty {
            self.code.push_str(BLANK);
            self.code.push('\n');
        }
    }

    /// Rust statements.
    pub(super) fn code(&mut self, code: &str) {
        self.code.push_str(code);
        self.code.push('\n');
        self.is_empty = false;
    }

    /// Runs a statement as it is.
    pub(super) fn execute(&mut self, statement: &str) {
        self.runs_sql = true;
        self.code(&format!(
            "db.execute_unprepared({}).await?;",
            literal(statement)
        ));
    }

    /// Runs statements as they are. SQLite's rebuild of a table is one string: its statements must
    /// reach the same connection, whoever runs the migration. It switches foreign keys off where they
    /// must be, which has no effect inside a transaction: sea-orm-migration makes none on SQLite, and
    /// Stairway sees to the switch before it begins its own.
    pub(super) fn execute_all(&mut self, statements: &[String]) {
        let is_rebuild = statements
            .first()
            .is_some_and(|first| first.starts_with("PRAGMA "));
        if !is_rebuild {
            for statement in statements {
                self.execute(statement);
            }
            return;
        }
        self.execute(&statements.join(";\n"));
    }
}

/// The whole file after its module comment.
pub(super) fn file(up: &Body, down: &Body, dialect: Dialect) -> Result<String, RenderError> {
    let (product, backend) = match dialect {
        Dialect::Postgres => ("PostgreSQL", "Postgres"),
        Dialect::Mysql => ("MySQL", "MySql"),
        Dialect::Sqlite => ("SQLite", "Sqlite"),
    };
    let function = |body: &Body| {
        let prelude = if body.runs_sql {
            format!(
                "refuse_other_databases(manager)?;\nlet db = manager.get_connection();\n{BLANK}\n"
            )
        } else {
            String::new()
        };
        format!("{prelude}{}\n{BLANK}\nOk(())", body.code)
    };
    let runs_sql = up.runs_sql || down.runs_sql;
    let makes_types = [up, down].iter().any(|body| body.code.contains("Type::"));
    let mut text = String::from("use sea_orm_migration::prelude::*;\n");
    if runs_sql {
        text.push_str("use sea_orm_migration::sea_orm::DbBackend;\n");
    }
    if makes_types {
        text.push_str("use sea_orm_migration::sea_query::extension::postgres::Type;\n");
    }
    let _ = write!(
        text,
        "#[derive(DeriveMigrationName)]
        pub struct Migration;

        #[async_trait::async_trait]
        impl MigrationTrait for Migration {{
            async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {{ {} }}
            async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {{ {} }}
        }}",
        function(up),
        function(down)
    );
    if runs_sql {
        let _ = write!(text, "/// The SQL in here is {product}'s.
            fn refuse_other_databases(manager: &SchemaManager) -> Result<(), DbErr> {{
                match manager.get_database_backend() {{
                    DbBackend::{backend} => Ok(()),
                    backend => Err(DbErr::Custom(format!(\"there is no SQL for {{backend:?}} here\"))),
                }}
            }}");
    }
    let file = syn::parse_file(&text).map_err(|error| RenderError {
        reason: error.to_string(),
        source_text: text.clone(),
    })?;
    Ok(with_comments(
        &prettyplease::unparse(&file),
        [&up.comments, &down.comments],
    ))
}

/// Turns the calls that stand for comments into comments, and puts empty lines between items.
fn with_comments(formatted: &str, comments: [&[String]; 2]) -> String {
    let mut text = String::new();
    let mut previous = "";
    let mut function = 0;
    for line in formatted.lines() {
        let code = line.trim_start();
        let indent = &line[..line.len() - code.len()];
        let starts_item =
            code.starts_with("#[") || code.starts_with("async fn down") || code.starts_with("/// ");
        if starts_item && !previous.is_empty() && !previous.trim_end().ends_with('{') {
            text.push('\n');
        }
        previous = line;
        if code.starts_with("async fn down") {
            function = 1;
        }
        if code == BLANK {
            text.push('\n');
        } else if let Some(comment) = commented(code, comments[function]) {
            text.push_str(indent);
            text.push_str("// ");
            text.push_str(comment);
            text.truncate(text.trim_end().len());
            text.push('\n');
        } else {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

fn commented<'a>(code: &str, comments: &'a [String]) -> Option<&'a str> {
    let number = code.strip_prefix(COMMENT)?.strip_suffix(");")?;
    comments
        .get(number.parse::<usize>().ok()?)
        .map(String::as_str)
}

/// A text as a Rust literal: a raw one where that is easier to read.
pub(super) fn literal(text: &str) -> String {
    let plain =
        !text.contains(['"', '\\', '\n', '\r', '\t']) && !text.chars().any(char::is_control);
    if plain {
        return format!("\"{text}\"");
    }
    if text.contains('\r')
        || text
            .chars()
            .any(|c| c.is_control() && c != '\n' && c != '\t')
    {
        return format!("{text:?}");
    }
    let mut hashes = "#".to_owned();
    while text.contains(&format!("\"{hashes}")) {
        hashes.push('#');
    }
    let hashes = if text.contains('"') {
        hashes.as_str()
    } else {
        ""
    };
    format!("r{hashes}\"{text}\"{hashes}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_means_the_text_whatever_it_holds() {
        for text in [
            "plain",
            "it's",
            "a \"b\"",
            "\"#",
            "\"##",
            "back\\slash",
            "two\nlines \"x\"",
            "\r\n",
            "\u{0}é",
        ] {
            let parsed: syn::LitStr = syn::parse_str(&literal(text)).unwrap();
            assert_eq!(parsed.value(), text);
        }
    }
}
