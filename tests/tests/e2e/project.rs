//! A project of its own from its first revision on: what `create` and `merge` write compiles, is found
//! and is applied; two people add a revision each; a revision is interrupted.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Value, json};
use stairway_tests::{Backend, Finished, Project, TestDatabase, on_each_backend};

use crate::calls::{expect, expect_words};
use crate::json_forms::check;

/// The project as it is when two people have each added a revision to the first one, and as it is
/// after the merge.
struct Grown {
    forked: Project,
    joined: Project,
    base: String,
    refunds: String,
    reports: String,
    merge: String,
}

/// Runs the project's program on a database.
#[track_caller]
fn call(project: &Project, database: &TestDatabase, code: i32, line: &str) -> Finished {
    let run = project
        .program()
        .args(line.split(' '))
        .database(database)
        .env("MIGRATION_RETRY_DELAY", "10ms")
        .run();
    expect(&run, code, line);
    run
}

/// As [`call`], for the JSON that it prints, which must have the documented form.
#[track_caller]
fn form(project: &Project, database: &TestDatabase, code: i32, form: &str, line: &str) -> Value {
    let value = call(project, database, code, &format!("{line} --output json")).json();
    check(form, &value);
    value
}

/// Runs `create` or `merge`, and returns the new revision's name and its file's text.
#[track_caller]
fn create(project: &Project, words: &[&str]) -> (String, PathBuf, Value) {
    let run = project
        .program()
        .args(words)
        .args(["--output", "json"])
        .run();
    expect(&run, 0, &words.join(" "));
    let created = run.json();
    check("created", &created);
    let name = created["revision"].as_str().expect("a name").to_owned();
    let path = project
        .root()
        .join(created["path"].as_str().expect("a path"));
    assert_eq!(path, project.revisions().join(format!("{name}.rs")));
    (name, path, created)
}

/// Fills in the lists of statements that `create --sql` leaves empty.
fn fill(path: &Path, up: &str, down: &str) {
    const EMPTY: &str = "let statements: &[&str] = &[];";
    let text = fs::read_to_string(path).expect("it was written");
    assert_eq!(text.matches(EMPTY).count(), 2, "{text}");
    let text = text.replacen(EMPTY, &format!("let statements: &[&str] = &[{up}];"), 1);
    let text = text.replacen(EMPTY, &format!("let statements: &[&str] = &[{down}];"), 1);
    fs::write(path, text).expect("it can be written");
}

/// The same files in a project of their own.
fn copy(project: &Project) -> Project {
    let copied = Project::new();
    for entry in fs::read_dir(project.revisions()).expect("the directory is there") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), copied.revisions().join(entry.file_name())).expect("it is a file");
    }
    copied
}

fn grow() -> Grown {
    let forked = Project::new();
    forked.build();

    // The first one is compiled as it was written.
    let (base, path, created) = create(&forked, &["create", "Add invoices table"]);
    assert!(base.ends_with("_add_invoices_table"), "{created}");
    assert_eq!(
        (&created["parents"], &created["warnings"]),
        (&json!([]), &json!([]))
    );
    let text = fs::read_to_string(path).expect("it was written");
    assert!(
        text.starts_with("//! Add invoices table\n//!\n//! revises: base\n"),
        "{text}"
    );
    forked.build();

    // Two people, who do not know of one another, work on the same state.
    let (refunds, path, created) = create(&forked, &["create", "Add refunds", "--sql"]);
    assert_eq!(created["parents"], json!([base]));
    fill(
        &path,
        r#""CREATE TABLE refunds (id int PRIMARY KEY)", "INSERT INTO refunds VALUES (7)""#,
        r#""DROP TABLE refunds""#,
    );
    let (reports, path, created) = create(
        &forked,
        &["create", "changes", "--sql", "--branch-label", "reporting"],
    );
    assert_eq!(created["parents"], json!([base]));
    assert!(
        created["warnings"][0]
            .as_str()
            .is_some_and(|warning| warning.contains("does not say")),
        "{created}"
    );
    fill(
        &path,
        r#""CREATE TABLE reports (id int PRIMARY KEY)""#,
        r#""DROP TABLE reports""#,
    );
    forked.build();

    let joined = copy(&forked);
    joined.build();
    let (merge, path, created) = create(&joined, &["merge"]);
    let parents = created["parents"].as_array().expect("a list");
    assert!(
        parents.len() == 2
            && parents.contains(&json!(refunds))
            && parents.contains(&json!(reports)),
        "{created}"
    );
    let text = fs::read_to_string(path).expect("it was written");
    assert!(text.starts_with("//! Merge "), "{text}");
    joined.build();
    Grown {
        forked,
        joined,
        base,
        refunds,
        reports,
        merge,
    }
}

