//! What it costs to build revisions.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use stairway_test_servers::cargo;

use crate::process::{Cost, cpu_of_children};
use crate::report::{Report, against_bar};
use crate::world::Outcome;

/// Cargo's own release settings for the migration crate alone.
const OPTIMISED: [&str; 4] = [
    "--config",
    "profile.release.package.bench-migration.opt-level=3",
    "--config",
    "profile.release.package.bench-migration.codegen-units=16",
];

pub(crate) fn measure(report: &mut Report) -> Outcome {
    report.section(
        "Building revisions",
        "A project of its own with that many revision files and a program over them, in an empty directory: all of it \
         with its dependencies from nothing, then the crate of the revisions alone, then again with one revision \
         touched. Wall / CPU seconds. Release is the profile that this repository ships: migration code is not \
         optimised. The last column is the CPU time of one touched to the same with cargo's own release settings. \
         Bar: 0.20.",
        &[
            "revisions",
            "profile",
            "from nothing, s",
            "the crate, s",
            "one touched, s",
            "program, MiB",
            "to cargo's settings",
        ],
    );
    drop(std::fs::remove_dir_all(Project::target()?));
    for count in [100, 1_000] {
        for profile in ["dev", "release"] {
            let project = Project::write(count)?;
            let everything = project.cargo(&["build"], profile)?;
            let size = project.program_size(profile)?;
            project.forget(profile)?;
            let first = project.build_crate(profile, &[])?;
            project.touch_one(1)?;
            let touched = project.build_crate(profile, &[])?;
            let ratio = if profile == "release" {
                project.build_crate(profile, &OPTIMISED)?;
                project.touch_one(2)?;
                let optimised = project.build_crate(profile, &OPTIMISED)?;
                against_bar(touched.cpu.as_secs_f64() / optimised.cpu.as_secs_f64(), 0.2)
            } else {
                String::new()
            };
            report.row([
                count.to_string(),
                profile.to_owned(),
                // The second project finds its dependencies built.
                if count == 100 {
                    seconds(everything)
                } else {
                    String::new()
                },
                seconds(first),
                seconds(touched),
                format!("{:.1}", size / 1024.0 / 1024.0),
                ratio,
            ]);
        }
    }
    Ok(())
}

fn seconds(cost: Cost) -> String {
    format!(
        "{:.1} / {:.1}",
        cost.wall.as_secs_f64(),
        cost.cpu.as_secs_f64()
    )
}

/// A project in the target directory, so that cargo finds what is built already.
struct Project {
    root: PathBuf,
    target: PathBuf,
}

impl Project {
    fn workspace() -> Outcome<PathBuf> {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        Ok(own.ancestors().nth(2).ok_or("no workspace")?.to_owned())
    }

    fn target() -> Outcome<PathBuf> {
        Ok(cargo::target_directory(&Self::workspace()?).join("bench-build"))
    }

    fn write(count: usize) -> Outcome<Self> {
        let workspace = Self::workspace()?;
        let target = Self::target()?;
        let root = target.join(format!("project-{count}"));
        let revisions = root.join("migration/src/revisions");
        drop(std::fs::remove_dir_all(&root));
        std::fs::create_dir_all(&revisions)?;
        std::fs::create_dir_all(root.join("program/src"))?;
        for number in 0..count {
            std::fs::write(
                revisions.join(format!("m{number:08}_create_table.rs")),
                revision(number),
            )?;
        }
        let profiles: String = std::fs::read_to_string(workspace.join("Cargo.toml"))?
            .split("\n[profile.")
            .skip(1)
            .filter(|profile| !profile.contains("insta") && !profile.contains("similar"))
            .fold(String::new(), |mut text, profile| {
                // Writing to a String can't fail.
                let _ = write!(
                    text,
                    "\n[profile.{}",
                    profile.replace("stairway-migration", "bench-migration")
                );
                text
            });
        std::fs::write(
            root.join("Cargo.toml"),
            format!(
                "[workspace]\nresolver = \"3\"\nmembers = [\"migration\", \"program\"]\n{profiles}"
            ),
        )?;
        std::fs::copy(workspace.join("Cargo.lock"), root.join("Cargo.lock"))?;
        let path =
            |crate_name: &str| format!("{}", workspace.join("crates").join(crate_name).display());
        let package = |name: &str, rest: &str| {
            format!("[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n{rest}")
        };
        std::fs::write(
            root.join("migration/Cargo.toml"),
            package(
                "bench-migration",
                &format!(
                    "[dependencies]\nstairway-core = {{ path = {core:?} }}\n\
                     sea-orm-migration = {{ version = \"2.0.4\", default-features = false, features = [\"runtime-tokio-rustls\", \"sqlx-mysql\", \"sqlx-postgres\", \"sqlx-sqlite\"] }}\n\
                     [build-dependencies]\nstairway-build = {{ path = {build:?} }}\n",
                    core = path("core"),
                    build = path("build")
                ),
            ),
        )?;
        std::fs::write(
            root.join("migration/build.rs"),
            "fn main() {\n    stairway_build::discover(\"src/revisions\");\n}\n",
        )?;
        std::fs::write(
            root.join("migration/src/lib.rs"),
            "include!(concat!(env!(\"OUT_DIR\"), \"/revisions.rs\"));\n",
        )?;
        std::fs::write(
            root.join("program/Cargo.toml"),
            package(
                "bench-program",
                &format!(
                    "[dependencies]\nbench-migration = {{ path = \"../migration\" }}\nstairway-core = {{ path = {core:?} }}\n\
                     tokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }}\n",
                    core = path("core")
                ),
            ),
        )?;
        std::fs::write(
            root.join("program/src/main.rs"),
            "#[tokio::main]\nasync fn main() {\n    let _ = stairway_core::run_migrations_on_startup::<bench_migration::Revisions>(true, false, true).await;\n}\n",
        )?;
        Ok(Self { root, target })
    }

