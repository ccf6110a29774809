BEGIN;

-- - enum mood: value old
-- CHECK: rows that have the value old make it fail
-- CHECK: the type is made anew and its columns are moved over, which writes their tables anew
ALTER TYPE public.mood RENAME TO mood__old;
CREATE TYPE public.mood AS ENUM ('happy', 'sad');
ALTER TABLE public.t ALTER COLUMN m DROP DEFAULT, ALTER COLUMN m TYPE public.mood USING m::text::public.mood, ALTER COLUMN m SET DEFAULT 'happy'::public.mood;
DROP TYPE public.mood__old;

-- + enum size: value l
-- CHECK: the new value can be used only after this has been committed
ALTER TYPE public.size ADD VALUE 'l';
COMMIT;
BEGIN;

COMMIT;
