//! What the revisions do to rows.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement, TransactionTrait};
use stairway_migration::{Migrator, MigratorTrait, SchemaManager};

use crate::catalogue;
use crate::database::{TestDatabase, TestResult};
use crate::history;

const ADD_EMAIL_VERIFIED: &str = "m20260211_090000_add_users_email_verified";
const FILL_EMAIL_VERIFIED: &str = "m20260211_093000_fill_users_email_verified";
const REQUIRE_EMAIL_VERIFIED: &str = "m20260211_100000_require_users_email_verified";
const ADD_STATUS: &str = "m20260216_090000_add_training_runs_status";
const FILL_STATUS: &str = "m20260216_093000_fill_training_runs_status";
const DROP_LEGACY_STATUS: &str = "m20260223_090000_drop_training_runs_legacy_status";

/// Stands for a value that is null.
const NULL: &str = "(null)";

crate::on_each_database!(
    legacy_status_becomes_an_enumeration_and_text_again,
    a_status_changed_meanwhile_reaches_the_text_on_the_way_back,
    an_unknown_legacy_status_stops_the_revision_that_would_drop_it,
    email_verified_is_filled_required_and_kept_on_the_way_back,
    a_missing_email_verified_stops_the_revision_that_requires_it,
    rows_that_refer_to_a_changed_table_stay,
    all_revisions_run_in_one_transaction_around_rows,
    compute_tiers_come_with_their_prices,
);

async fn legacy_status_becomes_an_enumeration_and_text_again(
    database: &TestDatabase,
) -> TestResult {
    let db = database.connect().await?;
    history::up_to_before(&db, ADD_STATUS).await?;
    let legacy = [
        "QUEUED",
        "RUNNING",
        "DONE",
        "ERROR",
        "KILLED",
        " completed ",
        "canceled",
    ];
    insert_runs(&db, &legacy).await?;

    history::up_to(&db, FILL_STATUS).await?;
    assert_eq!(texts(&db, "training_runs", "legacy_status").await?, legacy);

    Migrator::up(&db, None).await?;
    let statuses = [
        "queued",
        "running",
        "succeeded",
        "failed",
        "cancelled",
        "succeeded",
        "cancelled",
    ];
    assert_eq!(texts(&db, "training_runs", "status").await?, statuses);

    let spelled_anew = [
        "QUEUED", "RUNNING", "DONE", "ERROR", "KILLED", "DONE", "KILLED",
    ];
    for (revision, undone) in [(FILL_STATUS, "the drop"), (ADD_STATUS, "the fill")] {
        history::down_to(&db, revision).await?;
        let legacy = texts(&db, "training_runs", "legacy_status").await?;
        assert_eq!(legacy, spelled_anew, "{undone} undone");
    }
    assert_eq!(texts(&db, "training_runs", "status").await?, [NULL; 7]);

    Migrator::up(&db, None).await?;
    assert_eq!(texts(&db, "training_runs", "status").await?, statuses);
    Ok(())
}

async fn a_status_changed_meanwhile_reaches_the_text_on_the_way_back(
    database: &TestDatabase,
) -> TestResult {
    let db = database.connect().await?;
    history::up_to_before(&db, ADD_STATUS).await?;
    insert_runs(&db, &["started", "started", "paused"]).await?;
    history::up_to(&db, FILL_STATUS).await?;
    db.execute_unprepared("UPDATE training_runs SET status = 'failed' WHERE id = 2")
        .await?;

    history::down_to(&db, ADD_STATUS).await?;
    // An unchanged row keeps its spelling, and an unknown word is nobody's to change.
    assert_eq!(
        texts(&db, "training_runs", "legacy_status").await?,
        ["started", "ERROR", "paused"]
    );
    Ok(())
}

async fn an_unknown_legacy_status_stops_the_revision_that_would_drop_it(
    database: &TestDatabase,
) -> TestResult {
    let db = database.connect().await?;
    history::up_to_before(&db, ADD_STATUS).await?;
    insert_runs(&db, &["DONE", "paused"]).await?;
    history::up_to_before(&db, DROP_LEGACY_STATUS).await?;
    assert_eq!(
        texts(&db, "training_runs", "status").await?,
        ["succeeded", NULL]
    );

    up_in_transaction(&db, DROP_LEGACY_STATUS)
        .await
        .expect_err("a run has no status");
    assert_eq!(
        texts(&db, "training_runs", "legacy_status").await?,
        ["DONE", "paused"]
    );

    db.execute_unprepared("UPDATE training_runs SET status = 'queued' WHERE id = 2")
        .await?;
    Migrator::up(&db, None).await?;
    assert_eq!(
        texts(&db, "training_runs", "status").await?,
        ["succeeded", "queued"]
    );
    Ok(())
}