    fn cargo(&self, arguments: &[&str], profile: &str) -> Outcome<Cost> {
        let mut command: Command = cargo::command();
        command
            .args(arguments)
            .args(["--profile", profile])
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let cpu = cpu_of_children()?;
        let began = Instant::now();
        let status = command.status()?;
        if !status.success() {
            return Err(format!("{command:?} ended with {status}").into());
        }
        Ok(Cost {
            wall: began.elapsed(),
            cpu: cpu_of_children()?.saturating_sub(cpu),
        })
    }

    /// The crate of the revisions alone, with dependencies as they are built already.
    fn build_crate(&self, profile: &str, settings: &[&str]) -> Outcome<Cost> {
        let build = ["build", "--package", "bench-migration"];
        self.cargo(&[&build[..], settings].concat(), profile)
    }

    fn forget(&self, profile: &str) -> Outcome {
        self.cargo(
            &[
                "clean",
                "--package",
                "bench-migration",
                "--package",
                "bench-program",
            ],
            profile,
        )
        .map(drop)
    }

    /// Changes one revision, differently each time.
    fn touch_one(&self, time: usize) -> Outcome {
        let file = self
            .root
            .join("migration/src/revisions/m00000050_create_table.rs");
        let (before, after) = (99 + time, 100 + time);
        let text = std::fs::read_to_string(&file)?.replace(
            &format!("string_len({before})"),
            &format!("string_len({after})"),
        );
        Ok(std::fs::write(file, text)?)
    }

    fn program_size(&self, profile: &str) -> Outcome<f64> {
        let directory = if profile == "dev" { "debug" } else { profile };
        let bytes = std::fs::metadata(self.target.join(directory).join("bench-program"))?.len();
        Ok(f64::from(u32::try_from(bytes)?))
    }
}

/// A revision file such as people write.
fn revision(number: usize) -> String {
    format!(
        "//! Create table {number}\n\nuse sea_orm_migration::prelude::*;\n\n#[derive(DeriveMigrationName)]\npub struct Migration;\n\n\
         #[derive(DeriveIden)]\nenum Table{number} {{\n    Table,\n    Id,\n    Name,\n    CreatedAt,\n}}\n\n\
         #[async_trait::async_trait]\nimpl MigrationTrait for Migration {{\n    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {{\n        \
         manager\n            .create_table(\n                Table::create()\n                    .table(Table{number}::Table)\n                    \
         .col(ColumnDef::new(Table{number}::Id).integer().not_null().primary_key())\n                    \
         .col(ColumnDef::new(Table{number}::Name).string_len(100))\n                    \
         .col(ColumnDef::new(Table{number}::CreatedAt).timestamp_with_time_zone())\n                    .to_owned(),\n            )\n            .await?;\n        \
         manager\n            .create_index(Index::create().name(\"idx_{number}\").table(Table{number}::Table).col(Table{number}::Name).to_owned())\n            .await\n    }}\n\n    \
         async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {{\n        manager.drop_table(Table::drop().table(Table{number}::Table).to_owned()).await\n    }}\n}}\n"
    )
}
