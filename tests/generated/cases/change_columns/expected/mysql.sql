SET NAMES utf8mb4;

-- - foreign key badges_ibfk_1 of badges (user_id) references users (id)
ALTER TABLE `badges` DROP FOREIGN KEY `badges_ibfk_1`, DROP INDEX `user_id`;

SET @OLD_SQL_MODE = @@SQL_MODE;
SET SQL_MODE = CONCAT(@@SQL_MODE, ',STRICT_ALL_TABLES');

-- ~ column badges.user_id: not null to null
ALTER TABLE `badges` MODIFY COLUMN `user_id` integer;

-- ~ column users.name: type varchar(100) to varchar(200)
ALTER TABLE `users` MODIFY COLUMN `name` varchar(200) NOT NULL, MODIFY COLUMN `nick` varchar(20) NOT NULL, MODIFY COLUMN `points` bigint NOT NULL DEFAULT 5, MODIFY COLUMN `note` varchar(10);

-- ~ column users.nick: null to not null

-- ~ column users.points: type integer to bigint

-- ~ column users.points: default none to 5

-- ~ column users.note: default 'x' to none

SET SQL_MODE = @OLD_SQL_MODE;

-- + foreign key badges_ibfk_1 of badges (user_id) references users (id) on delete set null
ALTER TABLE `badges` ADD INDEX `user_id` (`user_id`), ADD CONSTRAINT `badges_ibfk_1` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE SET NULL;

