use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use stairway_test_servers::cargo;
use tempfile::TempDir;

use crate::Program;
use crate::binaries::library;

/// A user's project: a directory of revision files and a program with the whole command line over
/// them.
///
/// It is compiled with the compiler itself against the libraries that this workspace has built
/// already, so a build costs what linking costs. What cargo would do with `build.rs` is done here.
#[derive(Debug)]
pub struct Project {
    directory: TempDir,
}

const PROGRAM: &str = r#"use stairway_core::MigrationSet;

include!(concat!(env!("OUT_DIR"), "/revisions.rs"));

fn main() -> std::process::ExitCode {
    if let Ok(url) = std::env::var("PLAIN_UP") {
        return plain_up(&url);
    }
    stairway_cli::run(MigrationSet::from_sources::<Migrator>(SOURCES))
}

/// What the project would do without Stairway.
fn plain_up(url: &str) -> std::process::ExitCode {
    use sea_orm_migration::MigratorTrait;
    use sea_orm_migration::sea_orm::Database;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let up = runtime.expect("a runtime can be built").block_on(async {
        Migrator::up(&Database::connect(url).await?, None).await
    });
    match up {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}
"#;

const BUILD_SCRIPT: &str = r#"fn main() {
    stairway_build::discover("src/revisions");
}
"#;

impl Project {
    /// A project without a revision. The program is not built yet.
    ///
    /// # Panics
    /// There is no room for it, or its build script does not compile.
    pub fn new() -> Self {
        Self::of_program(PROGRAM)
    }

    /// As [`Project::new`], with this source instead of the usual one. It includes `revisions.rs` from
    /// `OUT_DIR`; its modules lie in the [root](Project::root).
    ///
    /// # Panics
    /// As [`Project::new`].
    pub fn of_program(source: &str) -> Self {
        let project = Self {
            directory: TempDir::new().expect("a temporary directory can be made"),
        };
        fs::create_dir_all(project.revisions()).expect("a directory can be made");
        fs::create_dir(project.path("out")).expect("a directory can be made");
        fs::write(project.path("main.rs"), source).expect("a file can be written");
        fs::write(project.path("build.rs"), BUILD_SCRIPT).expect("a file can be written");
        project.compile("build.rs", "build-script", &["stairway_build"]);
        project
    }

    /// Where the program runs, as a person would run it.
    pub fn root(&self) -> &Path {
        self.directory.path()
    }

    /// Where the revision files lie.
    pub fn revisions(&self) -> PathBuf {
        self.path("migration/src/revisions")
    }

    /// Compiles the program with the revisions that are there now.
    ///
    /// # Panics
    /// The build script or the compiler is not content; the message says what they said.
    #[track_caller]
    pub fn build(&self) {
        let found = Command::new(self.path("build-script"))
            .env("CARGO_MANIFEST_DIR", self.path("migration"))
            .env("OUT_DIR", self.path("out"))
            .current_dir(self.path("migration"))
            .output()
            .expect("the build script can be run");
        let said = String::from_utf8_lossy(&found.stdout);
        assert!(
            found.status.success() && !said.contains("cargo::error"),
            "{said}"
        );
        self.compile(
            "main.rs",
            "app",
            &[
                "stairway_cli",
                "stairway_core",
                "sea_orm",
                "sea_orm_migration",
                "tokio",
            ],
        );
    }

    /// The program, in the project's directory.
    pub fn program(&self) -> Program {
        Program::at(self.path("app")).current_dir(self.root())
    }

    /// The program that migrates this database with plain sea-orm-migration.
    pub fn plain_up(&self, url: &str) -> Program {
        self.program().env("PLAIN_UP", url)
    }

    #[track_caller]
    fn compile(&self, source: &str, program: &str, libraries: &[&str]) {
        let mut compiler = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        cargo::forget_package(&mut compiler);
        compiler
            .args(["--edition", "2024", "-C", "debuginfo=0", "-D", "warnings"])
            .args(["-o", program, source])
            .env("OUT_DIR", self.path("out"))
            .current_dir(self.root());
        let paths: BTreeMap<&str, &Path> = libraries
            .iter()
            .map(|&name| (name, library(name)))
            .collect();
        for (name, path) in paths {
            let directory = path.parent().unwrap_or(path);
            compiler
                .arg("-L")
                .arg(format!("dependency={}", directory.display()))
                .arg("--extern")
                .arg(format!("{name}={}", path.display()));
        }
        let output = compiler.output().expect("there is a compiler");
        assert!(
            output.status.success(),
            "{source} does not compile: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }
}

impl Default for Project {
    fn default() -> Self {
        Self::new()
    }
}
