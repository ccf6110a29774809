CREATE TABLE users (id integer NOT NULL PRIMARY KEY, name varchar(100) NOT NULL, bio text, age integer DEFAULT 18, country varchar(2) NOT NULL DEFAULT 'GR');
