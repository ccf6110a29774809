//! invented values

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // + column t.number integer not null
        // CHECK: fails if existing rows do not fit.
        // CHECK: rows that are there have no value for number: give one (--fill TABLE.number=EXPRESSION) or a default
        // CHECK: number takes NULL at first, or the server would make up values: rows that have none by the last step make it fail
        // CHECK: this may be a rename: say --rename t.old_number=number if it is one
        // 1 of 3: the column takes NULL at first.
        manager
            .alter_table(
                Table::alter()
                    .table("t")
                    .add_column(ColumnDef::new("number").custom("integer").null())
                    .to_owned(),
            )
            .await?;
        // 2 of 3, CHECK: say what the rows that are there get. As long as nothing is said, step 3 fails
        // if the table has rows. For example, with `let db = manager.get_connection();`:
        //     db.execute_unprepared("UPDATE `t` SET `number` = ... WHERE `number` IS NULL").await?;
        // 3 of 3: the column takes no NULL any more.
        manager
            .alter_table(
                Table::alter()
                    .table("t")
                    .modify_column(ColumnDef::new("number").custom("integer").not_null())
                    .to_owned(),
            )
            .await?;

        // + column t.at timestamp not null
        // CHECK: fails if existing rows do not fit.
        // CHECK: rows that are there have no value for at: give one (--fill TABLE.at=EXPRESSION) or a default
        // CHECK: at takes NULL at first, or the server would make up values: rows that have none by the last step make it fail
        db.execute_unprepared("ALTER TABLE `t` ADD COLUMN `at` timestamp NULL").await?;
        db.execute_unprepared(
                "ALTER TABLE `t` ADD CONSTRAINT `stairway_no_null` CHECK (`at` IS NOT NULL)",
            )
            .await?;
        db.execute_unprepared(
                "ALTER TABLE `t` DROP CONSTRAINT `stairway_no_null`, MODIFY COLUMN `at` timestamp NOT NULL",
            )
            .await?;

        // + column whole.b varchar(20) not null
        // CHECK: fails if existing rows do not fit.
        // CHECK: rows that are there have no value for b: give one (--fill TABLE.b=EXPRESSION) or a default
        // CHECK: b takes NULL at first, or the server would make up values: rows that have none by the last step make it fail
        db.execute_unprepared("ALTER TABLE `whole` ADD COLUMN `b` varchar(20)").await?;
        db.execute_unprepared(
                "ALTER TABLE `whole` DROP COLUMN `a`, MODIFY COLUMN `b` varchar(20) NOT NULL",
            )
            .await?;

        // ~ column t.state: type enum('new','paid','done') to enum('open','paid','done')
        // CHECK: fails if existing rows do not fit.
        // CHECK: rows that have 'new' make it fail, or lose the value where the sql_mode is not strict
        // CHECK: if 'new' is called 'open' now, do it in three steps: add 'open' to the values and keep 'new'; UPDATE t SET state = 'open' WHERE state = 'new'; then take 'new' out
        db.execute_unprepared(
                "ALTER TABLE `t` ADD CONSTRAINT `stairway_no_null` CHECK (`seen` IS NOT NULL)",
            )
            .await?;
        db.execute_unprepared(
                "ALTER TABLE `t` DROP COLUMN `old_number`, DROP INDEX `old_code`, DROP COLUMN `old_code`, DROP CONSTRAINT `stairway_no_null`, MODIFY COLUMN `state` enum('open','paid','done') NOT NULL, MODIFY COLUMN `seen` timestamp NOT NULL",
            )
            .await?;

        // ~ column t.seen: null to not null
        // CHECK: fails if existing rows do not fit.
        // Done above, with: ~ column t.state: type enum('new','paid','done') to enum('open','paid','done')

        // - column t.old_number integer not null
        // CHECK: data is lost and can't be brought back.
        // CHECK: this may be a rename: say --rename t.old_number=number if it is one
        // Done above, with: ~ column t.state: type enum('new','paid','done') to enum('open','paid','done')

        // - column t.old_code varchar(20) not null
        // CHECK: data is lost and can't be brought back.
        // Done above, with: ~ column t.state: type enum('new','paid','done') to enum('open','paid','done')

        // - column whole.a integer not null
        // CHECK: data is lost and can't be brought back.
        // Done above, with: + column whole.b varchar(20) not null

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // What does not come back:
        //   the values of t.old_number
        //   the values of t.old_code
        //   the values of whole.a

        // + column whole.a integer not null
        // This fails if whole has rows by then: give the column a default, or fill it first.
        db.execute_unprepared("ALTER TABLE `whole` ADD COLUMN `a` integer").await?;
        db.execute_unprepared(
                "ALTER TABLE `whole` DROP COLUMN `b`, MODIFY COLUMN `a` integer NOT NULL",
            )
            .await?;

        // + column t.old_code varchar(20) not null
        // This fails if t has rows by then: give the column a default, or fill it first.
        db.execute_unprepared("ALTER TABLE `t` ADD COLUMN `old_code` varchar(20)")
            .await?;
        db.execute_unprepared(
                "ALTER TABLE `t` MODIFY COLUMN `old_code` varchar(20) NOT NULL, ADD UNIQUE INDEX `old_code` (`old_code`)",
            )
            .await?;

        // + column t.old_number integer not null
        // This fails if t has rows by then: give the column a default, or fill it first.
        db.execute_unprepared("ALTER TABLE `t` ADD COLUMN `old_number` integer").await?;
        db.execute_unprepared(
                "ALTER TABLE `t` MODIFY COLUMN `old_number` integer NOT NULL",
            )
            .await?;

        // ~ column t.seen: not null to null
        db.execute_unprepared(
                "ALTER TABLE `t` DROP COLUMN `at`, DROP COLUMN `number`, MODIFY COLUMN `seen` timestamp NULL, MODIFY COLUMN `state` enum('new','paid','done') NOT NULL",
            )
            .await?;

        // ~ column t.state: type enum('open','paid','done') to enum('new','paid','done')

        // - column whole.b varchar(20) not null

        // - column t.at timestamp not null

        // - column t.number integer not null

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
