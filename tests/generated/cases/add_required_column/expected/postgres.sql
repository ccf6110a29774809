BEGIN;

-- + column users.email varchar(320) not null
ALTER TABLE public.users ADD COLUMN email varchar(320) NOT NULL;

COMMIT;
