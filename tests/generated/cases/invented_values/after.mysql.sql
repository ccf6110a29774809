CREATE TABLE t (id integer PRIMARY KEY, number integer NOT NULL, at timestamp NOT NULL, state enum('open', 'paid', 'done') NOT NULL, seen timestamp NOT NULL);
CREATE TABLE whole (b varchar(20) NOT NULL);
