//! Migrations whose crash, or whose code, leaves something to settle.

use sea_orm::{ConnectionTrait, DbBackend};
use sea_orm_migration::prelude::*;

use crate::revision::{Direction, Revision, Revisions, run, run_for, wait_at_gate};

pub(crate) fn revisions(name: &str, argument: &str) -> Revisions {
    let evidence = Revision::new("m20260101_000001_evidence", |manager| {
        Box::pin(evidence(manager))
    });
    let revisions = Revisions::default().with(evidence);
    match (name, argument) {
        ("doubt", _) => revisions.with(outside("m20260102_000001_doubt", |manager| {
            Box::pin(doubt(manager))
        })),
        ("edited", "now") => revisions.with(outside("m20260102_000001_edited", |manager| {
            Box::pin(edited(manager, Some("zwei")))
        })),
        ("edited", "short") => revisions.with(outside("m20260102_000001_edited", |manager| {
            Box::pin(edited(manager, None))
        })),
        ("edited", _) => revisions.with(outside("m20260102_000001_edited", |manager| {
            Box::pin(edited(manager, Some("two")))
        })),
        ("own", "savepoint") => revisions.with(outside("m20260102_000001_own", |manager| {
            Box::pin(own_savepoint(manager))
        })),
        ("own", "savepoint twice") => revisions.with(outside("m20260102_000001_own", |manager| {
            Box::pin(own_savepoint_twice(manager))
        })),
        ("own", "savepoint nested") => revisions.with(outside("m20260102_000001_own", |manager| {
            Box::pin(own_savepoint_nested(manager))
        })),
        ("own", _) => revisions.with(outside("m20260102_000001_own", |manager| {
            Box::pin(own_transaction(manager))
        })),
        ("index", "guarded") => revisions.with(outside("m20260102_000001_index", |manager| {
            Box::pin(index(
                manager,
                "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS goods_code ON goods (code)",
            ))
        })),
        ("index", "rebuilt") => revisions.with(outside("m20260102_000001_index", |manager| {
            Box::pin(index(manager, "REINDEX INDEX CONCURRENTLY goods_pkey"))
        })),
        ("index", _) => revisions.with(outside("m20260102_000001_index", |manager| {
            Box::pin(index(
                manager,
                "CREATE UNIQUE INDEX CONCURRENTLY goods_code ON goods (code)",
            ))
        })),
        ("slow", "definition") => revisions
            .with(Revision::new("m20260102_000001_slow", |manager| {
                Box::pin(slow_definition(manager))
            }))
            .with(Revision::new("m20260103_000001_after", |manager| {
                Box::pin(witness(manager, "after"))
            })),
        ("slow", _) => revisions
            .with(Revision::new("m20260102_000001_slow", |manager| {
                Box::pin(slow(manager))
            }))
            .with(Revision::new("m20260103_000001_after", |manager| {
                Box::pin(witness(manager, "after"))
            })),
        ("gated", _) => revisions
            .with(Revision::new("m20260102_000001_gated", |manager| {
                Box::pin(gated(manager))
            }))
            .with(Revision::new("m20260103_000001_after", |manager| {
                Box::pin(witness(manager, "after"))
            })),
        ("unlocks", _) => revisions.with(Revision::new("m20260102_000001_unlocks", |manager| {
            Box::pin(unlocks(manager))
        })),
        ("session", _) => revisions.with(Revision::new("m20260102_000001_session", |manager| {
            Box::pin(of_the_session(manager))
        })),
        ("definition", "column") => {
            revisions.with(outside("m20260102_000001_definition", |manager| {
                Box::pin(definition(manager, "ALTER TABLE goods ADD COLUMN weight int"))
            }))
        }
        ("definition", "replace") => {
            revisions.with(outside("m20260102_000001_definition", |manager| {
                Box::pin(definition(
                    manager,
                    "CREATE OR REPLACE TABLE goods (id int PRIMARY KEY, code int, weight int)",
                ))
            }))
        }
        ("definition", "several") => {
            revisions.with(outside("m20260102_000001_definition", |manager| {
                Box::pin(definition(
                    manager,
                    "ALTER TABLE goods ADD COLUMN weight int, DROP COLUMN code, ADD INDEX goods_weight (weight)",
                ))
            }))
        }
        ("definition", "drop") => {
            revisions.with(outside("m20260102_000001_definition", |manager| {
                Box::pin(definition(manager, "DROP TABLE goods, evidence_copy"))
            }))
        }
        ("definition", "swap") => {
            revisions.with(outside("m20260102_000001_definition", |manager| {
                Box::pin(definition(
                    manager,
                    "RENAME TABLE goods TO goods_old, goods_copy TO goods",
                ))
            }))
        }
        ("definition", _) => revisions.with(outside("m20260102_000001_definition", |manager| {
            Box::pin(definition(
                manager,
                "CREATE TABLE selected AS SELECT id, code FROM goods",
            ))
        })),
        _ => Revisions::default(),
    }
}

fn outside(name: &str, up: Direction) -> Revision {
    Revision::new(name, up).transaction(false)
}

async fn witness(manager: &SchemaManager<'_>, what: &str) -> Result<(), DbErr> {
    run(
        manager,
        &format!("INSERT INTO evidence (what) VALUES ('{what}')"),
    )
    .await
    .map(drop)
}

