//! Revisions with everything that a crash can catch in the middle: definitions and data, one
//! transaction, none, their own; statements that no transaction can hold; code that looks before it
//! acts. Whatever is written is written exactly once: `evidence` has no key that would hide a second
//! time.

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DbBackend, Statement, TransactionTrait};
use sea_orm_migration::prelude::*;

use crate::revision::{Revision, Revisions, run, run_for};

pub(crate) fn revisions() -> Revisions {
    Revisions::default()
        .with(
            Revision::new("m20260101_000001_shop", |manager| Box::pin(shop(manager)))
                .down(|manager| Box::pin(shop_down(manager))),
        )
        .with(
            Revision::new("m20260102_000001_outside", |manager| {
                Box::pin(outside(manager))
            })
            .transaction(false)
            .down(|manager| Box::pin(outside_down(manager))),
        )
        .with(
            Revision::new("m20260103_000001_wrapped", |manager| {
                Box::pin(wrapped(manager))
            })
            .transaction(true)
            .down(|manager| Box::pin(wrapped_down(manager))),
        )
        .with(
            Revision::new("m20260104_000001_careful", |manager| {
                Box::pin(careful(manager))
            })
            .transaction(false)
            .down(|manager| Box::pin(careful_down(manager))),
        )
}

async fn witness(manager: &SchemaManager<'_>, what: &str) -> Result<(), DbErr> {
    run(
        manager,
        &format!("INSERT INTO evidence (what) VALUES ('{what}')"),
    )
    .await
    .map(drop)
}

/// Definitions and data in turn, with no wish about transactions: one on PostgreSQL and SQLite.
async fn shop(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    run(
        manager,
        "CREATE TABLE evidence (what varchar(100) NOT NULL)",
    )
    .await?;
    manager
        .create_table(
            Table::create()
                .table("customers")
                .col(ColumnDef::new("id").integer().not_null().primary_key())
                .col(ColumnDef::new("name").string_len(50).not_null())
                .to_owned(),
        )
        .await?;
    witness(manager, "customers").await?;
    run_for(
        manager,
        "CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL REFERENCES customers (id), total int); \
         CREATE INDEX orders_customer ON orders (customer)",
        "CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL, total int, \
         FOREIGN KEY (customer) REFERENCES customers (id)); CREATE INDEX orders_total ON orders (total)",
        "CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL REFERENCES customers (id), total int); \
         CREATE INDEX orders_customer ON orders (customer)",
    )
    .await?;
    // Bound values.
    let insert = Query::insert()
        .into_table("customers")
        .columns(["id", "name"])
        .values_panic([1.into(), "Ada".into()])
        .values_panic([2.into(), "Bob; -- not a comment".into()])
        .to_owned();
    manager.execute(insert).await?;
    run(
        manager,
        "INSERT INTO orders VALUES (1, 1, 10); INSERT INTO orders VALUES (2, 1, 20), (3, 2, 30)",
    )
    .await?;
    witness(manager, "orders").await?;
    run(manager, "ALTER TABLE customers ADD COLUMN spent int").await?;
    run(
        manager,
        "UPDATE customers SET spent = (SELECT sum(total) FROM orders WHERE customer = customers.id)",
    )
    .await?;
    run(manager, "UPDATE orders SET total = total + 1").await?;
    witness(manager, "totals").await?;
    run(
        manager,
        "CREATE VIEW big_orders AS SELECT id FROM orders WHERE total > 15",
    )
    .await?;
    // Statements that take a while.
    run(manager, "CREATE TABLE bulk (n int NOT NULL)").await?;
    run(manager, &fill_bulk()).await?;
    run(manager, "ALTER TABLE bulk ADD COLUMN doubled int").await?;
    run(manager, "UPDATE bulk SET doubled = n * 2").await?;
    run(manager, "CREATE INDEX bulk_n ON bulk (n)").await?;
    run(manager, "CREATE TABLE scratch (id int)").await?;
    run(manager, "INSERT INTO scratch VALUES (1)").await?;
    run(manager, "DROP TABLE scratch").await?;
    witness(manager, "shop").await
}

/// Four thousand rows, in the words of every database.
fn fill_bulk() -> String {
    let digits = (0..10)
        .map(|digit| format!("SELECT {digit} AS n"))
        .collect::<Vec<_>>()
        .join(" UNION ALL ");
    format!(
        "INSERT INTO bulk (n) SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n \
         FROM ({digits}) a, ({digits}) b, ({digits}) c, ({digits}) d WHERE d.n < 4"
    )
}

