SET NAMES utf8mb4;

-- - index a_y on a (y)
ALTER TABLE `a` DROP INDEX `a_y`, ADD UNIQUE INDEX `a_x` (`x`), ADD INDEX `a_x_y` (`x`, `y`), ADD CONSTRAINT `a_positive` CHECK (`y` > 0);

-- + unique a_x of a (x)

-- + index a_x_y on a (x, y)

-- + check a_positive of a: y > 0

-- + foreign key b_a of b (a_id) references a (id) on update cascade on delete set null
ALTER TABLE `b` ADD CONSTRAINT `b_a` FOREIGN KEY (`a_id`) REFERENCES `a` (`id`) ON UPDATE CASCADE ON DELETE SET NULL;

