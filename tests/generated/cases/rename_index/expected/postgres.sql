BEGIN;

-- ~ index users_name on users renamed to users_by_name
ALTER INDEX public.users_name RENAME TO users_by_name;

COMMIT;
