//! Many small revisions, for races.

use sea_orm_migration::prelude::*;

use crate::revision::{Revisions, run};

struct Small {
    name: String,
    number: usize,
}

impl MigrationName for Small {
    fn name(&self) -> &str {
        &self.name
    }
}

/// Each makes a table and counts itself: run twice, it fails or is counted twice.
#[async_trait::async_trait]
impl MigrationTrait for Small {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let number = self.number;
        if number == 0 {
            run(manager, "CREATE TABLE counted (number int NOT NULL)").await?;
        }
        run(
            manager,
            &format!("CREATE TABLE small_{number} (id int PRIMARY KEY)"),
        )
        .await?;
        run(manager, &format!("INSERT INTO counted VALUES ({number})")).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let number = self.number;
        run(
            manager,
            &format!("DELETE FROM counted WHERE number = {number}"),
        )
        .await?;
        run(manager, &format!("DROP TABLE small_{number}")).await?;
        if number == 0 {
            run(manager, "DROP TABLE counted").await?;
        }
        Ok(())
    }
}

pub(crate) fn revisions(count: usize) -> Revisions {
    (0..count).fold(Revisions::default(), |revisions, number| {
        revisions.with(Small {
            name: format!("m20260101_{number:06}_small"),
            number,
        })
    })
}
