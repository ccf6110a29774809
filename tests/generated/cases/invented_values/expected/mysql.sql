SET NAMES utf8mb4;

SET @OLD_SQL_MODE = @@SQL_MODE;
SET SQL_MODE = CONCAT(@@SQL_MODE, ',STRICT_ALL_TABLES');

-- + column t.number integer not null
-- CHECK: rows that are there have no value for number: give one (--fill TABLE.number=EXPRESSION) or a default
-- CHECK: number takes NULL at first, or the server would make up values: rows that have none by the last step make it fail
-- CHECK: this may be a rename: say --rename t.old_number=number if it is one
ALTER TABLE `t` ADD COLUMN `number` integer;
ALTER TABLE `t` MODIFY COLUMN `number` integer NOT NULL;

-- + column t.at timestamp not null
-- CHECK: rows that are there have no value for at: give one (--fill TABLE.at=EXPRESSION) or a default
-- CHECK: at takes NULL at first, or the server would make up values: rows that have none by the last step make it fail
ALTER TABLE `t` ADD COLUMN `at` timestamp NULL;
ALTER TABLE `t` ADD CONSTRAINT `stairway_no_null` CHECK (`at` IS NOT NULL);
ALTER TABLE `t` DROP CONSTRAINT `stairway_no_null`, MODIFY COLUMN `at` timestamp NOT NULL;

-- + column whole.b varchar(20) not null
-- CHECK: rows that are there have no value for b: give one (--fill TABLE.b=EXPRESSION) or a default
-- CHECK: b takes NULL at first, or the server would make up values: rows that have none by the last step make it fail
ALTER TABLE `whole` ADD COLUMN `b` varchar(20);
ALTER TABLE `whole` DROP COLUMN `a`, MODIFY COLUMN `b` varchar(20) NOT NULL;

-- ~ column t.state: type enum('new','paid','done') to enum('open','paid','done')
-- CHECK: rows that have 'new' make it fail, or lose the value where the sql_mode is not strict
-- CHECK: if 'new' is called 'open' now, do it in three steps: add 'open' to the values and keep 'new'; UPDATE t SET state = 'open' WHERE state = 'new'; then take 'new' out
ALTER TABLE `t` ADD CONSTRAINT `stairway_no_null` CHECK (`seen` IS NOT NULL);
ALTER TABLE `t` DROP COLUMN `old_number`, DROP INDEX `old_code`, DROP COLUMN `old_code`, DROP CONSTRAINT `stairway_no_null`, MODIFY COLUMN `state` enum('open','paid','done') NOT NULL, MODIFY COLUMN `seen` timestamp NOT NULL;

-- ~ column t.seen: null to not null

-- - column t.old_number integer not null
-- CHECK: this may be a rename: say --rename t.old_number=number if it is one

-- - column t.old_code varchar(20) not null

-- - column whole.a integer not null

SET SQL_MODE = @OLD_SQL_MODE;
