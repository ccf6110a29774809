//! Which statements would reach beyond the scratch database in which they are run: a dump that says
//! `USE app; DROP TABLE users` means the real table, wherever it is run.

use stairway_plan::plan::Direction;
use stairway_plan::sql::{Dialect, ObjectKind, SettingScope, StatementKind, classify};

use super::{SideError, script};
use crate::MigrationSet;
use crate::render::render;

/// What the statement reaches beside the database of the session, for people.
pub(super) fn outside(sql: &str, dialect: Dialect) -> Option<String> {
    let statement = classify(sql, dialect);
    match statement.kind {
        StatementKind::Use | StatementKind::Attach => {
            return Some("it turns to another database".to_owned());
        }
        StatementKind::Create(kind) | StatementKind::Alter(kind) | StatementKind::Drop(kind) => {
            let name = statement.target.as_ref().map(ToString::to_string);
            let name = name.unwrap_or_default();
            match kind {
                ObjectKind::Database if !name.is_empty() => {
                    return Some(format!("it is about the database {name}"));
                }
                ObjectKind::Role => return Some(format!("it is about the user {name}")),
                ObjectKind::Tablespace => {
                    return Some(format!("it is about the tablespace {name}"));
                }
                _ => {}
            }
        }
        StatementKind::Administer
        | StatementKind::Set {
            scope: SettingScope::Global,
        } => return Some("it is about the whole server".to_owned()),
        StatementKind::Grant | StatementKind::Revoke if dialect == Dialect::MySql => {
            return Some("it is about the rights of a user".to_owned());
        }
        _ => {}
    }
    if dialect != Dialect::MySql {
        return None;
    }
    let named = [&statement.target, &statement.table].into_iter().flatten();
    let affected = statement.affects.iter().map(|reference| &reference.name);
    let database = named
        .chain(affected)
        .find_map(|object| object.schema.as_ref())?;
    Some(format!("it names the database {database}"))
}

/// Refuses to replay revisions of which a statement would reach beyond the scratch database: on MySQL
/// a table that is named with its database is the real one, wherever the statement is run.
pub(super) async fn stay_inside(
    migrations: &MigrationSet,
    dialect: Dialect,
) -> Result<(), SideError> {
    if dialect != Dialect::MySql {
        return Ok(());
    }
    for revision in migrations.graph() {
        let Some(migration) = migrations.migration(&revision.id) else {
            continue;
        };
        let rendered = render(&*migration, Direction::Upgrade, dialect).await;
        for statement in rendered.single_statements(dialect) {
            if let Some(why) = outside(&statement, dialect) {
                return Err(SideError::Beyond {
                    revision: revision.id.to_string(),
                    why,
                    statement: script::beginning(&statement),
                });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reaches_beyond_the_database_is_told() {
        for sql in [
            "USE app",
            "DROP TABLE IF EXISTS `app`.`users`",
            "DROP TABLE a, app.users",
            "CREATE TABLE app.users (id int)",
            "DELETE FROM app.users",
            "INSERT INTO app.users VALUES (1)",
            "ALTER TABLE app.users ADD COLUMN a int",
            "CREATE INDEX a ON app.users (id)",
            "TRUNCATE TABLE app.users",
            "DROP DATABASE app",
            "/*!40000 DROP DATABASE IF EXISTS `app`*/",
            "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `app`",
            "SET @@GLOBAL.GTID_PURGED='x'",
            "SET GLOBAL max_connections = 1",
            "DROP USER app",
            "GRANT ALL ON app.* TO bob",
        ] {
            assert!(outside(sql, Dialect::MySql).is_some(), "{sql}");
        }
        for sql in [
            "DROP TABLE IF EXISTS users",
            "CREATE TABLE users (id int, FOREIGN KEY (id) REFERENCES other.users (id))",
            "CREATE VIEW v AS SELECT id FROM other.users",
            "SET NAMES utf8mb4",
            "INSERT INTO users VALUES (1)",
            "CREATE DEFINER=`root`@`localhost` TRIGGER a BEFORE INSERT ON b FOR EACH ROW SET @x = 1",
        ] {
            assert_eq!(outside(sql, Dialect::MySql), None, "{sql}");
        }
        for sql in [
            "DROP DATABASE app",
            "CREATE ROLE app",
            "ALTER SYSTEM SET a = 1",
        ] {
            assert!(outside(sql, Dialect::Postgres).is_some(), "{sql}");
        }
        for sql in [
            "DROP TABLE app.users",
            "GRANT SELECT ON a TO b",
            "SET search_path = a",
        ] {
            assert_eq!(outside(sql, Dialect::Postgres), None, "{sql}");
        }
        assert!(outside("ATTACH 'app.db' AS app", Dialect::Sqlite).is_some());
    }
}
