PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;

-- + column users.bio text
ALTER TABLE "users" ADD COLUMN "bio" text;

-- + column users.age integer default 18
ALTER TABLE "users" ADD COLUMN "age" integer DEFAULT 18;

-- + column users.country varchar(2) not null default 'GR'
ALTER TABLE "users" ADD COLUMN "country" varchar(2) NOT NULL DEFAULT 'GR';

COMMIT;
