PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;

-- - primary key of a (id)
-- CHECK: SQLite cannot change this in place: a is copied into a new table
PRAGMA legacy_alter_table = ON;
SAVEPOINT stairway_rebuild;
CREATE TEMP TABLE stairway_rebuild (lost_rows INTEGER CONSTRAINT "no row is lost" CHECK (lost_rows = 0), broken_references INTEGER CONSTRAINT "no reference is broken" CHECK (broken_references = 0), foreign_keys INTEGER CONSTRAINT "PRAGMA foreign_keys is OFF" CHECK (foreign_keys = 0));
ALTER TABLE "a" RENAME TO "a_before_rebuild";
CREATE TABLE a (id integer NOT NULL, part integer NOT NULL, note varchar(20), PRIMARY KEY ("id", "part"));
INSERT OR ROLLBACK INTO "a" ("id", "part", "note") SELECT "id", "part", "note" FROM "a_before_rebuild";
INSERT OR ROLLBACK INTO temp.stairway_rebuild (lost_rows) SELECT (SELECT count(*) FROM "a_before_rebuild") - (SELECT count(*) FROM "a");
DROP TABLE "a_before_rebuild";
DROP TABLE temp.stairway_rebuild;
RELEASE stairway_rebuild;
PRAGMA legacy_alter_table = OFF;

-- + primary key of a (id, part)

COMMIT;
