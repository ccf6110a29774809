PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;

-- - foreign key of badges (user_id) references users (id)
-- CHECK: SQLite cannot change this in place: badges is copied into a new table
PRAGMA legacy_alter_table = ON;
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
PRAGMA legacy_alter_table = OFF;

-- ~ column badges.user_id: not null to null

-- ~ column users.nick: null to not null
-- CHECK: SQLite cannot change this in place: users is copied into a new table
PRAGMA foreign_keys = OFF;
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
PRAGMA foreign_keys = ON;

-- ~ column users.points: default 1 to 5

-- ~ column users.note: default 'x' to none

-- + foreign key of badges (user_id) references users (id) on delete set null

COMMIT;
