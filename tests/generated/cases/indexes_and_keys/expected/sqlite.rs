//! indexes and keys

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - index a_y on a (y)
        db.execute_unprepared(r#"DROP INDEX "a_y""#).await?;

        // + unique a_x of a (x)
        // CHECK: fails if existing rows do not fit.
        // CHECK: SQLite cannot change this in place: a is copied into a new table
        db.execute_unprepared(
                r#"PRAGMA legacy_alter_table = ON;
SAVEPOINT stairway_rebuild;
CREATE TEMP TABLE stairway_rebuild (lost_rows INTEGER CONSTRAINT "no row is lost" CHECK (lost_rows = 0), broken_references INTEGER CONSTRAINT "no reference is broken" CHECK (broken_references = 0), foreign_keys INTEGER CONSTRAINT "PRAGMA foreign_keys is OFF" CHECK (foreign_keys = 0));
ALTER TABLE "a" RENAME TO "a_before_rebuild";
CREATE TABLE a (id integer NOT NULL PRIMARY KEY, x integer NOT NULL, y integer, CONSTRAINT "a_x" UNIQUE ("x"), CONSTRAINT "a_positive" CHECK (y > 0));
INSERT OR ROLLBACK INTO "a" ("id", "x", "y") SELECT "id", "x", "y" FROM "a_before_rebuild";
INSERT OR ROLLBACK INTO temp.stairway_rebuild (lost_rows) SELECT (SELECT count(*) FROM "a_before_rebuild") - (SELECT count(*) FROM "a");
DROP TABLE "a_before_rebuild";
CREATE INDEX "a_x_y" ON "a" ("x", "y");
DROP TABLE temp.stairway_rebuild;
RELEASE stairway_rebuild;
PRAGMA legacy_alter_table = OFF"#,
            )
            .await?;

        // + index a_x_y on a (x, y)
        // Done above, with: + unique a_x of a (x)

        // + check a_positive of a: y > 0
        // CHECK: fails if existing rows do not fit.
        // Done above, with: + unique a_x of a (x)

        // + foreign key b_a of b (a_id) references a (id) on update cascade on delete set null
        // CHECK: fails if existing rows do not fit.
        // CHECK: SQLite cannot change this in place: b is copied into a new table
        db.execute_unprepared(
                r#"PRAGMA legacy_alter_table = ON;
SAVEPOINT stairway_rebuild;
CREATE TEMP TABLE stairway_rebuild (lost_rows INTEGER CONSTRAINT "no row is lost" CHECK (lost_rows = 0), broken_references INTEGER CONSTRAINT "no reference is broken" CHECK (broken_references = 0), foreign_keys INTEGER CONSTRAINT "PRAGMA foreign_keys is OFF" CHECK (foreign_keys = 0));
ALTER TABLE "b" RENAME TO "b_before_rebuild";
CREATE TABLE b (id integer NOT NULL PRIMARY KEY, a_id integer, CONSTRAINT "b_a" FOREIGN KEY ("a_id") REFERENCES "a" ("id") ON UPDATE CASCADE ON DELETE SET NULL);
INSERT OR ROLLBACK INTO "b" ("id", "a_id") SELECT "id", "a_id" FROM "b_before_rebuild";
INSERT OR ROLLBACK INTO temp.stairway_rebuild (lost_rows) SELECT (SELECT count(*) FROM "b_before_rebuild") - (SELECT count(*) FROM "b");
INSERT OR ROLLBACK INTO temp.stairway_rebuild (broken_references) SELECT max(0, (SELECT count(*) FROM pragma_foreign_key_check('b')) - (SELECT count(*) FROM pragma_foreign_key_check('b_before_rebuild')));
DROP TABLE "b_before_rebuild";
DROP TABLE temp.stairway_rebuild;
RELEASE stairway_rebuild;
PRAGMA legacy_alter_table = OFF"#,
            )
            .await?;

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - foreign key b_a of b (a_id) references a (id) on update cascade on delete set null
        db.execute_unprepared(
                r#"PRAGMA legacy_alter_table = ON;
SAVEPOINT stairway_rebuild;
CREATE TEMP TABLE stairway_rebuild (lost_rows INTEGER CONSTRAINT "no row is lost" CHECK (lost_rows = 0), broken_references INTEGER CONSTRAINT "no reference is broken" CHECK (broken_references = 0), foreign_keys INTEGER CONSTRAINT "PRAGMA foreign_keys is OFF" CHECK (foreign_keys = 0));
ALTER TABLE "b" RENAME TO "b_before_rebuild";
CREATE TABLE b (id integer NOT NULL PRIMARY KEY, a_id integer);
INSERT OR ROLLBACK INTO "b" ("id", "a_id") SELECT "id", "a_id" FROM "b_before_rebuild";
INSERT OR ROLLBACK INTO temp.stairway_rebuild (lost_rows) SELECT (SELECT count(*) FROM "b_before_rebuild") - (SELECT count(*) FROM "b");
DROP TABLE "b_before_rebuild";
DROP TABLE temp.stairway_rebuild;
RELEASE stairway_rebuild;
PRAGMA legacy_alter_table = OFF"#,
            )
            .await?;

        // - check a_positive of a: y > 0
        db.execute_unprepared(
                r#"PRAGMA legacy_alter_table = ON;
SAVEPOINT stairway_rebuild;
CREATE TEMP TABLE stairway_rebuild (lost_rows INTEGER CONSTRAINT "no row is lost" CHECK (lost_rows = 0), broken_references INTEGER CONSTRAINT "no reference is broken" CHECK (broken_references = 0), foreign_keys INTEGER CONSTRAINT "PRAGMA foreign_keys is OFF" CHECK (foreign_keys = 0));
ALTER TABLE "a" RENAME TO "a_before_rebuild";
CREATE TABLE a (id integer NOT NULL PRIMARY KEY, x integer NOT NULL, y integer);
INSERT OR ROLLBACK INTO "a" ("id", "x", "y") SELECT "id", "x", "y" FROM "a_before_rebuild";
INSERT OR ROLLBACK INTO temp.stairway_rebuild (lost_rows) SELECT (SELECT count(*) FROM "a_before_rebuild") - (SELECT count(*) FROM "a");
DROP TABLE "a_before_rebuild";
CREATE INDEX "a_y" ON "a" ("y");
DROP TABLE temp.stairway_rebuild;
RELEASE stairway_rebuild;
PRAGMA legacy_alter_table = OFF"#,
            )
            .await?;

        // - index a_x_y on a (x, y)
        // Done with: - unique a_x of a (x)

        // - unique a_x of a (x)

        // + index a_y on a (y)

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
