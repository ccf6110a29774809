//! Backups before an upgrade: that they are written, kept, and that what is in them comes back.

use std::fs;
use std::path::Path;

use stairway_tests::servers::ServerUrl;
use stairway_tests::{
    Backend, Finished, Program, TestDatabase, has_programs, on_each_backend, stairway,
};

use crate::calls::{SECRET, User, call, expect, expect_words, json};

/// The programs that a backup of such a database is made and restored with.
fn programs(backend: Backend) -> &'static [&'static str] {
    match backend {
        Backend::Sqlite => &[],
        Backend::Postgres => &["pg_dump", "pg_restore"],
        Backend::MySql => &["mariadb-dump", "mariadb"],
    }
}

/// The names in a directory, oldest backup first.
fn backups(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .collect();
    names.sort();
    names
}

#[test]
fn backups_are_named_verified_and_kept_to_a_number() {
    on_each_backend(|database| {
        let extension = match database.backend() {
            Backend::Sqlite => "db",
            Backend::Postgres => "dump",
            Backend::MySql => "sql",
        };
        if !has_programs(programs(database.backend())) {
            return;
        }
        let directory = tempfile::tempdir().expect("a directory can be made");
        let directory = directory.path().join("backups");
        let upgrade = |line: &str| {
            let run = stairway()
                .args(line.split(' '))
                .args(["--output", "json"])
                .database(&database)
                .env("MIGRATION_BACKUP_DIRECTORY", &directory)
                .env("MIGRATION_BACKUPS_KEPT", "2")
                .run();
            expect(&run, 0, line);
            run.json()
        };
        upgrade("upgrade +1");
        assert_eq!(backups(&directory), [""; 0]);
        for kept in [1, 2, 2] {
            let report = upgrade("upgrade +1 --backup");
            let names = backups(&directory);
            assert_eq!(names.len(), kept, "{names:?}");
            let path = report["backup"].as_str().expect("the backup's path");
            let newest = names.last().expect("there is one");
            assert!(path.ends_with(newest.as_str()), "{path} {names:?}");
            let before = report["from"][0].as_str().expect("a revision");
            assert!(
                newest.contains(before) && newest.ends_with(extension),
                "{newest}"
            );
        }
        // With nothing to do there is nothing to save.
        upgrade("upgrade");
        let names = backups(&directory);
        upgrade("upgrade --backup");
        assert_eq!(backups(&directory), names);
    });
}

#[test]
fn if_the_backup_fails_nothing_is_migrated() {
    on_each_backend(|database: TestDatabase| {
        let run = stairway()
            .args(["upgrade", "--backup"])
            .database(&database)
            // A directory can't be made there.
            .env("MIGRATION_BACKUP_DIRECTORY", "/dev/null/backups")
            .env("PGPASSWORD", SECRET)
            .run();
        expect(&run, 1, "upgrade --backup");
        expect_words(&run, &["the backup failed, and nothing was migrated"]);
        let status = json(database.url(), 0, "status");
        assert_eq!(status["state"], "empty", "{status}");
    });
}

/// Puts a backup into an empty database with the database's own means, as the runbook says.
fn restore(backup: &str, into: &TestDatabase) -> Finished {
    let url = || ServerUrl::parse(into.url()).expect("the harness makes good URLs");
    match into.backend() {
        Backend::Sqlite => {
            let file = into.file().expect("an SQLite database is a file");
            Program::at("cp").args([Path::new(backup), &file]).run()
        }
        Backend::Postgres => Program::at("pg_restore")
            .args(["--exit-on-error", "--no-owner", "--dbname", &url().reveal()])
            .args([backup])
            .run(),
        Backend::MySql => {
            let url = url();
            Program::at("mariadb")
                .args([
                    "--protocol=tcp",
                    "--host",
                    url.host(),
                    "--user",
                    &url.user(),
                ])
                .args(["--port", &url.port().unwrap_or(3306).to_string()])
                .args([
                    "--database",
                    &url.database(),
                    "-e",
                    &format!("source {backup}"),
                ])
                .run()
        }
    }
}

#[test]
fn a_backup_brings_back_the_data_and_the_history_as_they_were() {
    on_each_backend(|database| {
        if !has_programs(programs(database.backend())) {
            return;
        }
        let words = match database.backend() {
            Backend::Postgres => "text",
            Backend::MySql | Backend::Sqlite => "varchar(200)",
        };
        database.execute(&format!(
            "CREATE TABLE notes (id int PRIMARY KEY, words {words})"
        ));
        database
            .execute("INSERT INTO notes VALUES (1, 'grüß; -- ''quoted'' \"twice\"'), (2, NULL)");
        call(database.url(), 0, "upgrade +3");
        let notes = "SELECT id, words FROM notes ORDER BY id";
        let before = database.rows(notes);
        let directory = tempfile::tempdir().expect("a directory can be made");
        let upgraded = stairway()
            .args(["upgrade", "--backup", "--output", "json"])
            .database(&database)
            .env("MIGRATION_BACKUP_DIRECTORY", directory.path())
            .run();
        expect(&upgraded, 0, "upgrade --backup");
        let report = upgraded.json();
        let backup = report["backup"].as_str().expect("the backup's path");
        database.execute("DELETE FROM notes");

        let restored = TestDatabase::create(database.backend());
        let done = restore(backup, &restored);
        expect(&done, 0, "restoring the backup");
        assert_eq!(restored.rows(notes), before);
        let status = json(restored.url(), 0, "status");
        assert_eq!(
            status["applied_count"], 3,
            "as before the upgrade: {status}"
        );
        assert_eq!(status["current_revision"], report["from"][0], "{status}");
        // It is a database to go on with.
        call(restored.url(), 0, "upgrade");
        call(restored.url(), 0, "status --exit-code");
    });
}

#[test]
fn a_user_who_may_not_see_events_gets_a_backup_that_says_so() {
    on_each_backend(|database| {
        if database.backend() != Backend::MySql || !has_programs(programs(database.backend())) {
            return;
        }
        call(database.url(), 0, "upgrade +1");
        let Some(user) = User::who_reads(&database) else {
            return;
        };
        let directory = tempfile::tempdir().expect("a directory can be made");
        let backup = stairway()
            .args(["backup"])
            .env("DATABASE_URL", user.url())
            .env("MIGRATION_BACKUP_DIRECTORY", directory.path())
            .run();
        expect(&backup, 0, "backup");
        expect_words(&backup, &["no scheduled events", "EVENT privilege"]);
        assert_eq!(backups(directory.path()).len(), 1);
    });
}
