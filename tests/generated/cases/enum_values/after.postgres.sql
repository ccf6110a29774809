CREATE TYPE mood AS ENUM ('happy', 'blue'); CREATE TYPE size AS ENUM ('s', 'm', 'l');
CREATE TABLE t (id integer PRIMARY KEY, m mood NOT NULL DEFAULT 'happy', s size[], n integer, at timestamptz);
CREATE VIEW v AS SELECT id, m FROM t;
