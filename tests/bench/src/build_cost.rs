//! What it costs to build revisions.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use stairway_test_servers::cargo;

use crate::process::{Cost, mean_cost};
use crate::report::{Report, against_bar};
use crate::world::Outcome;

/// The bar for a touched revision: a fifth of what sea-orm-migration costs in cargo's own release profile.
const BAR: f64 = 0.2;

pub(crate) fn measure(report: &mut Report) -> Outcome {
    let mut projects = Vec::new();
    report.section(
        "Building from nothing",
        "A project of its own with 100 revision files and a program over them, with everything that it depends on. \
         Wall / CPU seconds. Release is for Stairway the profile that this repository ships, for sea-orm-migration \
         (a list written by hand, and `Migrator::up`) cargo's own; the ratio is CPU to the latter.",
        &["project", "profile", "wall / CPU", "CPU ratio"],
    );
    let mut floor = None;
    for (of, profile) in [
        (Of::SeaOrmMigration, "release"),
        (Of::Stairway, "dev"),
        (Of::Stairway, "release"),
    ] {
        let project = Project::write(of, 100)?;
        project.empty(profile)?;
        let cost = project.build(profile)?;
        let floor = *floor.get_or_insert(cost);
        report.row([
            of.name().to_owned(),
            profile.to_owned(),
            cost.seconds(),
            format!("{:.2}", ratio(cost, floor)),
        ]);
        projects.push((of, profile));
    }
    report.section(
        "Building revisions",
        "The same projects with what they depend on built before: the first build of the project's own code, and \
         again with one revision touched. Migration code is never hot, so Stairway's release profile does not \
         optimise it. The ratios are CPU to sea-orm-migration's of as many revisions.",
        &[
            "revisions",
            "project",
            "profile",
            "first",
            "ratio",
            "one touched",
            "ratio",
            "program, MiB",
        ],
    );
    for count in [100, 1_000] {
        let mut floor = None;
        for &(of, profile) in &projects {
            let project = Project::write(of, count)?;
            project.forget(profile)?;
            let first = project.build(profile)?;
            project.touch_one()?;
            let touched = project.build(profile)?;
            let (floor_first, floor_touched) = *floor.get_or_insert((first, touched));
            let against_floor = match of {
                Of::SeaOrmMigration => "1".to_owned(),
                Of::Stairway => against_bar(ratio(touched, floor_touched), BAR),
            };
            report.row([
                count.to_string(),
                of.name().to_owned(),
                profile.to_owned(),
                first.seconds(),
                format!("{:.2}", ratio(first, floor_first)),
                touched.seconds(),
                against_floor,
                format!("{:.1}", project.program_size(profile)? / 1024.0 / 1024.0),
            ]);
        }
    }
    Ok(())
}

fn ratio(cost: Cost, floor: Cost) -> f64 {
    cost.cpu.as_secs_f64() / floor.cpu.as_secs_f64()
}

/// Whose migrations a project has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Stairway,
    SeaOrmMigration,
}

impl Of {
    fn name(self) -> &'static str {
        match self {
            Self::Stairway => "Stairway",
            Self::SeaOrmMigration => "sea-orm-migration",
        }
    }
}

/// A project in the target directory, with a target directory of its own.
struct Project {
    root: PathBuf,
    target: PathBuf,
}

