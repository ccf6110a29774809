BEGIN;

-- + column users.email varchar(320) not null
ALTER TABLE public.users ADD COLUMN email varchar(320);
UPDATE public.users SET email = 'unknown';
ALTER TABLE public.users ALTER COLUMN email SET NOT NULL;

COMMIT;
