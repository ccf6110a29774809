BEGIN;

-- - view v
DROP VIEW public.v;

-- ~ enum mood: value sad renamed to blue
ALTER TYPE public.mood RENAME VALUE 'sad' TO 'blue';

-- - enum mood: value old
-- CHECK: rows that have the value old make it fail
-- CHECK: the type is made anew and its columns are moved over, which writes their tables anew
ALTER TYPE public.mood RENAME TO mood__old;
CREATE TYPE public.mood AS ENUM ('happy', 'blue');
ALTER TABLE public.t ALTER COLUMN m DROP DEFAULT, ALTER COLUMN m TYPE public.mood USING m::text::public.mood, ALTER COLUMN m SET DEFAULT 'happy'::public.mood;
DROP TYPE public.mood__old;

-- ~ enum size: order (s, m, l)
-- CHECK: the type is made anew and its columns are moved over, which writes their tables anew
ALTER TYPE public.size RENAME TO size__old;
CREATE TYPE public.size AS ENUM ('s', 'm', 'l');
ALTER TABLE public.t ALTER COLUMN s TYPE public.size[] USING s::text[]::public.size[];
DROP TYPE public.size__old;

-- ~ column t.n: type text to integer
ALTER TABLE public.t ALTER COLUMN n TYPE integer USING n::integer;

-- ~ column t.at: type timestamp to timestamptz
ALTER TABLE public.t ALTER COLUMN at TYPE timestamptz;

-- + view v
CREATE VIEW public.v AS
SELECT t.id,
    t.m
   FROM public.t;

COMMIT;
