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

        // - foreign key badges_user_id_fkey of badges (user_id) references users (id)
        //     ALTER TABLE public.badges DROP CONSTRAINT badges_user_id_fkey
        manager
            .drop_foreign_key(
                ForeignKey::drop().name("badges_user_id_fkey").table("badges").to_owned(),
            )
            .await?;

        // ~ column badges.user_id: not null to null
        //     ALTER TABLE public.badges ALTER COLUMN user_id DROP NOT NULL
        manager
            .alter_table(
                Table::alter()
                    .table("badges")
                    .modify_column(ColumnDef::new("user_id").null())
                    .to_owned(),
            )
            .await?;

        // ~ column users.name: type varchar(100) to varchar(200)
        //     ALTER TABLE public.users ALTER COLUMN name TYPE varchar(200)
        manager
            .alter_table(
                Table::alter()
                    .table("users")
                    .modify_column(ColumnDef::new("name").string_len(200))
                    .to_owned(),
            )
            .await?;

        // ~ column users.nick: null to not null
        // CHECK: fails if existing rows do not fit.
        //     ALTER TABLE public.users ALTER COLUMN nick SET NOT NULL
        manager
            .alter_table(
                Table::alter()
                    .table("users")
                    .modify_column(ColumnDef::new("nick").not_null())
                    .to_owned(),
            )
            .await?;

        // ~ column users.points: type integer to bigint
        // CHECK: writes the whole table anew and blocks it meanwhile.
        db.execute_unprepared(
                "ALTER TABLE public.users ALTER COLUMN points DROP DEFAULT, ALTER COLUMN points TYPE bigint",
            )
            .await?;

        // ~ column users.points: default none to 5
        //     ALTER TABLE public.users ALTER COLUMN points SET DEFAULT 5
        manager
            .alter_table(
                Table::alter()
                    .table("users")
                    .modify_column(ColumnDef::new("points").default(5))
                    .to_owned(),
            )
            .await?;

        // ~ column users.note: default 'x' to none
        db.execute_unprepared("ALTER TABLE public.users ALTER COLUMN note DROP DEFAULT")
            .await?;

        // + foreign key badges_user_id_fkey of badges (user_id) references users (id) on delete set null
        //     ALTER TABLE public.badges ADD CONSTRAINT badges_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users (id) ON DELETE SET NULL
        manager
            .create_foreign_key(
                ForeignKey::create()
                    .name("badges_user_id_fkey")
                    .from_tbl("badges")
                    .from_col("user_id")
                    .to_tbl("users")
                    .to_col("id")
                    .on_delete(ForeignKeyAction::SetNull)
                    .to_owned(),
            )
            .await?;

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - foreign key badges_user_id_fkey of badges (user_id) references users (id) on delete set null
        //     ALTER TABLE public.badges DROP CONSTRAINT badges_user_id_fkey
        manager
            .drop_foreign_key(
                ForeignKey::drop().name("badges_user_id_fkey").table("badges").to_owned(),
            )
            .await?;

        // ~ column users.note: default none to 'x'
        //     ALTER TABLE public.users ALTER COLUMN note SET DEFAULT 'x'::character varying
        manager
            .alter_table(
                Table::alter()
                    .table("users")
                    .modify_column(ColumnDef::new("note").default("x"))
                    .to_owned(),
            )
            .await?;

        // ~ column users.points: default 5 to none
        db.execute_unprepared(
                "ALTER TABLE public.users ALTER COLUMN points DROP DEFAULT",
            )
            .await?;

        // ~ column users.points: type bigint to integer
        db.execute_unprepared(
                "ALTER TABLE public.users ALTER COLUMN points TYPE integer, ALTER COLUMN points SET DEFAULT 1",
            )
            .await?;

        // ~ column users.nick: not null to null
        //     ALTER TABLE public.users ALTER COLUMN nick DROP NOT NULL
        manager
            .alter_table(
                Table::alter()
                    .table("users")
                    .modify_column(ColumnDef::new("nick").null())
                    .to_owned(),
            )
            .await?;

        // ~ column users.name: type varchar(200) to varchar(100)
        //     ALTER TABLE public.users ALTER COLUMN name TYPE varchar(100)
        manager
            .alter_table(
                Table::alter()
                    .table("users")
                    .modify_column(ColumnDef::new("name").string_len(100))
                    .to_owned(),
            )
            .await?;

        // ~ column badges.user_id: null to not null
        //     ALTER TABLE public.badges ALTER COLUMN user_id SET NOT NULL
        manager
            .alter_table(
                Table::alter()
                    .table("badges")
                    .modify_column(ColumnDef::new("user_id").not_null())
                    .to_owned(),
            )
            .await?;

        // + foreign key badges_user_id_fkey of badges (user_id) references users (id)
        //     ALTER TABLE public.badges ADD CONSTRAINT badges_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users (id)
        manager
            .create_foreign_key(
                ForeignKey::create()
                    .name("badges_user_id_fkey")
                    .from_tbl("badges")
                    .from_col("user_id")
                    .to_tbl("users")
                    .to_col("id")
                    .to_owned(),
            )
            .await?;

        Ok(())
    }
}

/// The SQL in here is PostgreSQL's.
fn refuse_other_databases(manager: &SchemaManager) -> Result<(), DbErr> {
    match manager.get_database_backend() {
        DbBackend::Postgres => Ok(()),
        backend => Err(DbErr::Custom(format!("there is no SQL for {backend:?} here"))),
    }
}
