CREATE TYPE mood AS ENUM ('happy', 'sad', 'old'); CREATE TYPE size AS ENUM ('l', 's', 'm');
CREATE TABLE t (id integer PRIMARY KEY, m mood NOT NULL DEFAULT 'happy', s size[], n text, at timestamp);
CREATE VIEW v AS SELECT id, m FROM t;
