SET NAMES utf8mb4;

-- + column users.bio text
ALTER TABLE `users` ADD COLUMN `bio` text, ADD COLUMN `age` integer DEFAULT 18, ADD COLUMN `country` varchar(2) NOT NULL DEFAULT 'GR';

-- + column users.age integer default 18

-- + column users.country varchar(2) not null default 'GR'

