CREATE TABLE t (id integer PRIMARY KEY, old_number integer NOT NULL, old_code varchar(20) NOT NULL UNIQUE, state enum('new', 'paid', 'done') NOT NULL, seen timestamp NULL);
CREATE TABLE whole (a integer NOT NULL);
