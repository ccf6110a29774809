SET NAMES utf8mb4;

SET @OLD_SQL_MODE = @@SQL_MODE;
SET SQL_MODE = CONCAT(@@SQL_MODE, ',STRICT_ALL_TABLES');

-- + column users.email varchar(320) not null
-- CHECK: rows that are there have no value for email: give one (--fill TABLE.email=EXPRESSION) or a default
-- CHECK: email takes NULL at first, or the server would make up values: rows that have none by the last step make it fail
ALTER TABLE `users` ADD COLUMN `email` varchar(320);
ALTER TABLE `users` MODIFY COLUMN `email` varchar(320) NOT NULL;

SET SQL_MODE = @OLD_SQL_MODE;
