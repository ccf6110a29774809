-- ~ table person renamed to people
-- ~ column people.name renamed to full_name

PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;
ALTER TABLE "person" RENAME TO "people";
ALTER TABLE "people" RENAME COLUMN "name" TO "full_name";
COMMIT;
