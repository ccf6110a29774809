//! A privilege that is missing half way.

use stairway_tests::servers::ServerUrl;
use stairway_tests::{Backend, on_each_backend};

use super::scenario::{Scenario, revision, texts};
use crate::calls::{User, expect_words};

#[test]
fn a_privilege_that_is_missing_half_way_is_named_and_a_rerun_with_it_finishes() {
    on_each_backend(|database| {
        database.execute("CREATE TABLE theirs (id int PRIMARY KEY)");
        // SQLite has no users.
        let Some(user) = User::who_reads(&database) else {
            return;
        };
        let backend = database.backend();
        let name = ServerUrl::parse(user.url()).expect("a good URL").user();
        database.execute(&match backend {
            Backend::Postgres => format!("GRANT CREATE ON SCHEMA public TO {name}"),
            Backend::MySql | Backend::Sqlite => format!(
                "GRANT CREATE, INSERT, UPDATE, DELETE, INDEX ON {}.* TO {name}",
                database.name()
            ),
        });
        let scenario = Scenario::new(
            user.url(),
            &[
                revision("m1_mine", ["CREATE TABLE mine (id int PRIMARY KEY)"]),
                revision(
                    "m2_theirs",
                    [
                        "INSERT INTO mine VALUES (1)",
                        "ALTER TABLE theirs ADD COLUMN note varchar(20)",
                        "INSERT INTO mine VALUES (2)",
                    ],
                ),
                revision("m3_after", ["INSERT INTO mine VALUES (3)"]),
            ],
        );
        let run = scenario.call(1, "upgrade");
        let left = match backend {
            Backend::MySql => "1 statement, done and recorded",
            Backend::Postgres | Backend::Sqlite => "left of it   nothing",
        };
        expect_words(
            &run,
            &[
                "m2_theirs",
                "permission denied",
                "ALTER TABLE theirs",
                left,
                "m1_mine",
                "grant",
            ],
        );
        // Tried once: waiting does not give a privilege.
        assert_eq!(scenario.trail().len(), 2);
        database.execute(&match backend {
            Backend::Postgres => format!("ALTER TABLE theirs OWNER TO {name}"),
            Backend::MySql | Backend::Sqlite => {
                format!("GRANT ALTER ON {}.* TO {name}", database.name())
            }
        });
        scenario.call(0, "upgrade");
        assert_eq!(
            database.rows("SELECT id FROM mine ORDER BY id"),
            texts(&[&["1"], &["2"], &["3"]])
        );
    });
}

#[test]
fn a_user_who_may_not_make_the_history_tables_is_told_so_and_nothing_is_done() {
    on_each_backend(|database| {
        let Some(user) = User::who_reads(&database) else {
            return;
        };
        let scenario = Scenario::new(
            user.url(),
            &[revision("m1_mine", ["CREATE TABLE mine (id int)"])],
        );
        let run = scenario.call(1, "upgrade");
        expect_words(
            &run,
            &["permission denied", "making the history tables", "grant"],
        );
        assert_eq!(crate::calls::tables(&database).len(), 0);
    });
}
