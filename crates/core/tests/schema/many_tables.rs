//! A schema of 120 tables, as a grown application has, is dumped with the database's own program,
//! loaded elsewhere and compared: there is nothing to do.

use std::fmt::Write as _;
use std::process::Command;

use stairway_core::compare::{CompareOptions, Source, compare};
use stairway_plan::diff::{Answers, Spelling, Unstated};

use crate::databases::{Backend, Database};

const TABLES: usize = 120;

/// The tables of a shop: each kind of table several times over, with what goes with it.
fn schema(backend: Backend) -> Vec<String> {
    let mut list = Vec::new();
    if backend == Backend::Postgres {
        list.push("CREATE TYPE state AS ENUM ('new', 'paid', 'it''s gone')".to_owned());
        list.push("CREATE DOMAIN amount AS numeric(12,2) CHECK (VALUE >= 0)".to_owned());
        list.push("CREATE SEQUENCE invoice_numbers START 1000".to_owned());
        list.push("CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$".to_owned());
    }
    let id = match backend {
        Backend::Postgres => "bigserial PRIMARY KEY",
        Backend::Mysql => "bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY",
        Backend::Sqlite => "integer NOT NULL PRIMARY KEY AUTOINCREMENT",
    };
    let reference = match backend {
        Backend::Mysql => "bigint unsigned",
        Backend::Postgres | Backend::Sqlite => "bigint",
    };
    for number in 0..TABLES {
        let parent = number / 3;
        let own = match (backend, number % 6) {
            (Backend::Postgres, 0) => {
                "state state NOT NULL DEFAULT 'new', total amount, tags text[] DEFAULT '{}', data jsonb NOT NULL DEFAULT '{}'"
            }
            (Backend::Postgres, 1) => {
                "at timestamptz NOT NULL DEFAULT now(), span interval, ip inet, doubled bigint GENERATED ALWAYS AS (parent_id * 2) STORED"
            }
            (Backend::Postgres, 2) => {
                "code char(3) NOT NULL, number bigint DEFAULT nextval('invoice_numbers'), uid uuid DEFAULT gen_random_uuid()"
            }
            (Backend::Mysql, 0) => {
                "state enum('new','paid','it''s gone') NOT NULL DEFAULT 'new', total decimal(12,2) unsigned, data json"
            }
            (Backend::Mysql, 1) => {
                "at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, doubled bigint GENERATED ALWAYS AS (parent_id * 2) VIRTUAL"
            }
            (Backend::Mysql, 2) => {
                "code char(3) CHARACTER SET ascii NOT NULL, body mediumtext COLLATE utf8mb4_bin, bits bit(4) DEFAULT b'1010'"
            }
            (Backend::Sqlite, 0) => {
                "state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'paid')), total real, data json_text"
            }
            (Backend::Sqlite, 1) => {
                "at text NOT NULL DEFAULT CURRENT_TIMESTAMP, doubled integer GENERATED ALWAYS AS (parent_id * 2) VIRTUAL"
            }
            (_, 3) => {
                "done boolean NOT NULL DEFAULT false, born date DEFAULT '2000-01-01', price decimal(10,2) DEFAULT 9.90"
            }
            (_, 4) => {
                "note text, score double precision DEFAULT 0.5, rank smallint NOT NULL DEFAULT -1"
            }
            _ => "title varchar(120) NOT NULL DEFAULT 'un''titled', weight real",
        };
        let mut sql = format!(
            "CREATE TABLE shop_{number} (id {id}, name varchar(80) NOT NULL, parent_id {reference}, {own}, \
             CONSTRAINT shop_{number}_name UNIQUE (name, parent_id), CONSTRAINT shop_{number}_long CHECK (length(name) > 1)"
        );
        if number > 0 {
            let action = ["CASCADE", "SET NULL", "NO ACTION"][number % 3];
            // Writing to a string cannot fail.
            let _ = write!(
                sql,
                ", CONSTRAINT shop_{number}_parent FOREIGN KEY (parent_id) REFERENCES shop_{parent} (id) ON DELETE {action}"
            );
        }
        sql.push(')');
        list.push(sql);
        list.push(format!(
            "CREATE INDEX shop_{number}_by_parent ON shop_{number} (parent_id DESC, name)"
        ));
        if backend != Backend::Mysql {
            list.push(format!("CREATE INDEX shop_{number}_lower ON shop_{number} (lower(name)) WHERE parent_id IS NOT NULL"));
        }
        if number % 10 == 0 {
            list.push(format!("CREATE VIEW shop_view_{number} AS SELECT a.id, b.name FROM shop_{number} a LEFT JOIN shop_{parent} b ON a.parent_id = b.id"));
        }
        match backend {
            Backend::Postgres if number % 8 == 0 => {
                list.push(format!(
                    "COMMENT ON TABLE shop_{number} IS 'it''s table {number}'"
                ));
                list.push(format!("CREATE TRIGGER touched BEFORE UPDATE ON shop_{number} FOR EACH ROW EXECUTE FUNCTION touched()"));
                list.push(format!(
                    "CREATE INDEX shop_{number}_hash ON shop_{number} USING hash (name)"
                ));
            }
            Backend::Mysql if number % 8 == 0 => {
                list.push(format!("CREATE TRIGGER touched_{number} BEFORE UPDATE ON shop_{number} FOR EACH ROW SET NEW.name = trim(NEW.name)"));
            }
            Backend::Sqlite if number % 8 == 0 => {
                list.push(format!("CREATE TRIGGER touched_{number} AFTER DELETE ON shop_{number} BEGIN DELETE FROM shop_{number} WHERE parent_id = OLD.id; END"));
            }
            _ => {}
        }
    }
    list
}

