CREATE TABLE users (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    email varchar(320) NOT NULL UNIQUE,
    name varchar(100) DEFAULT 'it''s me',
    is_active boolean NOT NULL DEFAULT true,
    balance decimal(12, 2) NOT NULL DEFAULT 0,
    mood enum('happy', 'so', 'sad') NOT NULL DEFAULT 'happy',
    settings json,
    size int unsigned,
    created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT users_balance_check CHECK (balance >= 0)
) COMMENT 'People';
CREATE TABLE posts (
    id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
    author_id bigint NOT NULL,
    slug varchar(100) NOT NULL COMMENT 'Part of the "URL"',
    body text,
    published_at datetime,
    changed_at timestamp NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP,
    CONSTRAINT posts_author FOREIGN KEY (author_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX posts_author_slug ON posts (author_id, slug);
CREATE INDEX posts_published ON posts (published_at);
CREATE INDEX posts_body ON posts (body(40));
CREATE VIEW published AS SELECT id, slug FROM posts WHERE published_at IS NOT NULL;
