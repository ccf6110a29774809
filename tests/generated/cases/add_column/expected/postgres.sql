BEGIN;

-- + column users.bio text
ALTER TABLE public.users ADD COLUMN bio text;

-- + column users.age integer default 18
ALTER TABLE public.users ADD COLUMN age integer DEFAULT 18;

-- + column users.country varchar(2) not null default 'GR'
ALTER TABLE public.users ADD COLUMN country varchar(2) DEFAULT 'GR'::character varying NOT NULL;

COMMIT;
