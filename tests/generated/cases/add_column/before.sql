CREATE TABLE users (id integer NOT NULL PRIMARY KEY, name varchar(100) NOT NULL);
