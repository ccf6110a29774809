//! views and checks

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - view grown_up
        db.execute_unprepared(r#"DROP VIEW "grown_up""#).await?;

        // - view obsolete
        db.execute_unprepared(r#"DROP VIEW "obsolete""#).await?;

        // - check users_age of users: age > 0
        // CHECK: SQLite cannot change this in place: users is copied into a new table
        db.execute_unprepared(
                r#"PRAGMA legacy_alter_table = ON;
SAVEPOINT stairway_rebuild;
CREATE TEMP TABLE stairway_rebuild (lost_rows INTEGER CONSTRAINT "no row is lost" CHECK (lost_rows = 0), broken_references INTEGER CONSTRAINT "no reference is broken" CHECK (broken_references = 0), foreign_keys INTEGER CONSTRAINT "PRAGMA foreign_keys is OFF" CHECK (foreign_keys = 0));
ALTER TABLE "users" RENAME TO "users_before_rebuild";
CREATE TABLE users (id integer NOT NULL PRIMARY KEY, name varchar(40) NOT NULL, age integer, CONSTRAINT "users_age" CHECK (age > 3), CONSTRAINT "users_name" CHECK (name <> ''));
INSERT OR ROLLBACK INTO "users" ("id", "name", "age") SELECT "id", "name", "age" FROM "users_before_rebuild";
INSERT OR ROLLBACK INTO temp.stairway_rebuild (lost_rows) SELECT (SELECT count(*) FROM "users_before_rebuild") - (SELECT count(*) FROM "users");
DROP TABLE "users_before_rebuild";
DROP TABLE temp.stairway_rebuild;
RELEASE stairway_rebuild;
PRAGMA legacy_alter_table = OFF"#,
            )
            .await?;

        // - column users.gone integer
        // CHECK: data is lost and can't be brought back.
        // Done above, with: - check users_age of users: age > 0

        // + check users_age of users: age > 3
        // CHECK: fails if existing rows do not fit.
        // Done above, with: - check users_age of users: age > 0

        // + check users_name of users: name <> ''
        // CHECK: fails if existing rows do not fit.
        // Done above, with: - check users_age of users: age > 0

        // + view grown_up
        // CHECK: privileges granted on the old view must be granted again
        db.execute_unprepared(
                "CREATE VIEW grown_up AS SELECT id, name, age FROM users WHERE age >= 21",
            )
            .await?;

        // + view names
        db.execute_unprepared("CREATE VIEW names AS SELECT name FROM users").await?;

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // What does not come back:
        //   the values of users.gone

        // - view names
        db.execute_unprepared(r#"DROP VIEW "names""#).await?;

        // - view grown_up
        db.execute_unprepared(r#"DROP VIEW "grown_up""#).await?;

        // - check users_name of users: name <> ''
        db.execute_unprepared(
                r#"PRAGMA legacy_alter_table = ON;
SAVEPOINT stairway_rebuild;
CREATE TEMP TABLE stairway_rebuild (lost_rows INTEGER CONSTRAINT "no row is lost" CHECK (lost_rows = 0), broken_references INTEGER CONSTRAINT "no reference is broken" CHECK (broken_references = 0), foreign_keys INTEGER CONSTRAINT "PRAGMA foreign_keys is OFF" CHECK (foreign_keys = 0));
ALTER TABLE "users" RENAME TO "users_before_rebuild";
CREATE TABLE users (id integer NOT NULL PRIMARY KEY, name varchar(40) NOT NULL, age integer, gone integer, CONSTRAINT users_age CHECK (age > 0));
INSERT OR ROLLBACK INTO "users" ("id", "name", "age") SELECT "id", "name", "age" FROM "users_before_rebuild";
INSERT OR ROLLBACK INTO temp.stairway_rebuild (lost_rows) SELECT (SELECT count(*) FROM "users_before_rebuild") - (SELECT count(*) FROM "users");
DROP TABLE "users_before_rebuild";
DROP TABLE temp.stairway_rebuild;
RELEASE stairway_rebuild;
PRAGMA legacy_alter_table = OFF"#,
            )
            .await?;

        // - check users_age of users: age > 3
        // Done with: + check users_age of users: age > 0

        // + column users.gone integer
        // Done with: + check users_age of users: age > 0

        // + check users_age of users: age > 0

        // + view obsolete
        db.execute_unprepared("CREATE VIEW obsolete AS SELECT id FROM users").await?;

        // + view grown_up
        db.execute_unprepared(
                "CREATE VIEW grown_up AS SELECT id, name FROM users WHERE age >= 18",
            )
            .await?;

        Ok(())
    }
}

/// The SQL in here is SQLite's.
fn refuse_other_databases(manager: &SchemaManager) -> Result<(), DbErr> {
    match manager.get_database_backend() {
        DbBackend::Sqlite => Ok(()),
        backend => Err(DbErr::Custom(format!("there is no SQL for {backend:?} here"))),
    }
}
