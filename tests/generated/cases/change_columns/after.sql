CREATE TABLE users (id integer NOT NULL PRIMARY KEY, name varchar(200) NOT NULL, nick varchar(20) NOT NULL, points bigint NOT NULL DEFAULT 5, note varchar(10));
CREATE TABLE badges (id integer NOT NULL PRIMARY KEY, user_id integer, FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL);