/// What the database's own program writes.
fn dump(database: &Database) -> String {
    let mut command = match database.backend {
        Backend::Postgres => {
            let mut command = Command::new("pg_dump");
            command.args(["--no-owner", "-d", &database.url]);
            command
        }
        Backend::Mysql => database.client("mariadb-dump"),
        Backend::Sqlite => return database.run_script(".dump\n").expect("a dump"),
    };
    let output = command.output().expect("a program that dumps");
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{complaint}");
    String::from_utf8(output.stdout).expect("text")
}

async fn try_on(backend: Backend) {
    if !backend.is_available() {
        eprintln!("no {} server to test on", backend.name());
        return;
    }
    let (first, second) = (
        Database::create(backend).await,
        Database::create(backend).await,
    );
    first.run(&schema(backend)).await.expect("a schema");
    second.run_script(&dump(&first)).expect("a loaded dump");
    let mut options = CompareOptions::default();
    options.diff.unstated = Unstated::Remove;
    options.diff.spelling = Spelling::Meaning;
    let mut found = Vec::new();
    let sources = [&first, &second].map(|database| Source::Url(database.url.clone()));
    for [from, to] in [[0, 1], [1, 0]] {
        let compared = compare(&sources[from], &sources[to], &options, &Answers::new())
            .await
            .expect("a comparison");
        found.extend(
            compared
                .changes
                .into_iter()
                .map(|change| change.description),
        );
    }
    let read = stairway_core::compare::Side::open(&sources[0], &options.inspect)
        .await
        .expect("a schema");
    let tables = read.schema().tables.len();
    read.close().await;
    first.drop().await;
    second.drop().await;
    assert_eq!(tables, TABLES);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test]
async fn a_dump_that_was_loaded_is_the_same_on_postgres() {
    try_on(Backend::Postgres).await;
}

#[tokio::test]
async fn a_dump_that_was_loaded_is_the_same_on_mysql() {
    try_on(Backend::Mysql).await;
}

#[tokio::test]
async fn a_dump_that_was_loaded_is_the_same_on_sqlite() {
    try_on(Backend::Sqlite).await;
}
