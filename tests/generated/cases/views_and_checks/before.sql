CREATE TABLE users (id integer NOT NULL PRIMARY KEY, name varchar(40) NOT NULL, age integer, gone integer, CONSTRAINT users_age CHECK (age > 0));
CREATE VIEW grown_up AS SELECT id, name FROM users WHERE age >= 18;
CREATE VIEW obsolete AS SELECT id FROM users;
