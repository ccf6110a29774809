-- + column users.email varchar(320) not null

PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;
ALTER TABLE "users" ADD COLUMN "email" varchar(320) NOT NULL;
COMMIT;
