SET NAMES utf8mb4;

-- - view published
DROP VIEW `published`;

-- - table posts (6 columns)
DROP TABLE `posts`;

-- - table users (9 columns)
DROP TABLE `users`;

