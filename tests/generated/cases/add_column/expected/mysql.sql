-- + column users.bio text
-- + column users.age int default 18
-- + column users.country varchar(2) not null default 'GR'

ALTER TABLE `users` ADD COLUMN `bio` text, ADD COLUMN `age` int DEFAULT 18, ADD COLUMN `country` varchar(2) NOT NULL DEFAULT 'GR';
