PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;

-- - view published
DROP VIEW "published";

-- - table posts (4 columns)
DROP TABLE "posts";

-- - table users (6 columns)
DROP TABLE "users";

COMMIT;
