CREATE TYPE address AS (street text, number integer, zip varchar(10)); CREATE TYPE unused AS (a integer);
CREATE TABLE people (id integer PRIMARY KEY, home address);
CREATE VIEW homes AS SELECT id, (home).street FROM people;
