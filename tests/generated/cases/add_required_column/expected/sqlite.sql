PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;

-- + column users.email varchar(320) not null
-- CHECK: rows that are there have no value for email: give one (--fill TABLE.email=EXPRESSION) or a default
ALTER TABLE "users" ADD COLUMN "email" varchar(320) NOT NULL;

COMMIT;
