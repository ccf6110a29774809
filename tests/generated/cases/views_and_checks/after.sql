CREATE TABLE users (id integer NOT NULL PRIMARY KEY, name varchar(80) NOT NULL, age integer, CONSTRAINT users_age CHECK (age > 3), CONSTRAINT users_name CHECK (name <> ''));
CREATE VIEW grown_up AS SELECT id, name, age FROM users WHERE age >= 21;
CREATE VIEW names AS SELECT name FROM users;