static GROWN: LazyLock<Grown> = LazyLock::new(grow);

fn pending(status: &Value) -> Vec<&str> {
    let pending = status["pending_migrations"].as_array().expect("a list");
    pending.iter().filter_map(Value::as_str).collect()
}

#[test]
fn what_create_and_merge_write_compiles_is_found_and_is_applied_and_taken_back() {
    let grown = &*GROWN;
    on_each_backend(|database| {
        let project = &grown.joined;
        let before = form(project, &database, 3, "status", "status --exit-code");
        let pending = pending(&before);
        assert_eq!(
            (pending[0], pending[3], pending.len()),
            (grown.base.as_str(), grown.merge.as_str(), 4)
        );
        let history = form(project, &database, 0, "revisions", "history --offline");
        let messages: Vec<&str> = history
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|revision| revision["message"].as_str())
            .collect();
        assert!(
            messages.contains(&"Add refunds") && messages.contains(&"changes"),
            "{messages:?}"
        );

        form(project, &database, 0, "run", "run");
        assert_eq!(
            database.rows("SELECT id FROM refunds"),
            [[Some("7".to_owned())]]
        );
        database.execute("SELECT * FROM reports");
        form(project, &database, 0, "check", "check");
        // A merge is taken back alone: what it joins stays.
        form(project, &database, 0, "run", "downgrade -1 --yes");
        let status = form(project, &database, 0, "status", "status");
        assert_eq!(
            status["current_revisions"].as_array().map(Vec::len),
            Some(2),
            "{status}"
        );
        form(project, &database, 0, "run", "downgrade base --yes");
        assert!(database.try_rows("SELECT * FROM refunds").is_err());
        assert!(database.try_rows("SELECT * FROM reports").is_err());
    });
}

#[test]
fn with_two_heads_head_is_refused_with_both_named_and_heads_and_branches_are_applied() {
    let grown = &*GROWN;
    on_each_backend(|database| {
        let project = &grown.forked;
        for line in [
            "upgrade head",
            "downgrade head --yes",
            "show head",
            "create Third",
        ] {
            let refused = call(project, &database, 2, line);
            expect_words(&refused, &[&grown.refunds, &grown.reports]);
        }
        assert!(fs::read_dir(project.revisions()).is_ok_and(|files| files.count() == 3));
        let status = form(project, &database, 3, "status", "status --exit-code");
        assert_eq!(status["state"], "empty", "nothing was done: {status}");

        let found = form(project, &database, 3, "check", "check");
        let kinds: Vec<&Value> = found["findings"].as_array().into_iter().flatten().collect();
        let several = kinds
            .iter()
            .find(|finding| finding["kind"] == "several_heads");
        let several = several.unwrap_or_else(|| panic!("{found}"));
        assert_eq!(
            several["revisions"].as_array().map(Vec::len),
            Some(2),
            "{found}"
        );
        let offline = form(project, &database, 3, "check", "check --offline");
        assert_eq!(offline["findings"][0]["kind"], "several_heads", "{offline}");
        let heads = form(project, &database, 0, "revisions", "heads");
        assert_eq!(heads.as_array().map(Vec::len), Some(2), "{heads}");
        let branches = form(project, &database, 0, "branches", "branches");
        assert_eq!(branches[0]["revision"], grown.base.as_str(), "{branches}");
        form(project, &database, 0, "graph", "graph");

        // One branch alone, then the other with it.
        form(project, &database, 0, "run", "upgrade reporting@head");
        database.execute("SELECT * FROM reports");
        assert!(database.try_rows("SELECT * FROM refunds").is_err());
        let status = form(project, &database, 3, "status", "status --exit-code");
        assert_eq!(pending(&status), [grown.refunds.as_str()]);
        form(project, &database, 0, "run", "upgrade heads");
        database.execute("SELECT * FROM refunds");
        let status = form(project, &database, 0, "status", "status --exit-code");
        assert!(
            status["current_revision"].is_null()
                || status["current_revisions"].as_array().map(Vec::len) == Some(2)
        );
        // Which of the two goes first is not guessed.
        let refused = call(project, &database, 2, "downgrade -1 --yes");
        expect_words(&refused, &[&grown.refunds, &grown.reports]);
        form(project, &database, 0, "run", "downgrade reporting@-1 --yes");
        assert!(database.try_rows("SELECT * FROM reports").is_err());
        database.execute("SELECT * FROM refunds");

        // The build with the merge takes it from here.
        form(&grown.joined, &database, 0, "run", "upgrade head");
        let status = form(&grown.joined, &database, 0, "status", "status --exit-code");
        assert_eq!(status["current_revision"], grown.merge.as_str(), "{status}");
        form(&grown.joined, &database, 0, "check", "check");
        // And the build before it sees a database that is ahead.
        let status = form(project, &database, 0, "status", "status");
        assert_eq!(status["state"], "ahead", "{status}");
        form(project, &database, 0, "run", "run");
    });
}

