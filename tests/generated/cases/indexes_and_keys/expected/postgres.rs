//! indexes and keys

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - index a_y on a (y)
        //     DROP INDEX public.a_y
        manager.drop_index(Index::drop().name("a_y").table("a").to_owned()).await?;

        // + unique a_x of a (x)
        // CHECK: fails if existing rows do not fit.
        db.execute_unprepared("ALTER TABLE public.a ADD CONSTRAINT a_x UNIQUE (x)")
            .await?;

        // + index a_x_y on a (x, y)
        //     CREATE INDEX a_x_y ON public.a (x, y)
        manager
            .create_index(
                Index::create().name("a_x_y").table("a").col("x").col("y").to_owned(),
            )
            .await?;

        // + check a_positive of a: y > 0
        // CHECK: fails if existing rows do not fit.
        db.execute_unprepared(
                "ALTER TABLE public.a ADD CONSTRAINT a_positive CHECK ((y > 0))",
            )
            .await?;

        // + foreign key b_a of b (a_id) references a (id) on update cascade on delete set null
        // CHECK: fails if existing rows do not fit.
        //     ALTER TABLE public.b ADD CONSTRAINT b_a FOREIGN KEY (a_id) REFERENCES public.a (id) ON UPDATE CASCADE ON DELETE SET NULL
        manager
            .create_foreign_key(
                ForeignKey::create()
                    .name("b_a")
                    .from_tbl("b")
                    .from_col("a_id")
                    .to_tbl("a")
                    .to_col("id")
                    .on_delete(ForeignKeyAction::SetNull)
                    .on_update(ForeignKeyAction::Cascade)
                    .to_owned(),
            )
            .await?;

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - foreign key b_a of b (a_id) references a (id) on update cascade on delete set null
        //     ALTER TABLE public.b DROP CONSTRAINT b_a
        manager
            .drop_foreign_key(ForeignKey::drop().name("b_a").table("b").to_owned())
            .await?;

        // - check a_positive of a: y > 0
        db.execute_unprepared("ALTER TABLE public.a DROP CONSTRAINT a_positive").await?;

        // - index a_x_y on a (x, y)
        //     DROP INDEX public.a_x_y
        manager.drop_index(Index::drop().name("a_x_y").table("a").to_owned()).await?;

        // - unique a_x of a (x)
        db.execute_unprepared("ALTER TABLE public.a DROP CONSTRAINT a_x").await?;

        // + index a_y on a (y)
        //     CREATE INDEX a_y ON public.a (y)
        manager
            .create_index(Index::create().name("a_y").table("a").col("y").to_owned())
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
