//! Applying 1,000 small revisions to an empty database.

use std::fmt::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

use stairway_test_servers::ServerUrl;

use crate::process::{Cost, command, mean_cost};
use crate::report::{Report, against_bar};
use crate::world::{Kind, Outcome, World};

const REVISIONS: usize = 1_000;

/// How often each is measured.
const ROUNDS: u32 = 5;

/// How often sea-orm-migration is, which takes half a minute on MariaDB.
fn rounds_of_sea_orm(kind: Kind) -> u32 {
    match kind {
        Kind::Postgres | Kind::Sqlite => 3,
        Kind::MariaDb => 1,
    }
}

pub(crate) async fn measure(world: &World, report: &mut Report) -> Outcome {
    report.section(
        "Applying 1,000 revisions",
        "The whole process, in turns, the best of five (of sea-orm-migration three, on MariaDB one), wall / CPU of the \
         client. The floor is the same SQL through the database's own client, one transaction with a version row for \
         each revision. Bars: 1.10 times the floor's wall time on PostgreSQL, 1.50 on SQLite; CPU not above \
         sea-orm-migration's.",
        &["database", "floor", "sea-orm-migration", "Stairway", "wall to the floor", "CPU to sea-orm-migration"],
    );
    for kind in Kind::ALL {
        let mut floor = Cost::MAX;
        let mut sea_orm = Cost::MAX;
        let mut stairway = Cost::MAX;
        for round in 0..ROUNDS {
            let name = format!("bench_floor_{round}");
            let url = world.database(kind, &name).await?;
            floor = floor.or_less(run_floor(world, kind, &name, &url)?);
            let url = world
                .database(kind, &format!("bench_apply_{round}"))
                .await?;
            stairway = stairway.or_less(mean_cost(vec![command("stairway", &url, REVISIONS)?])?);
            if round < rounds_of_sea_orm(kind) {
                let url = world
                    .database(kind, &format!("bench_apply_sea_orm_{round}"))
                    .await?;
                sea_orm = sea_orm.or_less(mean_cost(vec![command("sea-orm", &url, REVISIONS)?])?);
            }
        }
        let bar = match kind {
            Kind::Postgres => Some(1.1),
            Kind::Sqlite => Some(1.5),
            Kind::MariaDb => None,
        };
        let ratio = stairway.wall.as_secs_f64() / floor.wall.as_secs_f64();
        report.row([
            kind.name().to_owned(),
            floor.shown(),
            sea_orm.shown(),
            stairway.shown(),
            bar.map_or_else(|| format!("{ratio:.2}"), |bar| against_bar(ratio, bar)),
            against_bar(stairway.cpu.as_secs_f64() / sea_orm.cpu.as_secs_f64(), 1.0),
        ]);
    }
    Ok(())
}

/// The same tables through psql, mariadb or sqlite3.
fn run_floor(world: &World, kind: Kind, name: &str, url: &str) -> Outcome<Cost> {
    let mut script = String::from(
        "CREATE TABLE version (version varchar(255) NOT NULL PRIMARY KEY, applied_at bigint NOT NULL);\n",
    );
    for number in 0..REVISIONS {
        // Writing to a String can't fail.
        let _ = writeln!(
            script,
            "BEGIN;\nCREATE TABLE table_{number} (id integer NOT NULL PRIMARY KEY, name varchar(100));\n\
             INSERT INTO version VALUES ('m{number:08}_create_table', 0);\nCOMMIT;"
        );
    }
    let file = world.file("floor").with_extension("sql");
    std::fs::write(&file, script)?;
    let mut client = match kind {
        Kind::Sqlite => {
            let mut client = Command::new("sqlite3");
            client
                .arg("-bail")
                .arg(world.file(name))
                .arg(format!(".read {}", file.display()));
            client
        }
        Kind::Postgres => {
            let mut client = Command::new("psql");
            client
                .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"])
                .arg(&file)
                .arg(url);
            client
        }
        Kind::MariaDb => {
            let server = ServerUrl::parse(url)?;
            let mut client = Command::new("mariadb");
            client
                .arg(format!("--host={}", server.host()))
                .arg(format!("--port={}", server.port().unwrap_or(3306)))
                .arg(format!("--user={}", server.user()))
                .arg("--protocol=tcp")
                .arg(server.database())
                .arg("-e")
                .arg(format!("source {}", file.display()));
            client
        }
    };
    client.stdin(Stdio::null()).stdout(Stdio::null());
    let began = Instant::now();
    let mut cost = mean_cost(vec![client])?;
    cost.wall = began.elapsed();
    Ok(cost)
}
