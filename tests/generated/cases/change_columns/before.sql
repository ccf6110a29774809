CREATE TABLE users (id integer NOT NULL PRIMARY KEY, name varchar(100) NOT NULL, nick varchar(20), points integer NOT NULL DEFAULT 1, note varchar(10) DEFAULT 'x');
CREATE TABLE badges (id integer NOT NULL PRIMARY KEY, user_id integer NOT NULL, FOREIGN KEY (user_id) REFERENCES users (id));