async fn shop_down(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    run(manager, "DROP TABLE bulk").await?;
    run(manager, "DROP VIEW big_orders").await?;
    run(manager, "DROP TABLE orders").await?;
    run(manager, "DROP TABLE customers").await?;
    run(manager, "DROP TABLE evidence").await?;
    Ok(())
}

/// Statement by statement, with what no transaction can hold and with transactions of its own.
async fn outside(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    run_for(
        manager,
        "CREATE TYPE mood AS ENUM ('good')",
        "CREATE TABLE moods (mood enum('good') NOT NULL, bumped int)",
        "CREATE TABLE moods (mood text NOT NULL, bumped int)",
    )
    .await?;
    run_for(
        manager,
        "CREATE TABLE moods (mood mood NOT NULL, bumped int); ALTER TYPE mood ADD VALUE 'bad'",
        "ALTER TABLE moods MODIFY mood enum('good', 'bad') NOT NULL",
        "CREATE INDEX moods_mood ON moods (mood)",
    )
    .await?;
    run(manager, "INSERT INTO moods VALUES ('good', 0), ('bad', 0)").await?;
    witness(manager, "moods").await?;
    run_for(
        manager,
        "CREATE INDEX CONCURRENTLY orders_total ON orders (total)",
        "CREATE UNIQUE INDEX customers_name ON customers (name)",
        "VACUUM",
    )
    .await?;
    run(manager, "UPDATE moods SET bumped = bumped + 1").await?;
    // Again statements that take a while, each for itself.
    run(manager, "UPDATE bulk SET doubled = doubled + 1").await?;
    run(manager, "CREATE INDEX bulk_doubled ON bulk (doubled)").await?;
    run(
        manager,
        "INSERT INTO bulk (n, doubled) SELECT n + 10000, 0 FROM bulk",
    )
    .await?;
    // A transaction of its own, with a savepoint that stays and one that goes.
    let own = manager.begin().await?;
    run(&own, "UPDATE orders SET total = total + 100 WHERE id = 1").await?;
    witness(&own, "own, first").await?;
    let nested = own.get_connection().begin().await?;
    nested
        .execute_unprepared("INSERT INTO evidence (what) VALUES ('own, nested')")
        .await?;
    nested.commit().await?;
    let lost = own.get_connection().begin().await?;
    lost.execute_unprepared("INSERT INTO evidence (what) VALUES ('never')")
        .await?;
    lost.rollback().await?;
    run(&own, "UPDATE moods SET bumped = bumped + 1").await?;
    own.commit().await?;
    // One that is taken back as a whole.
    let lost = manager.begin().await?;
    witness(&lost, "never").await?;
    drop(lost);
    run_for(
        manager,
        "DROP INDEX CONCURRENTLY orders_customer; VACUUM customers",
        "CREATE TABLE archive LIKE orders; RENAME TABLE archive TO old_orders; DROP TABLE old_orders",
        "DROP INDEX moods_mood",
    )
    .await?;
    run_for(
        manager,
        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS customers_name ON customers (lower(name))",
        "CREATE TRIGGER orders_check BEFORE INSERT ON orders FOR EACH ROW SET NEW.total = abs(NEW.total)",
        "CREATE UNIQUE INDEX customers_name ON customers (lower(name))",
    )
    .await?;
    witness(manager, "outside").await
}

async fn outside_down(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    run_for(
        manager,
        "DROP INDEX CONCURRENTLY customers_name; DROP INDEX CONCURRENTLY orders_total",
        "DROP TRIGGER orders_check; DROP INDEX customers_name ON customers",
        "DROP INDEX customers_name",
    )
    .await?;
    run_for(
        manager,
        "DROP INDEX bulk_doubled",
        "DROP INDEX bulk_doubled ON bulk",
        "DROP INDEX bulk_doubled",
    )
    .await?;
    run(manager, "DELETE FROM bulk WHERE n >= 10000").await?;
    run(manager, "DROP TABLE moods").await?;
    run_for(manager, "DROP TYPE mood", "", "").await?;
    run(manager, "DELETE FROM evidence WHERE what LIKE 'o%'").await?;
    Ok(())
}