async fn evidence(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    run(
        manager,
        "CREATE TABLE evidence (what varchar(100) NOT NULL)",
    )
    .await?;
    run(
        manager,
        "CREATE TABLE goods (id int PRIMARY KEY, code int NOT NULL)",
    )
    .await?;
    run(manager, "INSERT INTO goods VALUES (1, 10), (2, 20)").await?;
    Ok(())
}

/// A statement of which nothing tells afterwards whether it was done: its third on PostgreSQL, its
/// second on MySQL/MariaDB. SQLite has none.
async fn doubt(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    run_for(
        manager,
        "CREATE TABLE notes (what int)",
        "CREATE TABLE notes (what int) ENGINE=MyISAM",
        "CREATE TABLE notes (what int)",
    )
    .await?;
    run_for(
        manager,
        "CREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO notes VALUES (1); COMMIT; END $$",
        "",
        "",
    )
    .await?;
    run_for(
        manager,
        "CALL fill()",
        "INSERT INTO notes VALUES (1)",
        "INSERT INTO notes VALUES (1)",
    )
    .await?;
    witness(manager, "doubt").await
}

/// The same revision as it was and as somebody has changed it meanwhile.
async fn edited(manager: &SchemaManager<'_>, second: Option<&str>) -> Result<(), DbErr> {
    witness(manager, "one").await?;
    let Some(second) = second else {
        return Ok(());
    };
    witness(manager, second).await?;
    run(manager, "CREATE TABLE three (id int)").await?;
    witness(manager, "four").await
}

async fn own_transaction(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    witness(manager, "before").await?;
    let own = manager.begin().await?;
    witness(&own, "own, first").await?;
    witness(&own, "own, second").await?;
    own.commit().await?;
    witness(manager, "behind").await
}

/// SQLite takes a savepoint outside a transaction for the beginning of one.
async fn own_savepoint(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    witness(manager, "before").await?;
    run(manager, "SAVEPOINT mine").await?;
    witness(manager, "own, first").await?;
    run(manager, "SAVEPOINT inner").await?;
    witness(manager, "own, lost").await?;
    run(manager, "ROLLBACK TO inner; RELEASE inner").await?;
    witness(manager, "own, second").await?;
    run(manager, "RELEASE mine").await?;
    witness(manager, "behind").await
}

/// A savepoint that begins a transaction and is rolled back with it, then one of the same name within
/// a transaction, which its release does not commit.
async fn own_savepoint_twice(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    witness(manager, "before").await?;
    run(manager, "SAVEPOINT mine").await?;
    witness(manager, "own, lost").await?;
    run(manager, "ROLLBACK").await?;
    run(manager, "BEGIN").await?;
    run(manager, "SAVEPOINT mine").await?;
    witness(manager, "own, first").await?;
    run(manager, "RELEASE mine").await?;
    witness(manager, "own, second").await?;
    run(manager, "ROLLBACK").await?;
    witness(manager, "behind").await
}

/// Savepoints of one name within the one that begins a transaction: the transaction ends with the
/// outermost.
async fn own_savepoint_nested(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    witness(manager, "before").await?;
    run(manager, "SAVEPOINT mine").await?;
    run(manager, "SAVEPOINT mine").await?;
    witness(manager, "own, first").await?;
    run(manager, "RELEASE MINE").await?;
    run(manager, "SAVEPOINT inner").await?;
    run(manager, "SAVEPOINT mine").await?;
    run(manager, "RELEASE inner").await?;
    witness(manager, "own, second").await?;
    run(manager, "RELEASE mine").await?;
    witness(manager, "behind").await
}

async fn index(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    witness(manager, "before").await?;
    run(manager, sql).await?;
    witness(manager, "behind").await
}

/// A statement that runs on the server until nobody holds its row any more.
async fn slow(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    run(manager, "UPDATE goods SET code = code + 1 WHERE id = 1").await?;
    witness(manager, "slow").await
}

/// A definition that runs on the server until nobody uses its table any more.
async fn slow_definition(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    run(manager, "ALTER TABLE goods ADD COLUMN weight int").await?;
    witness(manager, "slow").await
}

/// Waits between two statements.
async fn gated(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    witness(manager, "before the gate").await?;
    wait_at_gate();
    witness(manager, "behind the gate").await
}

/// Gives back every lock of the session, the run's own among them.
async fn unlocks(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    witness(manager, "unlocked").await?;
    run_for(
        manager,
        "SELECT pg_advisory_unlock_all()",
        "DO RELEASE_ALL_LOCKS()",
        "",
    )
    .await?;
    if manager.get_database_backend() == DbBackend::Sqlite {
        wait_at_gate();
    }
    Ok(())
}

/// Leaves a setting in the session.
async fn of_the_session(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .get_connection()
        .execute_unprepared("SET search_path = pg_catalog, public")
        .await?;
    Ok(())
}

/// One definition that has to be settled by looking, between two witnesses.
async fn definition(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    run(manager, "CREATE TABLE evidence_copy (what int)").await?;
    run(
        manager,
        "CREATE TABLE goods_copy (id int PRIMARY KEY, code int NOT NULL)",
    )
    .await?;
    witness(manager, "before").await?;
    run(manager, sql).await?;
    witness(manager, "behind").await
}