/// The project with one revision in place of all that there were; with or without their files.
fn squashed(grown: &Grown, keeps_files: bool) -> Project {
    let project = if keeps_files {
        copy(&grown.joined)
    } else {
        Project::new()
    };
    let replaced = [&grown.base, &grown.refunds, &grown.reports, &grown.merge];
    let replaced: Vec<&str> = replaced.into_iter().map(String::as_str).collect();
    let source = fs::read_to_string(grown.joined.revisions().join(format!("{}.rs", grown.base)))
        .expect("the file is there");
    let (_, code) = source.split_once("\n\n").expect("a comment, then code");
    let code = code.replacen("_manager", "manager", 2);
    let mut parts = code.splitn(3, "Ok(())");
    let mut part = || parts.next().expect("an `up` and a `down`");
    let run = |sql: &str| {
        format!("manager.get_connection().execute_unprepared({sql:?}).await?;\n        Ok(())")
    };
    let code = [
        part(),
        &run("CREATE TABLE refunds (id int PRIMARY KEY); INSERT INTO refunds VALUES (7); CREATE TABLE reports (id int PRIMARY KEY)"),
        part(),
        &run("DROP TABLE reports; DROP TABLE refunds"),
        part(),
    ]
    .concat();
    let text = format!(
        "//! Everything so far\n//!\n//! revises: base\n//! replaces: {}\n\n{code}",
        replaced.join(", ")
    );
    fs::write(
        project.revisions().join("m20990101_000000_everything.rs"),
        text,
    )
    .expect("it can be written");
    project.build();
    project
}

const EVERYTHING: &str = "m20990101_000000_everything";

#[test]
fn a_revision_that_replaces_others_runs_where_none_of_them_did_and_counts_where_all_of_them_did() {
    let grown = &*GROWN;
    let with_files = squashed(grown, true);
    let without_files = squashed(grown, false);
    on_each_backend(|database| {
        let recorded = |database: &TestDatabase| {
            let rows = database.rows("SELECT version FROM seaql_migrations ORDER BY version");
            rows.into_iter()
                .flatten()
                .flatten()
                .collect::<Vec<String>>()
        };
        // An empty database gets it alone, and plain sea-orm-migration finds nothing to do there.
        form(&with_files, &database, 0, "run", "run");
        assert_eq!(
            database.rows("SELECT id FROM refunds"),
            [[Some("7".to_owned())]]
        );
        assert_eq!(recorded(&database).len(), 5);
        let log = form(&with_files, &database, 0, "log", "log");
        assert_eq!(
            (log.as_array().map(Vec::len), &log[0]["revision"]),
            (Some(1), &json!(EVERYTHING))
        );
        let plain = with_files.plain_up(database.url()).run();
        assert_eq!(plain.code, 0, "{plain}");
        let status = form(&with_files, &database, 0, "status", "status --exit-code");
        assert_eq!(status["current_revision"], EVERYTHING, "{status}");
        form(&with_files, &database, 0, "run", "downgrade base --yes");
        assert_eq!(recorded(&database), [""; 0]);
        assert!(database.try_rows("SELECT * FROM refunds").is_err());

        // Where all of them are applied it counts as applied, and is recorded without being run.
        form(&grown.joined, &database, 0, "run", "run");
        database.execute("DELETE FROM refunds");
        for build in [&with_files, &without_files] {
            let status = form(build, &database, 0, "status", "status --exit-code");
            assert_eq!(
                (
                    &status["state"],
                    &status["current_revision"],
                    &status["unknown_revisions"]
                ),
                (&json!("up_to_date"), &json!(EVERYTHING), &json!([]))
            );
        }
        form(&with_files, &database, 0, "run", "run");
        assert_eq!(
            database.rows("SELECT count(*) FROM refunds"),
            [[Some("0".to_owned())]]
        );
        assert_eq!(recorded(&database).len(), 5);
        let log = form(&with_files, &database, 0, "log", "log --limit 1");
        assert_eq!(
            (&log[0]["revision"], &log[0]["action"]),
            (&json!(EVERYTHING), &json!("stamp"))
        );
        let plain = with_files.plain_up(database.url()).run();
        assert_eq!(plain.code, 0, "{plain}");
        // The build before it runs beside it, and the one after it has the files no more.
        let before = form(&grown.joined, &database, 0, "status", "status");
        assert_eq!(before["state"], "ahead", "{before}");
        form(&without_files, &database, 0, "run", "run");
        form(&without_files, &database, 0, "check", "check");
        form(&without_files, &database, 0, "stamp", "stamp heads --purge");
        assert_eq!(recorded(&database), [EVERYTHING]);
        form(&without_files, &database, 0, "status", "status --exit-code");
        form(&without_files, &database, 0, "run", "downgrade base --yes");
        assert_eq!(recorded(&database), [""; 0]);

        // Where a part is applied, nothing is guessed.
        form(&grown.joined, &database, 0, "run", "upgrade +1");
        for build in [&with_files, &without_files] {
            let refused = call(build, &database, 2, "upgrade");
            expect_words(
                &refused,
                &[
                    EVERYTHING,
                    &grown.base,
                    &grown.merge,
                    "upgrade with a build from before",
                ],
            );
            form(build, &database, 3, "status", "status --exit-code");
        }
        assert_eq!(recorded(&database), [grown.base.as_str()]);
        form(&grown.joined, &database, 0, "run", "upgrade");
        form(&without_files, &database, 0, "run", "upgrade");
        form(&without_files, &database, 0, "status", "status --exit-code");
    });
}

