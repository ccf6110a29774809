//! change columns

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - foreign key of badges (user_id) references users (id)
        // CHECK: SQLite cannot change this in place: badges is copied into a new table
        db.execute_unprepared(
                r#"PRAGMA legacy_alter_table = ON;
SAVEPOINT stairway_rebuild;
CREATE TEMP TABLE stairway_rebuild (lost_rows INTEGER CONSTRAINT "no row is lost" CHECK (lost_rows = 0), broken_references INTEGER CONSTRAINT "no reference is broken" CHECK (broken_references = 0), foreign_keys INTEGER CONSTRAINT "PRAGMA foreign_keys is OFF" CHECK (foreign_keys = 0));
ALTER TABLE "badges" RENAME TO "badges_before_rebuild";
CREATE TABLE badges (id integer NOT NULL PRIMARY KEY, user_id integer, FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE SET NULL);
INSERT OR ROLLBACK INTO "badges" ("id", "user_id") SELECT "id", "user_id" FROM "badges_before_rebuild";
INSERT OR ROLLBACK INTO temp.stairway_rebuild (lost_rows) SELECT (SELECT count(*) FROM "badges_before_rebuild") - (SELECT count(*) FROM "badges");
INSERT OR ROLLBACK INTO temp.stairway_rebuild (broken_references) SELECT max(0, (SELECT count(*) FROM pragma_foreign_key_check('badges')) - (SELECT count(*) FROM pragma_foreign_key_check('badges_before_rebuild')));
DROP TABLE "badges_before_rebuild";
DROP TABLE temp.stairway_rebuild;
RELEASE stairway_rebuild;
PRAGMA legacy_alter_table = OFF"#,
            )
            .await?;

        // ~ column badges.user_id: not null to null
        // Done above, with: - foreign key of badges (user_id) references users (id)

        // ~ column users.nick: null to not null
        // CHECK: fails if existing rows do not fit.
        // CHECK: SQLite cannot change this in place: users is copied into a new table
        db.execute_unprepared(
                r#"PRAGMA foreign_keys = OFF;
PRAGMA legacy_alter_table = ON;
SAVEPOINT stairway_rebuild;
CREATE TEMP TABLE stairway_rebuild (lost_rows INTEGER CONSTRAINT "no row is lost" CHECK (lost_rows = 0), broken_references INTEGER CONSTRAINT "no reference is broken" CHECK (broken_references = 0), foreign_keys INTEGER CONSTRAINT "PRAGMA foreign_keys is OFF" CHECK (foreign_keys = 0));
ALTER TABLE "users" RENAME TO "users_before_rebuild";
INSERT OR ROLLBACK INTO temp.stairway_rebuild (foreign_keys) SELECT foreign_keys FROM pragma_foreign_keys;
CREATE TABLE users (id integer NOT NULL PRIMARY KEY, name varchar(100) NOT NULL, nick varchar(20) NOT NULL, points integer NOT NULL DEFAULT 5, note varchar(10));
INSERT OR ROLLBACK INTO "users" ("id", "name", "nick", "points", "note") SELECT "id", "name", "nick", "points", "note" FROM "users_before_rebuild";
INSERT OR ROLLBACK INTO temp.stairway_rebuild (lost_rows) SELECT (SELECT count(*) FROM "users_before_rebuild") - (SELECT count(*) FROM "users");
DROP TABLE "users_before_rebuild";
DROP TABLE temp.stairway_rebuild;
RELEASE stairway_rebuild;
PRAGMA legacy_alter_table = OFF;
PRAGMA foreign_keys = ON"#,
            )
            .await?;

        // ~ column users.points: default 1 to 5
        // Done above, with: ~ column users.nick: null to not null

        // ~ column users.note: default 'x' to none
        // Done above, with: ~ column users.nick: null to not null

        // + foreign key of badges (user_id) references users (id) on delete set null
        // Done above, with: - foreign key of badges (user_id) references users (id)

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - foreign key of badges (user_id) references users (id) on delete set null
        db.execute_unprepared(
                r#"PRAGMA legacy_alter_table = ON;
SAVEPOINT stairway_rebuild;
CREATE TEMP TABLE stairway_rebuild (lost_rows INTEGER CONSTRAINT "no row is lost" CHECK (lost_rows = 0), broken_references INTEGER CONSTRAINT "no reference is broken" CHECK (broken_references = 0), foreign_keys INTEGER CONSTRAINT "PRAGMA foreign_keys is OFF" CHECK (foreign_keys = 0));
ALTER TABLE "badges" RENAME TO "badges_before_rebuild";
CREATE TABLE badges (id integer NOT NULL PRIMARY KEY, user_id integer NOT NULL, FOREIGN KEY (user_id) REFERENCES users (id));
INSERT OR ROLLBACK INTO "badges" ("id", "user_id") SELECT "id", "user_id" FROM "badges_before_rebuild";
INSERT OR ROLLBACK INTO temp.stairway_rebuild (lost_rows) SELECT (SELECT count(*) FROM "badges_before_rebuild") - (SELECT count(*) FROM "badges");
INSERT OR ROLLBACK INTO temp.stairway_rebuild (broken_references) SELECT max(0, (SELECT count(*) FROM pragma_foreign_key_check('badges')) - (SELECT count(*) FROM pragma_foreign_key_check('badges_before_rebuild')));
DROP TABLE "badges_before_rebuild";
DROP TABLE temp.stairway_rebuild;
RELEASE stairway_rebuild;
PRAGMA legacy_alter_table = OFF"#,
            )
            .await?;

        // ~ column users.note: default none to 'x'
        db.execute_unprepared(
                r#"PRAGMA foreign_keys = OFF;
PRAGMA legacy_alter_table = ON;
SAVEPOINT stairway_rebuild;
CREATE TEMP TABLE stairway_rebuild (lost_rows INTEGER CONSTRAINT "no row is lost" CHECK (lost_rows = 0), broken_references INTEGER CONSTRAINT "no reference is broken" CHECK (broken_references = 0), foreign_keys INTEGER CONSTRAINT "PRAGMA foreign_keys is OFF" CHECK (foreign_keys = 0));
ALTER TABLE "users" RENAME TO "users_before_rebuild";
INSERT OR ROLLBACK INTO temp.stairway_rebuild (foreign_keys) SELECT foreign_keys FROM pragma_foreign_keys;
CREATE TABLE users (id integer NOT NULL PRIMARY KEY, name varchar(100) NOT NULL, nick varchar(20), points integer NOT NULL DEFAULT 1, note varchar(10) DEFAULT 'x');
INSERT OR ROLLBACK INTO "users" ("id", "name", "nick", "points", "note") SELECT "id", "name", "nick", "points", "note" FROM "users_before_rebuild";
INSERT OR ROLLBACK INTO temp.stairway_rebuild (lost_rows) SELECT (SELECT count(*) FROM "users_before_rebuild") - (SELECT count(*) FROM "users");
DROP TABLE "users_before_rebuild";
DROP TABLE temp.stairway_rebuild;
RELEASE stairway_rebuild;
PRAGMA legacy_alter_table = OFF;
PRAGMA foreign_keys = ON"#,
            )
            .await?;

        // ~ column users.points: default 5 to 1
        // Done with: ~ column users.nick: not null to null

        // ~ column users.nick: not null to null

        // ~ column badges.user_id: null to not null
        // Done with: + foreign key of badges (user_id) references users (id)

        // + foreign key of badges (user_id) references users (id)

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
