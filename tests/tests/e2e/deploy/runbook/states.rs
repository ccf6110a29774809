//! Where a database stands, and whether it can be reached.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use stairway_tests::servers::{ServerOptions, ServerUrl, postgres};
use stairway_tests::{Backend, Project, TestDatabase, has_programs, wait_until};

use super::kubernetes;
use crate::deploy::path;
use crate::pages::{Section, Shell};

const HEAD: &str = "m20260302_090000_add_projects_monthly_budget";
const UNKNOWN: &str = "m20260401_090000_add_invoices";

pub(super) fn anywhere(section: &mut Section, database: &TestDatabase) {
    let shell = Shell::on(database);
    shell.prepare("stairway upgrade +2");
    section.run(&shell, "stairway status", 0);
    let log = section.run(&shell, "stairway log", 0);
    assert!(
        log.stdout.contains("m20260105_090000_create_users"),
        "{log}"
    );
    let in_a_cluster = "kubectl --namespace stairway exec deployment/stairway --container server -- \
                        /usr/local/bin/stairway status";
    kubernetes::check(&section.shows(in_a_cluster).command);
}

pub(super) fn behind(section: &mut Section, database: &TestDatabase) {
    let shell = Shell::on(database);
    shell.prepare("stairway upgrade m20260223");
    section.run(&shell, "stairway status", 0);
    let dry_run = section.run(&shell, "stairway upgrade --dry-run", 0);
    assert!(dry_run.stdout.contains("CREATE INDEX"), "{dry_run}");
    section.run(&shell, "stairway upgrade --backup", 0);
    shell.prepare("stairway status --exit-code");
    let backups = fs::read_dir(shell.directory().join("backups"));
    assert_eq!(backups.expect("one was written").count(), 1);
}

/// A build of the reference application with one revision more.
static NEWER: LazyLock<Project> = LazyLock::new(|| {
    let project = Project::new();
    for entry in fs::read_dir(path("migration/src/revisions")).expect("the directory is there") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), project.revisions().join(entry.file_name())).expect("a file");
    }
    let text = "//! Add invoices\n\n\
        use sea_orm_migration::prelude::*;\n\n\
        #[derive(DeriveMigrationName)]\n\
        pub struct Migration;\n\n\
        #[async_trait::async_trait]\n\
        impl MigrationTrait for Migration {\n\
        async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {\n\
        manager.get_connection().execute_unprepared(\"CREATE TABLE invoices (id int)\").await?;\n\
        Ok(())\n}\n\n\
        async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {\n\
        manager.get_connection().execute_unprepared(\"DROP TABLE invoices\").await?;\n\
        Ok(())\n}\n}\n";
    fs::write(project.revisions().join(format!("{UNKNOWN}.rs")), text).expect("a file");
    project.build();
    project
});

pub(super) fn ahead(section: &mut Section, database: &TestDatabase) {
    let newer = NEWER.program();
    let newer = Shell::with_programs(&[("stairway", newer.path())]);
    let newer = newer.env("DATABASE_URL", database.url());
    newer.prepare("stairway upgrade");
    let shell = Shell::on(database);
    section.run(&shell, "stairway status", 0);
    section.run(&shell, "stairway upgrade", 0);
    let dry_run = section.run(&newer, "stairway downgrade m20260302 --dry-run", 0);
    assert!(dry_run.stdout.contains("DROP TABLE invoices"), "{dry_run}");
    section.run_and_answer(&newer, "stairway downgrade m20260302 --backup", 0);
    shell.prepare("stairway status --exit-code");
    assert!(database.try_rows("SELECT * FROM invoices").is_err());
}

pub(super) fn diverged(section: &mut Section, database: &TestDatabase) {
    let shell = Shell::on(database);
    shell.prepare("stairway upgrade m20260225");
    // As the build of another branch would have left it.
    database.execute(&format!(
        "INSERT INTO seaql_migrations VALUES ('{UNKNOWN}', 1775000000)"
    ));
    section.run(&shell, "stairway status", 0);
    section.run(&shell, "stairway upgrade", 2);
    section.run(&shell, "stairway upgrade --allow-unknown", 0);
    let applied = format!("SELECT 1 FROM seaql_migrations WHERE version = '{HEAD}'");
    assert_eq!(database.rows(&applied).len(), 1);
}

