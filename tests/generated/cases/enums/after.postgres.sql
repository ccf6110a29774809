CREATE TYPE mood AS ENUM ('happy', 'sad'); CREATE TABLE t (id integer PRIMARY KEY, m mood NOT NULL DEFAULT 'happy');
CREATE TYPE size AS ENUM ('s', 'm', 'l'); CREATE TABLE u (id integer PRIMARY KEY, s size);
