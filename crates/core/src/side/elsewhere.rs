//! Entities that name where they live (`schema_name`), on MySQL and SQLite.
//!
//! On PostgreSQL that is a schema and a part of what is compared. Here it is another database, unless
//! it is the one that is compared. sea-orm writes the name in front of the table's in `CREATE TABLE`
//! and in foreign keys, and leaves it out in `CREATE INDEX`.

use stairway_plan::sql::Dialect;
use stairway_plan::sql::lexer::{Token, TokenKind, tokens};

/// The statements of entities, sorted by where they live.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sorted {
    /// Those for the database that is compared, without its name.
    pub(super) here: Vec<String>,
    /// The tables of other databases, for people.
    pub(super) elsewhere: Vec<String>,
}

/// Sorts the statements that sea-orm made of entities. `database` is the one that is compared.
pub(super) fn sorted(statements: Vec<String>, dialect: Dialect, database: &str) -> Sorted {
    if dialect == Dialect::Postgres {
        return Sorted {
            here: statements,
            elsewhere: Vec::new(),
        };
    }
    // SQLite calls the file that was opened so.
    let here = if dialect == Dialect::Sqlite {
        "main"
    } else {
        database
    };
    let mut sorted = Sorted::default();
    // The indexes of a table follow it and do not say where they live.
    let mut is_elsewhere = false;
    for statement in statements {
        let pairs = qualified(&statement, dialect);
        if statement.starts_with("CREATE TABLE ") {
            let other = pairs.first().filter(|pair| {
                let is_table = pair.cut.start <= "CREATE TABLE IF NOT EXISTS ".len();
                is_table && pair.database != here
            });
            is_elsewhere = other.is_some();
            sorted
                .elsewhere
                .extend(other.map(|pair| format!("{}.{}", pair.database, pair.name)));
        }
        if is_elsewhere {
            continue;
        }
        let mut text = statement;
        for pair in pairs.iter().rev().filter(|pair| pair.database == here) {
            text.replace_range(pair.cut.clone(), "");
        }
        sorted.here.push(text);
    }
    sorted
}

/// A quoted name with another one and a dot in front.
struct Qualified {
    database: String,
    name: String,
    /// The first name and the dot.
    cut: std::ops::Range<usize>,
}

fn qualified(statement: &str, dialect: Dialect) -> Vec<Qualified> {
    let all: Vec<Token> = tokens(statement, dialect)
        .filter(Token::is_significant)
        .collect();
    let pairs = all.windows(3).filter(|three| {
        three[0].kind == TokenKind::QuotedIdentifier
            && three[1].text(statement) == "."
            && three[2].kind == TokenKind::QuotedIdentifier
    });
    pairs
        .map(|three| Qualified {
            database: unquoted(three[0].text(statement)),
            name: unquoted(three[2].text(statement)),
            cut: three[0].span.start..three[2].span.start,
        })
        .collect()
}

fn unquoted(text: &str) -> String {
    let quote = &text[..1];
    let inner = &text[1..];
    inner
        .strip_suffix(quote)
        .unwrap_or(inner)
        .replace(&quote.repeat(2), quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(statements: &[&str], dialect: Dialect) -> Sorted {
        let statements = statements.iter().map(|sql| (*sql).to_owned()).collect();
        sorted(statements, dialect, "shop")
    }

    #[test]
    fn the_name_of_the_compared_database_is_taken_off() {
        let found = split(
            &[
                "CREATE TABLE `shop`.`users` ( `id` int, `note` varchar(9) DEFAULT '`shop`.`x`', FOREIGN KEY (`id`) REFERENCES `shop`.`orgs` (`id`) )",
                "CREATE INDEX `i` ON `users` (`id`)",
            ],
            Dialect::MySql,
        );
        assert_eq!(
            found.here,
            [
                "CREATE TABLE `users` ( `id` int, `note` varchar(9) DEFAULT '`shop`.`x`', FOREIGN KEY (`id`) REFERENCES `orgs` (`id`) )",
                "CREATE INDEX `i` ON `users` (`id`)",
            ]
        );
        assert!(found.elsewhere.is_empty());
    }

    #[test]
    fn tables_of_other_databases_are_named_and_go_with_their_indexes() {
        let found = split(
            &[
                "CREATE TABLE IF NOT EXISTS `sys``1`.`users` ( `id` int )",
                "CREATE INDEX `i` ON `users` (`id`)",
                "CREATE TABLE `users` ( `id` int REFERENCES `sys``1`.`users` (`id`) )",
                "CREATE INDEX `j` ON `users` (`id`)",
            ],
            Dialect::MySql,
        );
        assert_eq!(found.elsewhere, ["sys`1.users"]);
        assert_eq!(
            found.here,
            [
                "CREATE TABLE `users` ( `id` int REFERENCES `sys``1`.`users` (`id`) )",
                "CREATE INDEX `j` ON `users` (`id`)",
            ]
        );
    }

    #[test]
    fn sqlite_knows_the_compared_file_as_main() {
        let found = split(
            &[
                "CREATE TABLE \"main\".\"a\" ( \"id\" integer )",
                "CREATE TABLE \"shop\".\"b\" ( \"id\" integer )",
            ],
            Dialect::Sqlite,
        );
        assert_eq!(found.here, ["CREATE TABLE \"a\" ( \"id\" integer )"]);
        assert_eq!(found.elsewhere, ["shop.b"]);
    }

    #[test]
    fn schemas_of_postgres_stay() {
        let statement = "CREATE TABLE \"app\".\"a\" ( \"id\" integer )";
        let found = split(&[statement], Dialect::Postgres);
        assert_eq!(found.here, [statement]);
    }
}
