//! What the journal costs, where every step is journalled: on MariaDB.

use std::time::{Duration, Instant};

use stairway_plan::bookkeeping::{
    AuditRecord, Bookkeeping, DEFAULT_HISTORY_TABLE, JournalRecord, JournalState, StepRecord, Who,
};
use stairway_plan::plan::Direction;
use stairway_plan::revision::Revision;
use stairway_plan::sql::{Dialect, checksum};

use crate::process::{command, mean_cost, milliseconds};
use crate::report::{Report, against_bar};
use crate::world::{Kind, Outcome, World};

const REVISIONS: usize = 1_000;

pub(crate) async fn measure(world: &World, report: &mut Report) -> Outcome {
    report.section(
        "The journal's price on MariaDB, 1,000 revisions",
        "Over one bare connection all that a run sends for each revision, with the journal's statements (the look at \
         what is to be made, the entry before it, its removal with the record) and without them. What they take is \
         taken off a run of Stairway's, which has the costs of its own process besides. In turns, the best of five. \
         Bar: Stairway at most 1.30 times as long as without its journal.",
        &["sent with it, ms", "without it, ms", "Stairway, ms", "without its journal, ms", "ratio"],
    );
    let (mut stairway, mut with, mut without) = (Duration::MAX, Duration::MAX, Duration::MAX);
    for round in 0..5 {
        let url = world
            .database(Kind::MariaDb, &format!("bench_journal_{round}"))
            .await?;
        stairway = stairway.min(mean_cost(vec![command("stairway", &url, REVISIONS)?])?.wall);
        let url = world
            .database(Kind::MariaDb, &format!("bench_sent_with_{round}"))
            .await?;
        with = with.min(send(&url, true).await?);
        let url = world
            .database(Kind::MariaDb, &format!("bench_sent_without_{round}"))
            .await?;
        without = without.min(send(&url, false).await?);
    }
    let bare = stairway.saturating_sub(with.saturating_sub(without));
    report.row([
        format!("{:.0}", milliseconds(with)),
        format!("{:.0}", milliseconds(without)),
        format!("{:.0}", milliseconds(stairway)),
        format!("{:.0}", milliseconds(bare)),
        against_bar(stairway.as_secs_f64() / bare.as_secs_f64(), 1.3),
    ]);
    Ok(())
}

/// What every step sends first, journalled or not: definitions leave the session as it is.
const STEP_BEGINS: &str = "SELECT IS_USED_LOCK('bench_journal') <=> CONNECTION_ID(), 'lock'";

/// The same before it is recorded.
const GUARD: &str = "SELECT IF(IS_USED_LOCK('bench_journal') <=> CONNECTION_ID(), 1, 0)";

/// Sends what a run sends for each revision.
async fn send(url: &str, journalled: bool) -> Outcome<Duration> {
    let mut connection = <sqlx::MySqlConnection as sqlx::Connection>::connect(url).await?;
    let books = Bookkeeping::new(Dialect::MySql, DEFAULT_HISTORY_TABLE, None);
    let who = Who::default();
    let began = Instant::now();
    for statement in books.create_tables() {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&mut connection)
            .await?;
    }
    for number in 0..REVISIONS {
        let definition = format!(
            "CREATE TABLE `table_{number}` ( `id` int NOT NULL PRIMARY KEY, `name` varchar(100) )"
        );
        let revision = Revision::new(format!("m{number:08}_create_table"), []);
        let checksum = checksum([definition.as_str()], Dialect::MySql);
        let fingerprint = "0".repeat(63);
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
        let clear = if journalled {
            format!("; {}", books.clear_journal(&revision.id))
        } else {
            String::new()
        };
        let record = format!(
            "/*M!100101 BEGIN NOT ATOMIC */ START TRANSACTION; {GUARD}; {}; {}{clear}; COMMIT /*M!100101 ; END */",
            books.add_applied(&who, &step),
            books.append_audit(&who, &audit)
        );
        sqlx::raw_sql(STEP_BEGINS).execute(&mut connection).await?;
        if journalled {
            let look = format!("SHOW CREATE TABLE `table_{number}`");
            let found = sqlx::raw_sql(sqlx::AssertSqlSafe(look))
                .execute(&mut connection)
                .await;
            if found.is_ok() {
                return Err("the table is there already".into());
            }
            let entries = [
                entry(&revision, 0, "", "create table", None),
                entry(
                    &revision,
                    1,
                    &fingerprint,
                    &definition,
                    Some("`table`: absent\n"),
                ),
            ];
            let started = books.write_journal(&who, &entries).unwrap_or_default();
            sqlx::raw_sql(sqlx::AssertSqlSafe(started))
                .execute(&mut connection)
                .await?;
        }
        sqlx::raw_sql(sqlx::AssertSqlSafe(definition))
            .execute(&mut connection)
            .await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(record))
            .execute(&mut connection)
            .await?;
    }
    Ok(began.elapsed())
}

fn entry<'a>(
    revision: &'a Revision,
    position: u64,
    fingerprint: &'a str,
    statement: &'a str,
    definition_before: Option<&'a str>,
) -> JournalRecord<'a> {
    JournalRecord {
        revision: &revision.id,
        direction: Direction::Upgrade,
        position,
        fingerprint,
        statement,
        state: JournalState::Started,
        definition_before,
        returned_rows: None,
        rows_affected: 0,
        last_insert_id: 0,
    }
}
