CREATE SCHEMA app;
CREATE TABLE app.a (id integer PRIMARY KEY, b_id integer);
CREATE TABLE app.b (id integer PRIMARY KEY, a_id integer REFERENCES app.a (id));
ALTER TABLE app.a ADD CONSTRAINT a_b FOREIGN KEY (b_id) REFERENCES app.b (id) DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX a_b ON app.a (b_id);
CREATE TABLE "Strange ""name" ("select" integer, "a b" text COLLATE "C");
