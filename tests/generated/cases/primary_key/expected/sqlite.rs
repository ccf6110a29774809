//! primary key

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - primary key of a (id)
        // CHECK: SQLite cannot change this in place: a is copied into a new table
        db.execute_unprepared(
                r#"PRAGMA legacy_alter_table = ON;
SAVEPOINT stairway_rebuild;
CREATE TEMP TABLE stairway_rebuild (lost_rows INTEGER CONSTRAINT "no row is lost" CHECK (lost_rows = 0), broken_references INTEGER CONSTRAINT "no reference is broken" CHECK (broken_references = 0), foreign_keys INTEGER CONSTRAINT "PRAGMA foreign_keys is OFF" CHECK (foreign_keys = 0));
ALTER TABLE "a" RENAME TO "a_before_rebuild";
CREATE TABLE a (id integer NOT NULL, part integer NOT NULL, note varchar(20), PRIMARY KEY ("id", "part"));
INSERT OR ROLLBACK INTO "a" ("id", "part", "note") SELECT "id", "part", "note" FROM "a_before_rebuild";
INSERT OR ROLLBACK INTO temp.stairway_rebuild (lost_rows) SELECT (SELECT count(*) FROM "a_before_rebuild") - (SELECT count(*) FROM "a");
DROP TABLE "a_before_rebuild";
DROP TABLE temp.stairway_rebuild;
RELEASE stairway_rebuild;
PRAGMA legacy_alter_table = OFF"#,
            )
            .await?;

        // + primary key of a (id, part)
        // CHECK: fails if existing rows do not fit.
        // Done above, with: - primary key of a (id)

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - primary key of a (id, part)
        db.execute_unprepared(
                r#"PRAGMA legacy_alter_table = ON;
SAVEPOINT stairway_rebuild;
CREATE TEMP TABLE stairway_rebuild (lost_rows INTEGER CONSTRAINT "no row is lost" CHECK (lost_rows = 0), broken_references INTEGER CONSTRAINT "no reference is broken" CHECK (broken_references = 0), foreign_keys INTEGER CONSTRAINT "PRAGMA foreign_keys is OFF" CHECK (foreign_keys = 0));
ALTER TABLE "a" RENAME TO "a_before_rebuild";
CREATE TABLE a (id integer NOT NULL, part integer NOT NULL, note varchar(20), PRIMARY KEY (id));
INSERT OR ROLLBACK INTO "a" ("id", "part", "note") SELECT "id", "part", "note" FROM "a_before_rebuild";
INSERT OR ROLLBACK INTO temp.stairway_rebuild (lost_rows) SELECT (SELECT count(*) FROM "a_before_rebuild") - (SELECT count(*) FROM "a");
DROP TABLE "a_before_rebuild";
DROP TABLE temp.stairway_rebuild;
RELEASE stairway_rebuild;
PRAGMA legacy_alter_table = OFF"#,
            )
            .await?;

        // + primary key of a (id)

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
