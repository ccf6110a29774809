CREATE TABLE owners (id integer NOT NULL PRIMARY KEY);
CREATE TABLE accounts (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, owner_id integer REFERENCES owners (id), name varchar(40) NOT NULL, closed integer NOT NULL DEFAULT 0, CHECK (length(name) > 1));
CREATE TABLE entries (id integer NOT NULL PRIMARY KEY, account_id integer NOT NULL, amount integer NOT NULL, FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE);
CREATE TABLE changes (account_id integer, name text);
CREATE INDEX accounts_owner ON accounts (owner_id, name);
CREATE INDEX accounts_open ON accounts (name) WHERE closed = 0;
CREATE VIEW balances AS SELECT accounts.name, sum(entries.amount) AS balance FROM accounts LEFT JOIN entries ON entries.account_id = accounts.id GROUP BY accounts.id;
CREATE TRIGGER accounts_renamed AFTER UPDATE OF name ON accounts BEGIN INSERT INTO changes VALUES (OLD.id, OLD.name); END;
