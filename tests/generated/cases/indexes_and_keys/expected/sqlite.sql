PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;

-- - index a_y on a (y)
DROP INDEX "a_y";

-- + unique a_x of a (x)
-- CHECK: SQLite cannot change this in place: a is copied into a new table
PRAGMA legacy_alter_table = ON;
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
PRAGMA legacy_alter_table = OFF;

-- + index a_x_y on a (x, y)

-- + check a_positive of a: y > 0

-- + foreign key b_a of b (a_id) references a (id) on update cascade on delete set null
-- CHECK: SQLite cannot change this in place: b is copied into a new table
PRAGMA legacy_alter_table = ON;
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
PRAGMA legacy_alter_table = OFF;

COMMIT;
