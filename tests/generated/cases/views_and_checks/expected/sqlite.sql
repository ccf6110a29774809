PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;

-- - view grown_up
DROP VIEW "grown_up";

-- - view obsolete
DROP VIEW "obsolete";

-- - check users_age of users: age > 0
-- CHECK: SQLite cannot change this in place: users is copied into a new table
PRAGMA legacy_alter_table = ON;
SAVEPOINT stairway_rebuild;
CREATE TEMP TABLE stairway_rebuild (lost_rows INTEGER CONSTRAINT "no row is lost" CHECK (lost_rows = 0), broken_references INTEGER CONSTRAINT "no reference is broken" CHECK (broken_references = 0), foreign_keys INTEGER CONSTRAINT "PRAGMA foreign_keys is OFF" CHECK (foreign_keys = 0));
ALTER TABLE "users" RENAME TO "users_before_rebuild";
CREATE TABLE users (id integer NOT NULL PRIMARY KEY, name varchar(40) NOT NULL, age integer, CONSTRAINT "users_age" CHECK (age > 3), CONSTRAINT "users_name" CHECK (name <> ''));
INSERT OR ROLLBACK INTO "users" ("id", "name", "age") SELECT "id", "name", "age" FROM "users_before_rebuild";
INSERT OR ROLLBACK INTO temp.stairway_rebuild (lost_rows) SELECT (SELECT count(*) FROM "users_before_rebuild") - (SELECT count(*) FROM "users");
DROP TABLE "users_before_rebuild";
DROP TABLE temp.stairway_rebuild;
RELEASE stairway_rebuild;
PRAGMA legacy_alter_table = OFF;

-- - column users.gone integer

-- + check users_age of users: age > 3

-- + check users_name of users: name <> ''

-- + view grown_up
-- CHECK: privileges granted on the old view must be granted again
CREATE VIEW grown_up AS SELECT id, name, age FROM users WHERE age >= 21;

-- + view names
CREATE VIEW names AS SELECT name FROM users;

COMMIT;
