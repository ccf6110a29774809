PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;

-- ~ index users_name on users renamed to users_by_name
DROP INDEX "users_name";
CREATE INDEX "users_by_name" ON "users" ("name");

COMMIT;
