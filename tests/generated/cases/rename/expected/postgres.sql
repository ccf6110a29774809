BEGIN;

-- ~ table person renamed to people
ALTER TABLE public.person RENAME TO people;

-- ~ column people.name renamed to full_name
ALTER TABLE public.people RENAME COLUMN name TO full_name;

COMMIT;
