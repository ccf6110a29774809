SET NAMES utf8mb4;

SET @OLD_SQL_MODE = @@SQL_MODE;
SET SQL_MODE = CONCAT(@@SQL_MODE, ',STRICT_ALL_TABLES');

-- + column users.email varchar(320) not null
ALTER TABLE `users` ADD COLUMN `email` varchar(320);
UPDATE `users` SET `email` = ('unknown');
ALTER TABLE `users` MODIFY COLUMN `email` varchar(320) NOT NULL;

SET SQL_MODE = @OLD_SQL_MODE;
