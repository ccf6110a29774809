-- - view published
-- - table posts (6 columns)
-- - table users (9 columns)

DROP VIEW `published`;
DROP TABLE `posts`;
DROP TABLE `users`;
