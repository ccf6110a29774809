-- ~ table person renamed to people
-- ~ column people.name renamed to full_name

ALTER TABLE `person` RENAME TO `people`;
ALTER TABLE `people` RENAME COLUMN `name` TO `full_name`;
