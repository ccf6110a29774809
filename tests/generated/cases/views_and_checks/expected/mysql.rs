//! views and checks

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - view grown_up
        db.execute_unprepared("DROP VIEW `grown_up`").await?;

        // - view obsolete
        db.execute_unprepared("DROP VIEW `obsolete`").await?;

        // - check users_age of users: age > 0
        db.execute_unprepared(
                "ALTER TABLE `users` DROP CONSTRAINT `users_age`, DROP COLUMN `gone`, MODIFY COLUMN `name` varchar(80) NOT NULL, ADD CONSTRAINT `users_age` CHECK (`age` > 3), ADD CONSTRAINT `users_name` CHECK (`name` <> '')",
            )
            .await?;

        // ~ column users.name: type varchar(40) to varchar(80)
        // CHECK: writes the whole table anew and blocks it meanwhile.
        // Done above, with: - check users_age of users: age > 0

        // - column users.gone integer
        // CHECK: data is lost and can't be brought back.
        // Done above, with: - check users_age of users: age > 0

        // + check users_age of users: age > 3
        // CHECK: fails if existing rows do not fit.
        // Done above, with: - check users_age of users: age > 0

        // + check users_name of users: name <> ''
        // CHECK: fails if existing rows do not fit.
        // Done above, with: - check users_age of users: age > 0

        // + view grown_up
        // CHECK: privileges granted on the old view must be granted again
        db.execute_unprepared(
                "CREATE OR REPLACE VIEW `grown_up` AS select `users`.`id` AS `id`,`users`.`name` AS `name`,`users`.`age` AS `age` from `users` where `users`.`age` >= 21",
            )
            .await?;

        // + view names
        db.execute_unprepared(
                "CREATE OR REPLACE VIEW `names` AS select `users`.`name` AS `name` from `users`",
            )
            .await?;

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // What does not come back:
        //   the values of users.gone

        // - view names
        db.execute_unprepared("DROP VIEW `names`").await?;

        // - view grown_up
        db.execute_unprepared("DROP VIEW `grown_up`").await?;

        // - check users_name of users: name <> ''
        db.execute_unprepared(
                "ALTER TABLE `users` DROP CONSTRAINT `users_name`, DROP CONSTRAINT `users_age`, MODIFY COLUMN `name` varchar(40) NOT NULL, ADD COLUMN `gone` integer, ADD CONSTRAINT `users_age` CHECK (`age` > 0)",
            )
            .await?;

        // - check users_age of users: age > 3
        // Done with: + check users_age of users: age > 0

        // + column users.gone integer
        // Done with: + check users_age of users: age > 0

        // ~ column users.name: type varchar(80) to varchar(40)
        // Done with: + check users_age of users: age > 0

        // + check users_age of users: age > 0

        // + view obsolete
        db.execute_unprepared(
                "CREATE OR REPLACE VIEW `obsolete` AS select `users`.`id` AS `id` from `users`",
            )
            .await?;

        // + view grown_up
        db.execute_unprepared(
                "CREATE OR REPLACE VIEW `grown_up` AS select `users`.`id` AS `id`,`users`.`name` AS `name` from `users` where `users`.`age` >= 18",
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
