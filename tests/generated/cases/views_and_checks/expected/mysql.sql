SET NAMES utf8mb4;

-- - view grown_up
DROP VIEW `grown_up`;

-- - view obsolete
DROP VIEW `obsolete`;

SET @OLD_SQL_MODE = @@SQL_MODE;
SET SQL_MODE = CONCAT(@@SQL_MODE, ',STRICT_ALL_TABLES');

-- - check users_age of users: age > 0
ALTER TABLE `users` DROP CONSTRAINT `users_age`, DROP COLUMN `gone`, MODIFY COLUMN `name` varchar(80) NOT NULL, ADD CONSTRAINT `users_age` CHECK (`age` > 3), ADD CONSTRAINT `users_name` CHECK (`name` <> '');

-- ~ column users.name: type varchar(40) to varchar(80)

-- - column users.gone integer

-- + check users_age of users: age > 3

-- + check users_name of users: name <> ''

SET SQL_MODE = @OLD_SQL_MODE;

-- + view grown_up
-- CHECK: privileges granted on the old view must be granted again
CREATE OR REPLACE VIEW `grown_up` AS select `users`.`id` AS `id`,`users`.`name` AS `name`,`users`.`age` AS `age` from `users` where `users`.`age` >= 21;

-- + view names
CREATE OR REPLACE VIEW `names` AS select `users`.`name` AS `name` from `users`;

