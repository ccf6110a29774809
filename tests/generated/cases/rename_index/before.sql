CREATE TABLE users (id integer NOT NULL PRIMARY KEY, name varchar(100), email varchar(100));
CREATE INDEX users_name ON users (name);
CREATE UNIQUE INDEX users_mail ON users (email);
