BEGIN;

-- - view grown_up
DROP VIEW public.grown_up;

-- - view obsolete
DROP VIEW public.obsolete;

-- - check users_age of users: age > 0
ALTER TABLE public.users DROP CONSTRAINT users_age;

-- ~ column users.name: type varchar(40) to varchar(80)
ALTER TABLE public.users ALTER COLUMN name TYPE varchar(80);

-- - column users.gone integer
ALTER TABLE public.users DROP COLUMN gone;

-- + check users_name of users: name <> ''
ALTER TABLE public.users ADD CONSTRAINT users_name CHECK (((name)::text <> ''::text));

-- + check users_age of users: age > 3
ALTER TABLE public.users ADD CONSTRAINT users_age CHECK ((age > 3));

-- + view grown_up
-- CHECK: privileges granted on the old view must be granted again
CREATE VIEW public.grown_up AS
SELECT users.id,
    users.name,
    users.age
   FROM public.users
  WHERE (users.age >= 21);

-- + view names
CREATE VIEW public.names AS
SELECT users.name
   FROM public.users;

COMMIT;
