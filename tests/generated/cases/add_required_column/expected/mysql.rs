//! add required column

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // + column users.email varchar(320) not null
        // CHECK: fails if existing rows do not fit.
        // CHECK: rows that are there have no value for email: give one (--fill TABLE.email=EXPRESSION) or a default
        // CHECK: email takes NULL at first, or the server would make up values: rows that have none by the last step make it fail
        // 1 of 3: the column takes NULL at first.
        manager
            .alter_table(
                Table::alter()
                    .table("users")
                    .add_column(ColumnDef::new("email").string_len(320).null())
                    .to_owned(),
            )
            .await?;
        // 2 of 3, CHECK: say what the rows that are there get. As long as nothing is said, step 3 fails
        // if the table has rows. For example, with `let db = manager.get_connection();`:
        //     db.execute_unprepared("UPDATE `users` SET `email` = ... WHERE `email` IS NULL").await?;
        // 3 of 3: the column takes no NULL any more.
        manager
            .alter_table(
                Table::alter()
                    .table("users")
                    .modify_column(ColumnDef::new("email").string_len(320).not_null())
                    .to_owned(),
            )
            .await?;

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // - column users.email varchar(320) not null
        //     ALTER TABLE `users` DROP COLUMN `email`
        manager
            .alter_table(Table::alter().table("users").drop_column("email").to_owned())
            .await?;

        Ok(())
    }
}
