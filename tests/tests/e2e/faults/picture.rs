//! All that a database holds, as text that can be compared: asked from the catalogue itself, not
//! from the program under test.

use std::fmt::Write;

use stairway_tests::{Backend, Rows, Session};

const POSTGRES: &[&str] = &[
    "SELECT table_name, ordinal_position, column_name, data_type, is_nullable, column_default \
     FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2",
    "SELECT indexrelid::regclass, indisvalid, indisready, pg_get_indexdef(indexrelid) FROM pg_index i \
     JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace ORDER BY indexrelid::regclass::text",
    "SELECT conrelid::regclass, conname, convalidated, pg_get_constraintdef(oid) FROM pg_constraint \
     WHERE connamespace = 'public'::regnamespace ORDER BY conrelid::regclass::text, 2",
    "SELECT typname, enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid ORDER BY 1, enumsortorder",
    "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1",
    "SELECT tgrelid::regclass, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgrelid::regclass::text, 2",
    "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
];

/// The catalogue and the rows, but for the side tables.
pub(super) fn of(backend: Backend, session: &mut Session) -> String {
    let mut text = String::new();
    let mut tables: Vec<String> = Vec::new();
    match backend {
        Backend::Postgres => {
            for query in POSTGRES {
                add(&mut text, session.rows(query));
            }
            let names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
            tables.extend(session.rows(names).into_iter().flatten().flatten());
        }
        Backend::MySql => {
            let names = session.rows("SHOW FULL TABLES");
            for mut row in names {
                let name = row.remove(0).unwrap_or_default();
                if is_side_table(&name) {
                    continue;
                }
                let shown = session.rows(&format!("SHOW CREATE TABLE `{name}`"));
                add(&mut text, shown);
                if row.first().and_then(Option::as_deref) == Some("BASE TABLE") {
                    tables.push(name);
                }
            }
            add(
                &mut text,
                session.rows(
                    "SELECT TRIGGER_NAME, ACTION_STATEMENT FROM information_schema.TRIGGERS \
                     WHERE TRIGGER_SCHEMA = DATABASE() ORDER BY 1",
                ),
            );
        }
        Backend::Sqlite => {
            let schema =
                session.rows("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2");
            for row in &schema {
                let name = row.get(1).cloned().flatten().unwrap_or_default();
                if row.first() == Some(&Some("table".to_owned())) && !name.starts_with("sqlite_") {
                    tables.push(name);
                }
            }
            add(&mut text, schema);
        }
    }
    for table in tables {
        if is_side_table(&table) {
            continue;
        }
        // Of many rows their sums say enough.
        let mut rows = session.rows(&if table == "bulk" {
            "SELECT count(*), sum(n), sum(doubled), count(DISTINCT n) FROM bulk".to_owned()
        } else {
            format!("SELECT * FROM {table}")
        });
        rows.sort();
        let _ = writeln!(text, "rows of {table}");
        add(&mut text, rows);
    }
    text
}

fn is_side_table(name: &str) -> bool {
    name.starts_with("stairway_") || name == "seaql_migrations"
}

/// Lines that name a side table are left out: where a revision runs first, side tables are made at
/// another time. What the clock has made is covered.
fn add(text: &mut String, rows: Rows) {
    for row in rows {
        let line = row
            .into_iter()
            .map(|value| covered(&value.unwrap_or_else(|| "NULL".to_owned())))
            .collect::<Vec<_>>()
            .join(" | ");
        if !line.contains("stairway_") && !line.contains("seaql_migrations") {
            let _ = writeln!(text, "{line}");
        }
    }
}

/// A value of ten digits is a time of this test.
fn covered(value: &str) -> String {
    if value.len() == 10 && value.bytes().all(|byte| byte.is_ascii_digit()) {
        "TIME".to_owned()
    } else {
        value.to_owned()
    }
}

/// Every revision was applied once, and nothing is left under way.
#[track_caller]
pub(super) fn assert_books_in_order(session: &mut Session, context: &str) {
    let applied = session.rows("SELECT version FROM seaql_migrations ORDER BY version");
    let ended_well = session.rows(
        "SELECT revision FROM stairway_audit WHERE action = 'upgrade' AND outcome = 'succeeded' ORDER BY revision",
    );
    assert_eq!(applied, ended_well, "{context}");
    let ledger = session.rows("SELECT revision FROM stairway_ledger ORDER BY revision");
    assert_eq!(applied, ledger, "{context}");
    let journal = session.rows("SELECT revision, position, statement FROM stairway_journal");
    assert!(
        journal.is_empty(),
        "{context}: left in the journal: {journal:?}"
    );
}
