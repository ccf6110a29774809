//! drop table

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - view published
        db.execute_unprepared(r#"DROP VIEW "published""#).await?;

        // - table posts (4 columns)
        // CHECK: data is lost and can't be brought back.
        //     DROP TABLE "posts"
        manager.drop_table(Table::drop().table("posts").to_owned()).await?;

        // - table users (6 columns)
        // CHECK: data is lost and can't be brought back.
        //     DROP TABLE "users"
        manager.drop_table(Table::drop().table("users").to_owned()).await?;

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // What does not come back:
        //   the rows of posts
        //   the rows of users

        // + table users (6 columns)
        //     CREATE TABLE users (
        //         id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
        //         email varchar(320) NOT NULL UNIQUE,
        //         name text DEFAULT 'it''s me',
        //         is_active boolean NOT NULL DEFAULT TRUE,
        //         balance real NOT NULL DEFAULT 0,
        //         created_at text NOT NULL DEFAULT CURRENT_TIMESTAMP,
        //         CHECK (balance >= 0)
        //     )
        manager
            .create_table(
                Table::create()
                    .table("users")
                    .col(
                        ColumnDef::new("id")
                            .integer()
                            .not_null()
                            .auto_increment()
                            .primary_key(),
                    )
                    .col(ColumnDef::new("email").string_len(320).not_null())
                    .col(ColumnDef::new("name").text().null().default("it's me"))
                    .col(ColumnDef::new("is_active").boolean().not_null().default(true))
                    .col(ColumnDef::new("balance").custom("real").not_null().default(0))
                    .col(
                        ColumnDef::new("created_at")
                            .text()
                            .not_null()
                            .default(Expr::current_timestamp()),
                    )
                    .index(Index::create().unique().col("email"))
                    .check(Expr::cust("balance >= 0"))
                    .to_owned(),
            )
            .await?;

        // + table posts (4 columns)
        //     CREATE TABLE posts (
        //         id integer NOT NULL PRIMARY KEY,
        //         author_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        //         slug varchar(100) NOT NULL,
        //         published_at text
        //     )
        manager
            .create_table(
                Table::create()
                    .table("posts")
                    .col(ColumnDef::new("id").integer().not_null().primary_key())
                    .col(ColumnDef::new("author_id").integer().not_null())
                    .col(ColumnDef::new("slug").string_len(100).not_null())
                    .col(ColumnDef::new("published_at").text().null())
                    .foreign_key(
                        ForeignKey::create()
                            .from_tbl("posts")
                            .from_col("author_id")
                            .to_tbl("users")
                            .to_col("id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        db.execute_unprepared(
                r#"CREATE UNIQUE INDEX "posts_author_slug" ON "posts" ("author_id", "slug")"#,
            )
            .await?;
        db.execute_unprepared(
                r#"CREATE INDEX "posts_published" ON "posts" ("published_at" DESC) WHERE published_at IS NOT NULL"#,
            )
            .await?;

        // + view published
        db.execute_unprepared(
                "CREATE VIEW published AS SELECT id, slug FROM posts WHERE published_at IS NOT NULL",
            )
            .await?;

        Ok(())
    }
}

/// The SQL in here is SQLite's.
fn refuse_other_databases(manager: &SchemaManager) -> Result<(), DbErr> {
    match manager.get_database_backend() {
        DbBackend::Sqlite => Ok(()),
        backend => Err(DbErr::Custom(format!("there is no SQL for {backend:?} here"))),
    }
}