impl Project {
    fn write(of: Of, count: usize) -> Outcome<Self> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .ok_or("no workspace")?
            .to_owned();
        let place = workspace.join("target").join("bench-build").join(of.name());
        let target = place.join("target");
        let root = place.join(format!("project-{count}"));
        let revisions = root.join("migration/src/revisions");
        drop(std::fs::remove_dir_all(&root));
        std::fs::create_dir_all(&revisions)?;
        std::fs::create_dir_all(root.join("program/src"))?;
        for number in 0..count {
            std::fs::write(
                revisions.join(format!("{}.rs", module(number))),
                revision(number),
            )?;
        }
        let profiles = match of {
            Of::Stairway => shipped_profiles(&workspace)?,
            Of::SeaOrmMigration => String::new(),
        };
        std::fs::write(
            root.join("Cargo.toml"),
            format!(
                "[workspace]\nresolver = \"3\"\nmembers = [\"migration\", \"program\"]\n{profiles}"
            ),
        )?;
        std::fs::copy(workspace.join("Cargo.lock"), root.join("Cargo.lock"))?;
        let project = Self { root, target };
        match of {
            Of::Stairway => project.write_stairway(&workspace)?,
            Of::SeaOrmMigration => project.write_sea_orm_migration(count)?,
        }
        Ok(project)
    }

    fn write_stairway(&self, workspace: &Path) -> Outcome {
        let path = |name: &str| workspace.join("crates").join(name).display().to_string();
        self.write_package(
            "migration",
            &format!(
                "[dependencies]\nstairway-core = {{ path = \"{core}\" }}\n{SEA_ORM_MIGRATION}\
                 [build-dependencies]\nstairway-build = {{ path = \"{build}\" }}\n",
                core = path("core"),
                build = path("build")
            ),
            "include!(concat!(env!(\"OUT_DIR\"), \"/revisions.rs\"));\n",
        )?;
        std::fs::write(
            self.root.join("migration/build.rs"),
            "fn main() {\n    stairway_build::discover(\"src/revisions\");\n}\n",
        )?;
        self.write_package(
            "program",
            &format!(
                "[dependencies]\nbench-migration = {{ path = \"../migration\" }}\n\
                 stairway-core = {{ path = \"{core}\" }}\n{TOKIO}",
                core = path("core")
            ),
            "#[tokio::main]\nasync fn main() {\n    \
             stairway_core::run_migrations_on_startup::<bench_migration::Revisions>(true, false, true).await.unwrap();\n}\n",
        )
    }

    fn write_sea_orm_migration(&self, count: usize) -> Outcome {
        let mut library = String::from("use sea_orm_migration::prelude::*;\n\n");
        for number in 0..count {
            let module = module(number);
            writeln!(
                library,
                "#[path = \"revisions/{module}.rs\"]\nmod {module};"
            )?;
        }
        library.push_str(
            "\npub struct Migrator;\n\nimpl MigratorTrait for Migrator {\n    \
             fn migrations() -> Vec<Box<dyn MigrationTrait>> {\n        vec![\n",
        );
        for number in 0..count {
            writeln!(
                library,
                "            Box::new({}::Migration),",
                module(number)
            )?;
        }
        library.push_str("        ]\n    }\n}\n");
        self.write_package(
            "migration",
            &format!("[dependencies]\n{SEA_ORM_MIGRATION}"),
            &library,
        )?;
        self.write_package(
            "program",
            &format!(
                "[dependencies]\nbench-migration = {{ path = \"../migration\" }}\n{SEA_ORM_MIGRATION}{TOKIO}"
            ),
            "use sea_orm_migration::prelude::*;\nuse sea_orm_migration::sea_orm::Database;\n\n\
             #[tokio::main]\nasync fn main() {\n    \
             let database = Database::connect(std::env::var(\"DATABASE_URL\").unwrap()).await.unwrap();\n    \
             bench_migration::Migrator::up(&database, None).await.unwrap();\n}\n",
        )
    }

    /// Writes a package: its manifest and the root of its crate.
    fn write_package(&self, name: &str, dependencies: &str, source: &str) -> Outcome {
        let directory = self.root.join(name);
        std::fs::write(
            directory.join("Cargo.toml"),
            format!(
                "[package]\nname = \"bench-{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n{dependencies}"
            ),
        )?;
        let file = if name == "program" {
            "src/main.rs"
        } else {
            "src/lib.rs"
        };
        Ok(std::fs::write(directory.join(file), source)?)
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
        mean_cost(vec![command])
    }

    fn build(&self, profile: &str) -> Outcome<Cost> {
        self.cargo(&["build"], profile)
    }

    /// Removes all that was built in a profile.
    fn empty(&self, profile: &str) -> Outcome {
        self.cargo(&["clean"], profile).map(drop)
    }

    /// Removes what was built of the project's own code.
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

    fn touch_one(&self) -> Outcome {
        let file = self
            .root
            .join("migration/src/revisions")
            .join(format!("{}.rs", module(50)));
        let text = std::fs::read_to_string(&file)?.replace("string_len(100)", "string_len(120)");
        Ok(std::fs::write(file, text)?)
    }

    fn program_size(&self, profile: &str) -> Outcome<f64> {
        let directory = if profile == "dev" { "debug" } else { profile };
        let bytes = std::fs::metadata(self.target.join(directory).join("bench-program"))?.len();
        Ok(f64::from(u32::try_from(bytes)?))
    }
}

const SEA_ORM_MIGRATION: &str = "sea-orm-migration = { version = \"2.0.4\", default-features = false, \
    features = [\"runtime-tokio-rustls\", \"sqlx-mysql\", \"sqlx-postgres\", \"sqlx-sqlite\"] }\n";
const TOKIO: &str = "tokio = { version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }\n";

/// The profiles of this repository, for a project whose migrations have another name.
fn shipped_profiles(workspace: &Path) -> Outcome<String> {
    Ok(std::fs::read_to_string(workspace.join("Cargo.toml"))?
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
        }))
}

fn module(number: usize) -> String {
    format!("m{number:08}_create_table")
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
