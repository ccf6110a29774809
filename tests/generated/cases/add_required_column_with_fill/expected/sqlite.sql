PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;

-- + column users.email varchar(320) not null
-- CHECK: SQLite cannot change this in place: users is copied into a new table
PRAGMA legacy_alter_table = ON;
SAVEPOINT stairway_rebuild;
CREATE TEMP TABLE stairway_rebuild (lost_rows INTEGER CONSTRAINT "no row is lost" CHECK (lost_rows = 0), broken_references INTEGER CONSTRAINT "no reference is broken" CHECK (broken_references = 0), foreign_keys INTEGER CONSTRAINT "PRAGMA foreign_keys is OFF" CHECK (foreign_keys = 0));
ALTER TABLE "users" RENAME TO "users_before_rebuild";
CREATE TABLE users (id integer NOT NULL PRIMARY KEY, name varchar(100) NOT NULL, "email" varchar(320) NOT NULL);
INSERT OR ROLLBACK INTO "users" ("id", "name", "email") SELECT "id", "name", ('unknown') FROM "users_before_rebuild";
INSERT OR ROLLBACK INTO temp.stairway_rebuild (lost_rows) SELECT (SELECT count(*) FROM "users_before_rebuild") - (SELECT count(*) FROM "users");
DROP TABLE "users_before_rebuild";
DROP TABLE temp.stairway_rebuild;
RELEASE stairway_rebuild;
PRAGMA legacy_alter_table = OFF;

COMMIT;
