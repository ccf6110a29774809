CREATE TABLE a (id integer NOT NULL, part integer NOT NULL, note varchar(20), PRIMARY KEY (id, part));
