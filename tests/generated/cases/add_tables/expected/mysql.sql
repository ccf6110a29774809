SET NAMES utf8mb4;

-- + table users (9 columns)
CREATE TABLE `users` (
  `id` bigint NOT NULL AUTO_INCREMENT,
  `email` varchar(320) NOT NULL,
  `name` varchar(100) DEFAULT 'it''s me',
  `is_active` tinyint(1) NOT NULL DEFAULT 1,
  `balance` decimal(12,2) NOT NULL DEFAULT 0.00,
  `mood` enum('happy','so','sad') NOT NULL DEFAULT 'happy',
  `settings` json,
  `size` integer unsigned,
  `created_at` timestamp NOT NULL DEFAULT current_timestamp(),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `email` (`email`),
  CONSTRAINT `users_balance_check` CHECK (`balance` >= 0)
) COMMENT='People';

-- + table posts (6 columns)
CREATE TABLE `posts` (
  `id` integer NOT NULL AUTO_INCREMENT,
  `author_id` bigint NOT NULL,
  `slug` varchar(100) NOT NULL COMMENT 'Part of the "URL"',
  `body` text,
  `published_at` datetime,
  `changed_at` timestamp NULL ON UPDATE current_timestamp(),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `posts_author_slug` (`author_id`, `slug`),
  INDEX `posts_body` (`body`(40)),
  INDEX `posts_published` (`published_at`),
  CONSTRAINT `posts_author` FOREIGN KEY (`author_id`) REFERENCES `users` (`id`) ON DELETE CASCADE
);

-- + index posts_body on posts (body(40))

-- + index posts_published on posts (published_at)

-- + view published
CREATE OR REPLACE VIEW `published` AS select `posts`.`id` AS `id`,`posts`.`slug` AS `slug` from `posts` where `posts`.`published_at` is not null;

