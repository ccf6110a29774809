BEGIN;

-- - view published
DROP VIEW public.published;

-- - table post_tags (2 columns)
DROP TABLE public.post_tags;

-- - table posts (5 columns)
DROP TABLE public.posts;

-- - table users (10 columns)
DROP TABLE public.users;

-- - enum mood (happy, so 'so', sad)
DROP TYPE public.mood;

COMMIT;
