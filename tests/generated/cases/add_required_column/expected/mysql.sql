SET NAMES utf8mb4;

-- + column users.email varchar(320) not null
ALTER TABLE `users` ADD COLUMN `email` varchar(320) NOT NULL;

