BEGIN;

-- - view homes
DROP VIEW public.homes;

-- + range type hours of time
CREATE TYPE public.hours AS RANGE (SUBTYPE = time, MULTIRANGE_TYPE_NAME = public.hours_multirange);

-- ~ composite type address: number integer to text, -zip, +country text
-- CHECK: what rows have in the attribute zip is lost
-- CHECK: the type is made anew and its columns are moved over, which writes their tables anew
ALTER TYPE public.address RENAME TO address__old;
CREATE TYPE public.address AS (street text, number text, country text);
COMMENT ON COLUMN public.address.country IS 'two letters';
ALTER TABLE public.people ALTER COLUMN home TYPE public.address USING CASE WHEN home IS NOT DISTINCT FROM NULL THEN NULL ELSE ROW((home).street, (home).number, NULL)::public.address END;
DROP TYPE public.address__old;

-- + column people.awake hours
ALTER TABLE public.people ADD COLUMN awake public.hours;

-- + view homes
CREATE VIEW public.homes AS
SELECT people.id,
    (people.home).street AS street
   FROM public.people;

-- - composite type unused (a integer)
DROP TYPE public.unused;

COMMIT;
