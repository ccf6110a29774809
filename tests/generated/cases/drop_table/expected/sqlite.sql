-- - view published
-- - table posts (4 columns)
-- - table users (6 columns)

PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;
DROP VIEW "published";
DROP TABLE "posts";
DROP TABLE "users";
COMMIT;
