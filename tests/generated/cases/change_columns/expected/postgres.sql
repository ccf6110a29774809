BEGIN;

-- - foreign key badges_user_id_fkey of badges (user_id) references users (id)
ALTER TABLE public.badges DROP CONSTRAINT badges_user_id_fkey;

-- ~ column badges.user_id: not null to null
ALTER TABLE public.badges ALTER COLUMN user_id DROP NOT NULL;

-- ~ column users.name: type varchar(100) to varchar(200)
ALTER TABLE public.users ALTER COLUMN name TYPE varchar(200);

-- ~ column users.nick: null to not null
ALTER TABLE public.users ALTER COLUMN nick SET NOT NULL;

-- ~ column users.points: type integer to bigint
ALTER TABLE public.users ALTER COLUMN points DROP DEFAULT, ALTER COLUMN points TYPE bigint;

-- ~ column users.points: default none to 5
ALTER TABLE public.users ALTER COLUMN points SET DEFAULT 5;

-- ~ column users.note: default 'x' to none
ALTER TABLE public.users ALTER COLUMN note DROP DEFAULT;

-- + foreign key badges_user_id_fkey of badges (user_id) references users (id) on delete set null
ALTER TABLE public.badges ADD CONSTRAINT badges_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users (id) ON DELETE SET NULL;

COMMIT;