async fn email_verified_is_filled_required_and_kept_on_the_way_back(
    database: &TestDatabase,
) -> TestResult {
    let db = database.connect().await?;
    history::up_to_before(&db, ADD_EMAIL_VERIFIED).await?;
    db.execute_unprepared(
        "INSERT INTO users (id, email, display_name, last_login_at) VALUES
         (1, 'seen@example.com', 'Seen', '2026-01-02 03:04:05'),
         (2, 'unseen@example.com', 'Unseen', NULL),
         (3, 'told@example.com', 'Told', NULL)",
    )
    .await?;

    history::up_to(&db, ADD_EMAIL_VERIFIED).await?;
    db.execute_unprepared("UPDATE users SET email_verified = TRUE WHERE id = 3")
        .await?;
    assert_eq!(verified(&db).await?, [NULL, NULL, "yes"]);

    history::up_to(&db, FILL_EMAIL_VERIFIED).await?;
    let filled = ["yes", "no", "yes"];
    assert_eq!(verified(&db).await?, filled, "what was known stays");

    history::up_to(&db, REQUIRE_EMAIL_VERIFIED).await?;
    assert_eq!(verified(&db).await?, filled);
    insert_user(&db, "4, 'new@example.com', 'New'").await?;
    assert_eq!(
        verified(&db).await?.last(),
        Some(&"no".to_owned()),
        "the default"
    );
    db.execute_unprepared("UPDATE users SET email_verified = NULL WHERE id = 4")
        .await
        .expect_err("a value is required");

    history::down_to(&db, ADD_EMAIL_VERIFIED).await?;
    assert_eq!(verified(&db).await?, ["yes", "no", "yes", "no"]);
    insert_user(&db, "5, 'newer@example.com', 'Newer'").await?;
    assert_eq!(
        verified(&db).await?.last(),
        Some(&NULL.to_owned()),
        "no default again"
    );

    history::down_to(&db, "m20260209_090000_merge_evaluations").await?;
    assert_eq!(texts(&db, "users", "email").await?.len(), 5);
    Ok(())
}

async fn a_missing_email_verified_stops_the_revision_that_requires_it(
    database: &TestDatabase,
) -> TestResult {
    let db = database.connect().await?;
    history::up_to(&db, FILL_EMAIL_VERIFIED).await?;
    insert_user(&db, "1, 'late@example.com', 'Late'").await?;
    up_in_transaction(&db, REQUIRE_EMAIL_VERIFIED)
        .await
        .expect_err("a user has no value");
    assert_eq!(verified(&db).await?, [NULL]);

    db.execute_unprepared("UPDATE users SET email_verified = FALSE")
        .await?;
    Migrator::up(&db, None).await?;
    assert_eq!(verified(&db).await?, ["no"]);
    Ok(())
}

/// On SQLite a rebuilt table takes the rows that refer to it along, if it is done wrong.
async fn rows_that_refer_to_a_changed_table_stay(database: &TestDatabase) -> TestResult {
    let db = database.connect().await?;
    history::up_to_before(&db, ADD_EMAIL_VERIFIED).await?;
    insert_runs(&db, &["DONE"]).await?;
    db.execute_unprepared(
        "INSERT INTO user_preferences (user_id, preferences) VALUES (1, '{\"theme\": \"dark\"}')",
    )
    .await?;
    db.execute_unprepared(
        "INSERT INTO run_metrics (training_run_id, name, step, value) VALUES (1, 'loss', 1, 0.5)",
    )
    .await?;

    Migrator::up(&db, None).await?;
    history::down_to(&db, "m20260209_090000_merge_evaluations").await?;
    Migrator::up(&db, None).await?;
    for (table, column) in [
        ("users", "email"),
        ("user_preferences", "user_id"),
        ("projects", "slug"),
        ("training_runs", "status"),
        ("run_metrics", "name"),
    ] {
        let sql = format!("SELECT CAST(count({column}) AS CHAR(1)) AS value FROM {table}");
        assert_eq!(query(&db, &sql).await?, ["1"], "{table}");
    }
    Ok(())
}

