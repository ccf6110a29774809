SET NAMES utf8mb4;

-- ~ table person renamed to people
ALTER TABLE `person` RENAME TO `people`;

-- ~ column people.name renamed to full_name
ALTER TABLE `people` RENAME COLUMN `name` TO `full_name`;

