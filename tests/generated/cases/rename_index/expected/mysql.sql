SET NAMES utf8mb4;

-- ~ index users_name on users renamed to users_by_name
ALTER TABLE `users` RENAME INDEX `users_name` TO `users_by_name`;

