//! add required column with fill

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // + column users.email varchar(320) not null
        // CHECK: writes the whole table anew and blocks it meanwhile.
        // CHECK: SQLite cannot change this in place: users is copied into a new table
        db.execute_unprepared(
                r#"PRAGMA legacy_alter_table = ON;
SAVEPOINT stairway_rebuild;
CREATE TEMP TABLE stairway_rebuild (lost_rows INTEGER CONSTRAINT "no row is lost" CHECK (lost_rows = 0), broken_references INTEGER CONSTRAINT "no reference is broken" CHECK (broken_references = 0), foreign_keys INTEGER CONSTRAINT "PRAGMA foreign_keys is OFF" CHECK (foreign_keys = 0));
ALTER TABLE "users" RENAME TO "users_before_rebuild";
CREATE TABLE users (id integer NOT NULL PRIMARY KEY, name varchar(100) NOT NULL, "email" varchar(320) NOT NULL);
INSERT OR ROLLBACK INTO "users" ("id", "name", "email") SELECT "id", "name", ('unknown') FROM "users_before_rebuild";
INSERT OR ROLLBACK INTO temp.stairway_rebuild (lost_rows) SELECT (SELECT count(*) FROM "users_before_rebuild") - (SELECT count(*) FROM "users");
DROP TABLE "users_before_rebuild";
DROP TABLE temp.stairway_rebuild;
RELEASE stairway_rebuild;
PRAGMA legacy_alter_table = OFF"#,
            )
            .await?;

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // - column users.email varchar(320) not null
        //     ALTER TABLE "users" DROP COLUMN "email"
        manager
            .alter_table(Table::alter().table("users").drop_column("email").to_owned())
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
