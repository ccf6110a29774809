SET NAMES utf8mb4;

-- - primary key of a (id)
ALTER TABLE `a` DROP PRIMARY KEY, ADD PRIMARY KEY (`id`, `part`);

-- + primary key of a (id, part)

