PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;

-- ~ column accounts.name: null to not null
-- CHECK: SQLite cannot change this in place: accounts is copied into a new table
PRAGMA foreign_keys = OFF;
PRAGMA legacy_alter_table = ON;
SAVEPOINT stairway_rebuild;
CREATE TEMP TABLE stairway_rebuild (lost_rows INTEGER CONSTRAINT "no row is lost" CHECK (lost_rows = 0), broken_references INTEGER CONSTRAINT "no reference is broken" CHECK (broken_references = 0), foreign_keys INTEGER CONSTRAINT "PRAGMA foreign_keys is OFF" CHECK (foreign_keys = 0));
DROP INDEX "accounts_open";
ALTER TABLE "accounts" RENAME TO "accounts_before_rebuild";
INSERT OR ROLLBACK INTO temp.stairway_rebuild (foreign_keys) SELECT foreign_keys FROM pragma_foreign_keys;
CREATE TABLE accounts (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, owner_id integer REFERENCES owners (id), name varchar(40) NOT NULL, closed integer NOT NULL DEFAULT 0, CHECK (length(name) > 1));
INSERT OR ROLLBACK INTO "accounts" ("id", "owner_id", "name", "closed") SELECT "id", "owner_id", "name", "closed" FROM "accounts_before_rebuild";
INSERT OR ROLLBACK INTO temp.stairway_rebuild (lost_rows) SELECT (SELECT count(*) FROM "accounts_before_rebuild") - (SELECT count(*) FROM "accounts");
INSERT OR ROLLBACK INTO temp.stairway_rebuild (broken_references) SELECT max(0, (SELECT count(*) FROM pragma_foreign_key_check('accounts')) - (SELECT count(*) FROM pragma_foreign_key_check('accounts_before_rebuild')));
UPDATE sqlite_sequence SET seq = (SELECT max(seq) FROM sqlite_sequence WHERE name IN ('accounts', 'accounts_before_rebuild')) WHERE name = 'accounts';
INSERT INTO sqlite_sequence (name, seq) SELECT 'accounts', seq FROM sqlite_sequence WHERE name = 'accounts_before_rebuild' AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'accounts');
DROP TABLE "accounts_before_rebuild";
CREATE INDEX "accounts_open" ON "accounts" ("name") WHERE closed = 0;
CREATE INDEX "accounts_owner" ON "accounts" ("owner_id", "name");
CREATE TRIGGER accounts_renamed AFTER UPDATE OF name ON accounts BEGIN INSERT INTO changes VALUES (OLD.id, OLD.name); END;
DROP TABLE temp.stairway_rebuild;
RELEASE stairway_rebuild;
PRAGMA legacy_alter_table = OFF;
PRAGMA foreign_keys = ON;

COMMIT;
