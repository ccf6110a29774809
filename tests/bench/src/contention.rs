//! Sixteen processes at once, and what the journal costs.

use std::process::Child;
use std::time::{Duration, Instant};

use crate::process::{command, mean_cost, milliseconds};
use crate::report::{Report, against_bar};
use crate::world::{Kind, Outcome, World};

const PROCESSES: usize = 16;
const ROUNDS: u32 = 5;
const JOURNALLED: usize = 1_000;

pub(crate) async fn measure(world: &World, report: &mut Report) -> Outcome {
    report.section(
        "Sixteen starts at once, 100 revisions",
        "Until the last process has ended, mean of five. On an up-to-date database none takes the lock. On two cores \
         sixteen processes cost what sixteen processes cost, so the floor beside it is sixteen that do nothing. Bar: \
         on an empty database, less that floor, at most 1.50 times one start.",
        &["database", "sixteen idle, ms", "up to date, ms", "one on empty, ms", "sixteen on empty, ms", "ratio"],
    );
    for kind in Kind::ALL {
        let (mut idle, mut up_to_date, mut one, mut sixteen) = (
            Duration::ZERO,
            Duration::ZERO,
            Duration::ZERO,
            Duration::ZERO,
        );
        for round in 0..ROUNDS {
            let url = world.database(kind, &format!("bench_one_{round}")).await?;
            idle += at_once("nothing", &url)? / ROUNDS;
            one += mean_cost(vec![command("stairway", &url, 100)?])?.wall / ROUNDS;
            up_to_date += at_once("stairway", &url)? / ROUNDS;
            let url = world
                .database(kind, &format!("bench_sixteen_{round}"))
                .await?;
            sixteen += at_once("stairway", &url)? / ROUNDS;
        }
        let work = sixteen.saturating_sub(idle).as_secs_f64();
        report.row([
            kind.name().to_owned(),
            format!("{:.0}", milliseconds(idle)),
            format!("{:.0}", milliseconds(up_to_date)),
            format!("{:.0}", milliseconds(one)),
            format!("{:.0}", milliseconds(sixteen)),
            against_bar(work / one.as_secs_f64(), 1.5),
        ]);
    }
    journal(world, report).await
}

fn at_once(who: &str, url: &str) -> Outcome<Duration> {
    let began = Instant::now();
    let children: Vec<Child> = (0..PROCESSES)
        .map(|_| Ok(command(who, url, 100)?.spawn()?))
        .collect::<Outcome<_>>()?;
    for mut child in children {
        let status = child.wait()?;
        if !status.success() {
            return Err(format!("one of sixteen ended with {status}").into());
        }
    }
    Ok(began.elapsed())
}

/// The same definitions and the same records without journal entries, on one bare connection.
async fn journal(world: &World, report: &mut Report) -> Outcome {
    report.section(
        "The journal's price on MariaDB, 1,000 revisions",
        "Stairway, and over one bare connection the same definitions with the same history, ledger and audit rows, the \
         same looks at the lock, and no journal. In turns, the best of five. Bar: 1.30.",
        &["without a journal, ms", "Stairway, ms", "ratio"],
    );
    let (mut with, mut without) = (Duration::MAX, Duration::MAX);
    for round in 0..5 {
        let name = format!("bench_journal_{round}");
        let url = world.database(Kind::MariaDb, &name).await?;
        with = with.min(mean_cost(vec![command("stairway", &url, JOURNALLED)?])?.wall);
        without = without.min(without_journal(world, round).await?);
    }
    report.row([
        format!("{:.0}", milliseconds(without)),
        format!("{:.0}", milliseconds(with)),
        against_bar(with.as_secs_f64() / without.as_secs_f64(), 1.3),
    ]);
    Ok(())
}

/// What every step sends first, journalled or not: definitions leave the session as it is.
const STEP_BEGINS: &str = "SELECT IS_USED_LOCK('bench_journal') <=> CONNECTION_ID(), 'lock'";

/// The same before it is recorded.
const GUARD: &str = "SELECT IF(IS_USED_LOCK('bench_journal') <=> CONNECTION_ID(), 1, 0)";

async fn without_journal(world: &World, round: u32) -> Outcome<Duration> {
    use stairway_plan::bookkeeping::{
        AuditRecord, Bookkeeping, DEFAULT_HISTORY_TABLE, StepRecord, Who,
    };
    use stairway_plan::revision::Revision;
    use stairway_plan::sql::{Dialect, checksum};

    let name = format!("bench_no_journal_{round}");
    let url = world.database(Kind::MariaDb, &name).await?;
    let mut connection = <sqlx::MySqlConnection as sqlx::Connection>::connect(&url).await?;
    let books = Bookkeeping::new(Dialect::MySql, DEFAULT_HISTORY_TABLE, None);
    let who = Who::default();
    let began = Instant::now();
    for statement in books.create_tables() {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&mut connection)
            .await?;
    }
    for number in 0..JOURNALLED {
        let definition = format!(
            "CREATE TABLE `table_{number}` ( `id` int NOT NULL PRIMARY KEY, `name` varchar(100) )"
        );
        let revision = Revision::new(format!("m{number:08}_create_table"), []);
        let checksum = checksum([definition.as_str()], Dialect::MySql);
        let statements = [definition.clone()];
        let step = StepRecord {
            revision: &revision,
            checksum: &checksum,
            statements: &statements,
            duration_ms: 1,
            stands_for: &[],
        };
        let audit = AuditRecord {
            revision: &revision.id,
            action: "upgrade",
            outcome: "succeeded",
            duration_ms: 1,
            rows_affected: Some(0),
            error: None,
            detail: None,
        };
        let record = format!(
            "/*M!100101 BEGIN NOT ATOMIC */ START TRANSACTION; {GUARD}; {}; {}; COMMIT /*M!100101 ; END */",
            books.add_applied(&who, &step),
            books.append_audit(&who, &audit)
        );
        sqlx::raw_sql(STEP_BEGINS).execute(&mut connection).await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(definition))
            .execute(&mut connection)
            .await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(record))
            .execute(&mut connection)
            .await?;
    }
    Ok(began.elapsed())
}
