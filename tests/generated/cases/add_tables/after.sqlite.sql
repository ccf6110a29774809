CREATE TABLE users (
    id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    email varchar(320) NOT NULL UNIQUE,
    name text DEFAULT 'it''s me',
    is_active boolean NOT NULL DEFAULT TRUE,
    balance real NOT NULL DEFAULT 0,
    created_at text NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CHECK (balance >= 0)
);
CREATE TABLE posts (
    id integer NOT NULL PRIMARY KEY,
    author_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    slug varchar(100) NOT NULL,
    published_at text
);
CREATE UNIQUE INDEX posts_author_slug ON posts (author_id, slug);
CREATE INDEX posts_published ON posts (published_at DESC) WHERE published_at IS NOT NULL;
CREATE VIEW published AS SELECT id, slug FROM posts WHERE published_at IS NOT NULL;
