//! Measures what Stairway costs: `cargo xtask bench`.
//!
//! Every figure is a ratio to something else measured in the same run: sea-orm-migration's own `up`,
//! the database's own client, or Stairway at another size. The program starts itself again for
//! whatever must be a process of its own.

mod apply;
mod build_cost;
mod compare;
mod contention;
mod journal;
mod memory;
mod migrator;
mod planning;
mod process;
mod report;
mod server;
mod start;
mod traffic;
mod world;

use std::process::ExitCode;

use report::Report;
use tokio::runtime::{Builder, Runtime};
use world::{Outcome, World};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["child", what, rest @ ..] => process::child(what, rest),
        chosen => {
            runtime(Builder::new_multi_thread()).and_then(|runtime| runtime.block_on(all(chosen)))
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn runtime(mut builder: Builder) -> Outcome<Runtime> {
    Ok(builder.enable_all().build()?)
}

/// Runs the chosen measurements, or all, and prints the report on standard output.
async fn all(chosen: &[&str]) -> Outcome {
    let wanted = |name: &str| chosen.is_empty() || chosen.contains(&name);
    let mut report = Report::default();
    if wanted("planning") {
        planning::measure(&mut report)?;
    }
    if ["start", "apply", "contention", "memory", "compare"]
        .into_iter()
        .any(wanted)
    {
        let world = World::start()?;
        if wanted("start") {
            start::measure(&world, &mut report).await?;
        }
        if wanted("apply") {
            apply::measure(&world, &mut report).await?;
        }
        if wanted("contention") {
            contention::measure(&world, &mut report).await?;
            journal::measure(&world, &mut report).await?;
        }
        if wanted("memory") {
            memory::measure(&world, &mut report).await?;
        }
        if wanted("compare") {
            compare::measure(&world, &mut report).await?;
        }
    }
    if wanted("server") {
        server::measure(&mut report).await?;
    }
    if wanted("build") {
        build_cost::measure(&mut report)?;
    }
    report.print();
    Ok(())
}