/// A revision outside a transaction whose second statement fails, on top of the others.
fn interrupted() -> (Project, String) {
    let project = copy(&GROWN.joined);
    project.build();
    let (name, path, _) = create(&project, &["create", "Add ledger", "--sql"]);
    fill(
        &path,
        r#""CREATE TABLE ledger (id int PRIMARY KEY)", "INSERT INTO no_such_table VALUES (1)""#,
        r#""DROP TABLE ledger""#,
    );
    let text = fs::read_to_string(&path).expect("it was written");
    let text = text.replace(
        "impl MigrationTrait for Migration {",
        "impl MigrationTrait for Migration {\n    fn use_transaction(&self) -> Option<bool> {\n        Some(false)\n    }\n",
    );
    fs::write(path, text).expect("it can be written");
    project.build();
    (project, name)
}

#[test]
fn an_interrupted_revision_is_named_by_every_command_and_settled_by_a_persons_word() {
    let (project, name) = interrupted();
    on_each_backend(|database| {
        let failed = form(&project, &database, 1, "error", "upgrade");
        assert_eq!(failed["error"]["revision"], name.as_str(), "{failed}");
        let status = form(&project, &database, 3, "status", "status --exit-code");
        assert_eq!(status["state"], "interrupted", "{status}");
        assert_eq!(status["interrupted"][0]["statements_done"], 1, "{status}");
        let found = form(&project, &database, 3, "check", "check");
        assert!(found.to_string().contains("\"interrupted\""), "{found}");
        form(&project, &database, 0, "log", "log");
        let shown = call(&project, &database, 2, "repair");
        expect_words(&shown, &[&name, "1 statement done", "--mark-reverted"]);
        // What it left is taken away by hand; then it never began.
        database.execute("DROP TABLE ledger");
        let repaired = form(
            &project,
            &database,
            0,
            "repair",
            "repair --mark-reverted --yes",
        );
        assert_eq!(repaired["action"], "mark-reverted", "{repaired}");
        let status = form(&project, &database, 3, "status", "status --exit-code");
        assert_eq!(
            (&status["state"], pending(&status)),
            (&json!("behind"), vec![name.as_str()])
        );
        let log = form(&project, &database, 0, "log", "log --limit 1");
        assert_eq!(log[0]["action"], "repair", "{log}");

        // Once more, and this time it is finished by hand.
        database.execute("CREATE TABLE no_such_table (id int)");
        form(&project, &database, 0, "run", "upgrade");
        form(&project, &database, 0, "status", "status --exit-code");
        if database.backend() != Backend::Sqlite {
            form(&project, &database, 0, "unlock", "unlock --yes");
        }
    });
}
