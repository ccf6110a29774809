SET NAMES utf8mb4;

-- + column users.email varchar(320) not null
ALTER TABLE `users` ADD COLUMN `email` varchar(320);
UPDATE `users` SET `email` = ('unknown');
ALTER TABLE `users` MODIFY COLUMN `email` varchar(320) NOT NULL;