/// All or nothing, as far as the database can; MariaDB and MySQL commit at each change of the schema.
async fn all_revisions_run_in_one_transaction_around_rows(database: &TestDatabase) -> TestResult {
    let db = database.connect().await?;
    let transaction = db.begin().await?;
    let manager = SchemaManager::new(&transaction);
    let revisions = Migrator::migrations();
    for revision in &revisions {
        if revision.name() == ADD_EMAIL_VERIFIED {
            insert_runs(&transaction, &["DONE"]).await?;
        }
        revision.up(&manager).await?;
    }
    assert_eq!(
        texts(&transaction, "training_runs", "status").await?,
        ["succeeded"]
    );
    for revision in revisions.iter().rev() {
        if revision.name() == ADD_EMAIL_VERIFIED {
            let legacy = texts(&transaction, "training_runs", "legacy_status").await?;
            assert_eq!(legacy, ["DONE"]);
        }
        revision.down(&manager).await?;
    }
    transaction.commit().await?;
    catalogue::assert_same("base", &catalogue::read(&db).await?, &[]);
    Ok(())
}

async fn compute_tiers_come_with_their_prices(database: &TestDatabase) -> TestResult {
    let db = database.connect().await?;
    history::up_to(&db, "m20260119_090000_create_compute_tiers").await?;
    for (code, price) in [
        ("cpu-small", "0.192"),
        ("cpu-large", "1.536"),
        ("gpu-small", "1.212"),
        ("gpu-large", "32.7726"),
    ] {
        let sql = format!("SELECT code AS value FROM compute_tiers WHERE hourly_usd = {price}");
        assert_eq!(query(&db, &sql).await?, [code]);
    }
    Ok(())
}

/// Runs one revision the way that leaves nothing half done where the database can undo it.
async fn up_in_transaction(db: &DatabaseConnection, name: &str) -> Result<(), DbErr> {
    let transaction = db.begin().await?;
    let outcome = history::revision(name)
        .up(&SchemaManager::new(&transaction))
        .await;
    match outcome {
        Ok(()) => transaction.commit().await,
        Err(error) => {
            transaction.rollback().await?;
            Err(error)
        }
    }
}

async fn insert_user(db: &impl ConnectionTrait, values: &str) -> Result<(), DbErr> {
    let sql = format!("INSERT INTO users (id, email, display_name) VALUES ({values})");
    db.execute_unprepared(&sql).await.map(|_| ())
}

/// One training run for each legacy status, with the ids 1, 2, ... and all that a run needs.
async fn insert_runs(db: &impl ConnectionTrait, legacy: &[&str]) -> Result<(), DbErr> {
    insert_user(db, "1, 'ada@example.com', 'Ada'").await?;
    for sql in [
        "INSERT INTO projects (id, owner_id, slug, name) VALUES (1, 1, 'vision', 'Vision')",
        "INSERT INTO datasets (id, project_id, name) VALUES (1, 1, 'cats')",
        "INSERT INTO dataset_versions (id, dataset_id, version, storage_uri, sha256)
         VALUES (1, 1, 1, 's3://data/cats/1', 'ab')",
        "INSERT INTO experiments (id, project_id, name) VALUES (1, 1, 'baseline')",
    ] {
        db.execute_unprepared(sql).await?;
    }
    for (position, status) in legacy.iter().enumerate() {
        let sql = format!(
            "INSERT INTO training_runs
             (id, experiment_id, dataset_version_id, parameters, legacy_status)
             VALUES ({}, 1, 1, '{{}}', '{status}')",
            position + 1
        );
        db.execute_unprepared(&sql).await?;
    }
    Ok(())
}

async fn verified(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    query(
        db,
        "SELECT CASE WHEN email_verified THEN 'yes' WHEN NOT email_verified THEN 'no' END AS value
         FROM users ORDER BY id",
    )
    .await
}

/// A column as text in the order of the ids.
async fn texts(db: &impl ConnectionTrait, table: &str, column: &str) -> Result<Vec<String>, DbErr> {
    let text = text_type(db);
    query(
        db,
        &format!("SELECT CAST({column} AS {text}) AS value FROM {table} ORDER BY id"),
    )
    .await
}

fn text_type(db: &impl ConnectionTrait) -> &'static str {
    match db.get_database_backend() {
        DbBackend::MySql => "CHAR",
        _ => "TEXT",
    }
}

/// What a query gives as `value`, with [`NULL`] where there is none.
async fn query(db: &impl ConnectionTrait, sql: &str) -> Result<Vec<String>, DbErr> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let rows = db.query_all_raw(statement).await?;
    let values = rows.iter().map(|row| {
        let value: Option<String> = row.try_get("", "value")?;
        Ok(value.unwrap_or_else(|| NULL.to_owned()))
    });
    values.collect()
}