pub(super) fn edited(section: &mut Section, database: &TestDatabase) {
    let shell = Shell::on(database);
    shell.prepare("stairway upgrade");
    // As if the revision had had another text when it was applied.
    database.execute(
        "UPDATE stairway_ledger SET checksum = 'another' WHERE revision = 'm20260105_090000_create_users'",
    );
    section.run(&shell, "stairway status", 0);
    section.run(&shell, "stairway check", 3);
    section.run(&shell, "stairway check --ignore edited", 0);
}

/// The command in the text of the section, in a repository in which the revision was edited.
#[test]
fn the_change_of_an_edited_revision_is_found_as_the_runbook_says() {
    if !has_programs(&["git"]) {
        return;
    }
    let revision = "migration/src/revisions/m20260105_090000_create_users.rs";
    let command = format!("git log --patch {revision}");
    assert!(super::spans().contains(&command), "{command} is not shown");
    let who = ["GIT_AUTHOR", "GIT_COMMITTER"];
    let shell = who.iter().fold(Shell::new(), |shell, who| {
        shell
            .env(&format!("{who}_NAME"), "a")
            .env(&format!("{who}_EMAIL"), "a@example.com")
    });
    let file = shell.directory().join(revision);
    fs::create_dir_all(file.parent().unwrap_or(Path::new(""))).expect("a fresh directory");
    fs::copy(path(revision), &file).expect("the revision is there");
    shell.prepare("git init -q . && git add . && git commit -qm 'Create users'");
    let edited = fs::read_to_string(&file).expect("it was copied") + "// an edit\n";
    fs::write(&file, edited).expect("it can be written");
    shell.prepare("git commit -qam 'Edit what was applied'");
    let log = shell.prepare(&command);
    assert!(log.stdout.contains("Edit what was applied"), "{log}");
    assert!(log.stdout.contains("+// an edit"), "{log}");
}

pub(super) fn unreachable(section: &mut Section, _: &TestDatabase) {
    // Nobody listens on the first of all ports.
    let shell = Shell::at("postgres://app:secret@127.0.0.1:1/shop");
    let run = section.run(&shell, "stairway wait --timeout 1s", 5);
    assert!(!run.stdout.contains("secret"), "{run}");
    if !has_programs(&["initdb"]) {
        section.leave_out_the_rest();
        return;
    }
    let mut server = postgres::start(&ServerOptions::new()).expect("PostgreSQL starts");
    let url = server.url().with_database("postgres").reveal();
    server.stop().expect("it is running");
    let shell = Shell::at(&url);
    let shown = section.shows("stairway run --wait 5m");
    let run = shell.program(&shown.command).spawn();
    let patience = Duration::from_mins(1);
    wait_until("it waits for the database", patience, || {
        run.stdout().contains("Waiting for the database")
    });
    server.start_again().expect("the data is there");
    let run = run.wait(Duration::from_mins(2));
    shown.ended(&shell, &run, 0);
    shell.prepare("stairway status --exit-code");
}

pub(super) fn refused(section: &mut Section, database: &TestDatabase) {
    let server = ServerUrl::parse(database.url()).expect("the harness makes good URLs");
    // The first is what MariaDB says, the second what PostgreSQL says.
    let wrong_password = section.shows("stairway status");
    let wrong_name = section.shows("stairway status");
    let (shown, shell) = if database.backend() == Backend::MySql {
        let url = server.with_user("app", Some("secret"));
        (wrong_password, Shell::at(&url.reveal()))
    } else {
        (
            wrong_name,
            Shell::at(&server.with_database("shopp").reveal()),
        )
    };
    let run = shell.program(&shown.command).run();
    assert!(!run.stdout.contains("secret"), "{run}");
    shown.ended(&shell, &run, 2);
}