/// A wish for one transaction, which MySQL can only half fulfil.
async fn wrapped(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    run(
        manager,
        "CREATE TABLE ledger (id int PRIMARY KEY, amount int NOT NULL)",
    )
    .await?;
    for number in 1..=4 {
        run(
            manager,
            &format!("INSERT INTO ledger VALUES ({number}, {number})"),
        )
        .await?;
    }
    run(manager, "UPDATE ledger SET amount = amount * 2").await?;
    run(manager, "ALTER TABLE ledger ADD COLUMN note varchar(20)").await?;
    run(
        manager,
        "UPDATE ledger SET note = 'twice', amount = amount * 2",
    )
    .await?;
    witness(manager, "wrapped, half").await?;
    run(manager, "CREATE INDEX ledger_amount ON ledger (amount)").await?;
    run(manager, "DELETE FROM ledger WHERE id = 4").await?;
    run(manager, "INSERT INTO ledger VALUES (4, 1, 'again')").await?;
    run(manager, "UPDATE ledger SET amount = amount + 1").await?;
    witness(manager, "wrapped").await
}

async fn wrapped_down(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    run(manager, "DROP TABLE ledger").await?;
    run(manager, "DELETE FROM evidence WHERE what LIKE 'w%'").await?;
    Ok(())
}

/// Looks before it acts, as careful migrations do: what it sends depends on what it is told.
async fn careful(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    if !manager.has_table("visits").await? {
        run(
            manager,
            "CREATE TABLE visits (customer int NOT NULL, generated varchar(40))",
        )
        .await?;
    }
    if !manager.has_column("customers", "level").await? {
        run(manager, "ALTER TABLE customers ADD COLUMN level int").await?;
        witness(manager, "level added").await?;
    }
    // What is still to be filled is asked, and filled one by one.
    let connection = manager.get_connection();
    let select = Query::select()
        .columns(["id", "name"])
        .from("customers")
        .and_where(Expr::col(Alias::new("level")).is_null())
        .order_by("id", Order::Asc)
        .to_owned();
    for row in connection.query_all(&select).await? {
        let id: i32 = row.try_get("", "id")?;
        let name: String = row.try_get("", "name")?;
        let update = Query::update()
            .table("customers")
            .value(
                "level",
                <i64 as TryFrom<usize>>::try_from(name.len()).unwrap_or(i64::MAX),
            )
            .and_where(Expr::col(Alias::new("id")).eq(id))
            .to_owned();
        manager.execute(update).await?;
        witness(manager, &format!("level of {id}")).await?;
    }
    // A time that is another one in every attempt.
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let insert = Query::insert()
        .into_table("visits")
        .columns(["customer", "generated"])
        .values_panic([1.into(), format!("{now}").into()])
        .to_owned();
    manager.execute(insert).await?;
    // Rows that come back from a change.
    if manager.get_database_backend() != DbBackend::MySql {
        let statement = Statement::from_string(
            manager.get_database_backend(),
            "INSERT INTO orders VALUES (4, 2, 44) RETURNING id, total",
        );
        let row = connection.query_one_raw(statement).await?;
        let total: i32 = row.map_or(Ok(0), |row| row.try_get("", "total"))?;
        witness(manager, &format!("order of {total}")).await?;
    }
    run_for(
        manager,
        "CREATE TEMPORARY TABLE passing (id int); INSERT INTO passing VALUES (7)",
        "CREATE TEMPORARY TABLE passing (id int); INSERT INTO passing VALUES (7)",
        "",
    )
    .await?;
    run(manager, "DELETE FROM orders WHERE id = 3").await?;
    run_for(
        manager,
        "ALTER TABLE customers ALTER COLUMN level SET NOT NULL",
        "ALTER TABLE customers MODIFY level int NOT NULL",
        "CREATE INDEX visits_customer ON visits (customer)",
    )
    .await?;
    witness(manager, "careful").await
}

async fn careful_down(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    run(manager, "DROP TABLE visits").await?;
    run(manager, "ALTER TABLE customers DROP COLUMN level").await?;
    run(manager, "DELETE FROM orders WHERE id = 4").await?;
    run(manager, "INSERT INTO orders VALUES (3, 2, 31)").await?;
    run(
        manager,
        "DELETE FROM evidence WHERE what LIKE 'l%' OR what LIKE 'careful%'",
    )
    .await?;
    Ok(())
}
