BEGIN;

-- + schema app
CREATE SCHEMA app;

-- + table Strange "name (2 columns)
CREATE TABLE public."Strange ""name" (
    "select" integer,
    "a b" text COLLATE pg_catalog."C"
);

-- + table app.a (2 columns)
CREATE TABLE app.a (
    id integer NOT NULL,
    b_id integer,
    CONSTRAINT a_pkey PRIMARY KEY (id)
);

-- + table app.b (2 columns)
CREATE TABLE app.b (
    id integer NOT NULL,
    a_id integer,
    CONSTRAINT b_pkey PRIMARY KEY (id),
    CONSTRAINT b_a_id_fkey FOREIGN KEY (a_id) REFERENCES app.a (id)
);

-- + index a_b on app.a (b_id)
CREATE INDEX a_b ON app.a (b_id);

-- + foreign key a_b of app.a (b_id) references app.b (id) deferrable initially deferred
ALTER TABLE app.a ADD CONSTRAINT a_b FOREIGN KEY (b_id) REFERENCES app.b (id) DEFERRABLE INITIALLY DEFERRED;

COMMIT;
