CREATE TYPE address AS (street text, number text, country text); COMMENT ON COLUMN address.country IS 'two letters';
CREATE TYPE hours AS RANGE (subtype = time);
CREATE TABLE people (id integer PRIMARY KEY, home address, awake hours);
CREATE VIEW homes AS SELECT id, (home).street FROM people;
