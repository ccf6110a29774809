//! add tables

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // + table users (9 columns)
        //     CREATE TABLE `users` (
        //       `id` bigint NOT NULL AUTO_INCREMENT,
        //       `email` varchar(320) NOT NULL,
        //       `name` varchar(100) DEFAULT 'it''s me',
        //       `is_active` tinyint(1) NOT NULL DEFAULT 1,
        //       `balance` decimal(12,2) NOT NULL DEFAULT 0.00,
        //       `mood` enum('happy','so','sad') NOT NULL DEFAULT 'happy',
        //       `settings` json,
        //       `size` integer unsigned,
        //       `created_at` timestamp NOT NULL DEFAULT current_timestamp(),
        //       PRIMARY KEY (`id`),
        //       UNIQUE INDEX `email` (`email`),
        //       CONSTRAINT `users_balance_check` CHECK (`balance` >= 0)
        //     ) COMMENT='People'
        manager
            .create_table(
                Table::create()
                    .table("users")
                    .col(
                        ColumnDef::new("id")
                            .big_integer()
                            .not_null()
                            .auto_increment()
                            .primary_key(),
                    )
                    .col(ColumnDef::new("email").string_len(320).not_null())
                    .col(
                        ColumnDef::new("name").string_len(100).null().default("it's me"),
                    )
                    .col(ColumnDef::new("is_active").boolean().not_null().default(1))
                    .col(
                        ColumnDef::new("balance")
                            .decimal_len(12, 2)
                            .not_null()
                            .default(Expr::cust("0.00")),
                    )
                    .col(
                        ColumnDef::new("mood")
                            .custom("enum('happy','so','sad')")
                            .not_null()
                            .default("happy"),
                    )
                    .col(ColumnDef::new("settings").json().null())
                    .col(ColumnDef::new("size").custom("integer unsigned").null())
                    .col(
                        ColumnDef::new("created_at")
                            .timestamp()
                            .not_null()
                            .default(Expr::current_timestamp()),
                    )
                    .index(Index::create().unique().name("email").col("email"))
                    .check(("users_balance_check", Expr::cust("`balance` >= 0")))
                    .comment("People")
                    .to_owned(),
            )
            .await?;

        // + table posts (6 columns)
        db.execute_unprepared(
                r#"CREATE TABLE `posts` (
  `id` integer NOT NULL AUTO_INCREMENT,
  `author_id` bigint NOT NULL,
  `slug` varchar(100) NOT NULL COMMENT 'Part of the "URL"',
  `body` text,
  `published_at` datetime,
  `changed_at` timestamp NULL ON UPDATE current_timestamp(),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `posts_author_slug` (`author_id`, `slug`),
  INDEX `posts_body` (`body`(40)),
  INDEX `posts_published` (`published_at`),
  CONSTRAINT `posts_author` FOREIGN KEY (`author_id`) REFERENCES `users` (`id`) ON DELETE CASCADE
)"#,
            )
            .await?;

        // + index posts_body on posts (body(40))
        // Done above, with: + table posts (6 columns)

        // + index posts_published on posts (published_at)
        // Done above, with: + table posts (6 columns)

        // + view published
        db.execute_unprepared(
                "CREATE OR REPLACE VIEW `published` AS select `posts`.`id` AS `id`,`posts`.`slug` AS `slug` from `posts` where `posts`.`published_at` is not null",
            )
            .await?;

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - view published
        db.execute_unprepared("DROP VIEW `published`").await?;

        // - index posts_published on posts (published_at)
        // Done with: - table posts (6 columns)

        // - index posts_body on posts (body(40))
        // Done with: - table posts (6 columns)

        // - table posts (6 columns)
        db.execute_unprepared("DROP TABLE `posts`").await?;

        // - table users (9 columns)
        //     DROP TABLE `users`
        manager.drop_table(Table::drop().table("users").to_owned()).await?;

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
