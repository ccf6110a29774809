//! change columns

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - foreign key badges_ibfk_1 of badges (user_id) references users (id)
        db.execute_unprepared(
                "ALTER TABLE `badges` DROP FOREIGN KEY `badges_ibfk_1`, DROP INDEX `user_id`",
            )
            .await?;

        // ~ column badges.user_id: not null to null
        //     ALTER TABLE `badges` MODIFY COLUMN `user_id` integer
        manager
            .alter_table(
                Table::alter()
                    .table("badges")
                    .modify_column(ColumnDef::new("user_id").custom("integer").null())
                    .to_owned(),
            )
            .await?;

        // ~ column users.name: type varchar(100) to varchar(200)
        db.execute_unprepared(
                "ALTER TABLE `users` MODIFY COLUMN `name` varchar(200) NOT NULL, MODIFY COLUMN `nick` varchar(20) NOT NULL, MODIFY COLUMN `points` bigint NOT NULL DEFAULT 5, MODIFY COLUMN `note` varchar(10)",
            )
            .await?;

        // ~ column users.nick: null to not null
        // CHECK: fails if existing rows do not fit.
        // Done above, with: ~ column users.name: type varchar(100) to varchar(200)

        // ~ column users.points: type integer to bigint
        // CHECK: writes the whole table anew and blocks it meanwhile.
        // Done above, with: ~ column users.name: type varchar(100) to varchar(200)

        // ~ column users.points: default none to 5
        // Done above, with: ~ column users.name: type varchar(100) to varchar(200)

        // ~ column users.note: default 'x' to none
        // Done above, with: ~ column users.name: type varchar(100) to varchar(200)

        // + foreign key badges_ibfk_1 of badges (user_id) references users (id) on delete set null
        db.execute_unprepared(
                "ALTER TABLE `badges` ADD INDEX `user_id` (`user_id`), ADD CONSTRAINT `badges_ibfk_1` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE SET NULL",
            )
            .await?;

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - foreign key badges_ibfk_1 of badges (user_id) references users (id) on delete set null
        db.execute_unprepared(
                "ALTER TABLE `badges` DROP FOREIGN KEY `badges_ibfk_1`, DROP INDEX `user_id`",
            )
            .await?;

        // ~ column users.note: default none to 'x'
        db.execute_unprepared(
                "ALTER TABLE `users` MODIFY COLUMN `note` varchar(10) DEFAULT 'x', MODIFY COLUMN `points` integer NOT NULL DEFAULT 1, MODIFY COLUMN `nick` varchar(20), MODIFY COLUMN `name` varchar(100) NOT NULL",
            )
            .await?;

        // ~ column users.points: default 5 to none
        // Done with: ~ column users.name: type varchar(200) to varchar(100)

        // ~ column users.points: type bigint to integer
        // Done with: ~ column users.name: type varchar(200) to varchar(100)

        // ~ column users.nick: not null to null
        // Done with: ~ column users.name: type varchar(200) to varchar(100)

        // ~ column users.name: type varchar(200) to varchar(100)

        // ~ column badges.user_id: null to not null
        //     ALTER TABLE `badges` MODIFY COLUMN `user_id` integer NOT NULL
        manager
            .alter_table(
                Table::alter()
                    .table("badges")
                    .modify_column(
                        ColumnDef::new("user_id").custom("integer").not_null(),
                    )
                    .to_owned(),
            )
            .await?;

        // + foreign key badges_ibfk_1 of badges (user_id) references users (id)
        db.execute_unprepared(
                "ALTER TABLE `badges` ADD INDEX `user_id` (`user_id`), ADD CONSTRAINT `badges_ibfk_1` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`)",
            )
            .await?;

        Ok(())
    }
}

/// The SQL in here is MySQL's.
fn refuse_other_databases(manager: &SchemaManager) -> Result<(), DbErr> {
    match manager.get_database_backend() {
        DbBackend::MySql => Ok(()),
        backend => Err(DbErr::Custom(format!("there is no SQL for {backend:?} here"))),
    }
}
