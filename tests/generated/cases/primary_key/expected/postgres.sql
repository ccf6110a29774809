BEGIN;

-- - primary key of a (id)
ALTER TABLE public.a DROP CONSTRAINT a_pkey;

-- + primary key of a (id, part)
ALTER TABLE public.a ADD CONSTRAINT a_pkey PRIMARY KEY (id, part);

COMMIT;
