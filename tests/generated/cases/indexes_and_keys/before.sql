CREATE TABLE a (id integer NOT NULL PRIMARY KEY, x integer NOT NULL, y integer);
CREATE TABLE b (id integer NOT NULL PRIMARY KEY, a_id integer);
CREATE INDEX a_y ON a (y);
