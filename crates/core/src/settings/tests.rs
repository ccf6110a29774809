use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;

use super::*;

const SECRET: &str = "hunter2swordfish";

/// What was given to `resolve`.
#[derive(Default)]
struct Given {
    overrides: Overrides,
    variables: BTreeMap<String, OsString>,
    file: Option<SettingsFile>,
}

impl Given {
    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    fn file(mut self, text: &str) -> Self {
        self.file = Some(SettingsFile {
            path: PathBuf::from("stairway.toml"),
            text: text.to_owned(),
        });
        self
    }

    fn flag(mut self, key: &'static str, value: &str) -> Self {
        self.overrides.set(key, Some(value));
        self
    }

    fn select(mut self, selection: Selection) -> Self {
        self.overrides.selection = selection;
        self
    }

    fn url(mut self, url: &str) -> Self {
        self.overrides.database_url = Some(url.to_owned());
        self
    }

    fn resolve(&self) -> Result<Settings, SettingsError> {
        resolve(
            &self.overrides,
            &|name| self.variables.get(name).cloned(),
            self.file.as_ref(),
        )
    }

    fn config(&self) -> Config {
        self.resolve()
            .unwrap()
            .databases
            .pop()
            .unwrap()
            .config
            .unwrap()
    }

    fn error(&self) -> String {
        self.resolve().unwrap_err().to_string()
    }

    /// Everything that was settled, as text to compare.
    fn settled(&self) -> String {
        let settings = self.resolve().unwrap();
        // Whose `Debug` tells nothing.
        let webhooks: Vec<_> = settings
            .databases
            .iter()
            .filter_map(|database| {
                Some(
                    database
                        .config
                        .as_ref()
                        .ok()?
                        .webhook
                        .url
                        .as_ref()?
                        .reveal(),
                )
            })
            .collect();
        format!(
            "{:?} {:?} {webhooks:?} {:?}",
            settings.databases, settings.log, settings.metrics_file
        )
    }
}

fn given() -> Given {
    Given::default()
}

/// Two values that differ from each other and from the default.
fn examples(setting: &Setting) -> [&'static str; 2] {
    match setting.takes {
        Takes::Duration(..) => ["7s", "1234ms"],
        Takes::Boolean(_) => match setting.default {
            DefaultValue::Written("true") => ["false", "true"],
            _ => ["true", "false"],
        },
        Takes::Count(..) => ["7", "8"],
        Takes::Text(_) | Takes::Path(_) | Takes::Patterns(_) => ["one", "two"],
        Takes::Webhook(_) => ["https://one.example/a", "http://two.example/b"],
        Takes::OneOf(words, _) => [words[1], words[0]],
    }
}

#[test]
fn the_defaults_in_the_table_are_those_of_the_code() {
    let untouched = format!("{:?}", Draft::default());
    for setting in SETTINGS {
        let DefaultValue::Written(default) = setting.default else {
            continue;
        };
        let mut draft = Draft::default();
        setting
            .assign(&mut draft, default, || Origin::Override(setting.key))
            .unwrap();
        if setting.scope == Scope::Process {
            // Nothing said is told apart from the default, which is that of the type.
            assert_eq!(draft.log.format.unwrap_or_default(), LogFormat::default());
            assert_eq!(draft.log.level.unwrap_or_default(), LogLevel::default());
            assert_eq!(draft.log.rotation, LogRotation::default());
        } else {
            assert_eq!(format!("{draft:?}"), untouched, "{}", setting.key);
        }
    }
}

#[test]
fn every_setting_has_names_of_its_own_that_follow_the_rule() {
    for (at, setting) in SETTINGS.iter().enumerate() {
        assert_eq!(
            setting.variable,
            format!("MIGRATION_{}", setting.key.to_uppercase())
        );
        assert!(
            SETTINGS[..at].iter().all(|other| other.key != setting.key),
            "{}",
            setting.key
        );
        assert!(setting.meaning.ends_with('.'), "{}", setting.key);
    }
}

#[test]
fn every_setting_is_taken_from_every_place_and_the_stronger_place_wins() {
    for setting in SETTINGS {
        let [one, two] = examples(setting);
        let nothing = given().settled();
        let by_variable = |value: &str| given().variable(setting.variable, value).settled();
        let (with_one, with_two) = (by_variable(one), by_variable(two));
        assert_ne!(
            with_one, nothing,
            "{} is not taken from the environment",
            setting.key
        );
        assert_ne!(with_one, with_two, "{}", setting.key);

        let line = |value: &str| format!("{} = \"{value}\"\n", setting.key);
        assert_eq!(
            given().file(&line(one)).settled(),
            with_one,
            "{} in the file",
            setting.key
        );
        assert_eq!(
            given()
                .file(&line(one))
                .variable(setting.variable, two)
                .settled(),
            with_two,
            "{}: the environment beats the file",
            setting.key
        );
        assert_eq!(
            given()
                .variable(setting.variable, one)
                .flag(setting.key, two)
                .settled(),
            with_two,
            "{}: the command line beats the environment",
            setting.key
        );
        let in_table = given().file(&format!(
            "{}[databases.default]\nurl = \"sqlite://stairway.db?mode=rwc\"\n{}",
            line(one),
            line(two)
        ));
        match setting.scope {
            Scope::Database => {
                assert_eq!(
                    in_table.settled(),
                    with_two,
                    "{}: the table beats the top of the file",
                    setting.key
                );
            }
            Scope::Process => {
                let error = in_table.error();
                assert!(
                    error.contains("whole process") && error.contains("line 4"),
                    "{error}"
                );
            }
        }
    }
}

#[test]
fn the_documented_variables_have_their_documented_defaults() {
    let settings = given().resolve().unwrap();
    let database = &settings.databases[0];
    let config = database.config.as_ref().unwrap();
    assert_eq!(config.wait_timeout, Duration::from_mins(1));
    assert!(database.fail_on_error);
    assert!(!database.dry_run);
    assert!(!config.backup_before_upgrade);
    let settings = given()
        .variable("DATABASE_URL", "postgres://app@db/shop")
        .variable("MIGRATION_WAIT_TIMEOUT", "120")
        .variable("MIGRATION_FAIL_ON_ERROR", "false")
        .variable("MIGRATION_DRY_RUN", "true")
        .variable("MIGRATION_CREATE_BACKUP", "1")
        .resolve()
        .unwrap();
    let database = &settings.databases[0];
    let config = database.config.as_ref().unwrap();
    assert_eq!(config.wait_timeout, Duration::from_mins(2));
    assert!(!database.fail_on_error);
    assert!(database.dry_run);
    assert!(config.backup_before_upgrade);
    assert!(config.location().contains("db/shop"));
    assert_eq!(settings.notices, Vec::<String>::new());
}

#[test]
fn without_a_url_the_embedded_database_is_used_and_that_is_said() {
    let settings = given().resolve().unwrap();
    assert_eq!(settings.databases[0].name, "default");
    assert_eq!(
        settings.notices,
        ["DATABASE_URL is not set: using the embedded database sqlite://stairway.db?mode=rwc"]
    );
}

#[test]
fn an_empty_url_is_refused_rather_than_taken_for_the_embedded_database() {
    let error = given().variable("DATABASE_URL", " ").error();
    assert!(
        error.starts_with("the environment variable DATABASE_URL is empty"),
        "{error}"
    );
    let error = given().url("").error();
    assert!(error.starts_with("--database-url is empty"), "{error}");
}

#[test]
fn other_empty_variables_say_nothing() {
    assert_eq!(
        given().variable("MIGRATION_WAIT_TIMEOUT", "").settled(),
        given().settled()
    );
}

#[test]
fn the_flag_beats_the_variable_for_the_url() {
    let config = given()
        .variable("DATABASE_URL", "postgres://db/a")
        .url("postgres://db/b")
        .config();
    assert!(config.location().ends_with("db/b"), "{}", config.location());
}

const TWO: &str = r#"
wait_timeout = 90
[databases.shop]
url_env = "SHOP_URL"
create_backup = true
[databases.billing]
url = "sqlite://billing.db?mode=rwc"
wait_timeout = "2m"
"#;

#[test]
fn a_named_database_has_its_own_url_and_policies_over_the_common_ones() {
    let shop = given()
        .file(TWO)
        .variable("SHOP_URL", "mysql://app@db/shop")
        .variable("DATABASE_URL", "postgres://db/other")
        .select(Selection::Named("shop".to_owned()))
        .config();
    assert_eq!(shop.name, "shop");
    assert!(shop.location().ends_with("db/shop"));
    assert!(shop.backup_before_upgrade);
    assert_eq!(shop.wait_timeout, Duration::from_secs(90));
    let billing = given()
        .file(TWO)
        .select(Selection::Named("billing".to_owned()))
        .config();
    assert!(!billing.backup_before_upgrade);
    assert_eq!(billing.wait_timeout, Duration::from_mins(2));
}

#[test]
fn all_databases_come_in_the_order_of_the_file_and_fail_on_their_own() {
    let settings = given().file(TWO).select(Selection::All).resolve().unwrap();
    let names: Vec<&str> = settings
        .databases
        .iter()
        .map(|database| database.name.as_str())
        .collect();
    assert_eq!(names, ["shop", "billing"]);
    assert_eq!(
        settings.databases[0]
            .config
            .as_ref()
            .unwrap_err()
            .to_string(),
        "the environment variable SHOP_URL, from which the database `shop` takes its URL, is not set"
    );
    assert!(settings.databases[1].config.is_ok());
}

#[test]
fn one_of_several_databases_must_be_named() {
    assert_eq!(
        given().file(TWO).error(),
        "the settings file names several databases: shop, billing"
    );
    let error = given()
        .file(TWO)
        .select(Selection::Named("shp".to_owned()))
        .error();
    assert_eq!(
        error,
        "there is no database `shp` in the settings (did you mean `shop`?); there are shop, billing"
    );
    assert_eq!(
        given().select(Selection::All).error(),
        "no settings file names a database"
    );
}

#[test]
fn a_url_in_the_environment_beats_the_only_database_of_the_file() {
    let file = "[databases.shop]\nurl = \"sqlite://shop.db\"\n";
    assert_eq!(given().file(file).config().name, "shop");
    assert_eq!(
        given()
            .file(file)
            .variable("DATABASE_URL", "sqlite://x.db")
            .config()
            .name,
        "default"
    );
    // Unless that is where the file says to look.
    let file = "[databases.shop]\nurl_env = \"DATABASE_URL\"\n";
    assert_eq!(
        given()
            .file(file)
            .variable("DATABASE_URL", "sqlite://x.db")
            .config()
            .name,
        "shop"
    );
}

#[test]
fn without_a_connection_neither_url_nor_database_is_needed() {
    let offline = || {
        given()
            .file(TWO)
            .variable("DATABASE_URL", "nonsense")
            .select(Selection::Offline(None))
    };
    let config = offline()
        .variable("MIGRATION_REVISIONS_DIRECTORY", "here")
        .config();
    assert_eq!(config.revisions_directory, Path::new("here"));
    let named = given()
        .file(TWO)
        .select(Selection::Offline(Some("billing".to_owned())));
    assert_eq!(named.config().wait_timeout, Duration::from_mins(2));
    assert!(
        given()
            .file(TWO)
            .select(Selection::Offline(Some("other".to_owned())))
            .resolve()
            .is_err()
    );
}

#[test]
fn what_is_wrong_in_the_file_is_named_with_its_line_and_what_may_be_meant() {
    let cases = [
        (
            "wait_timeot = 5",
            "stairway.toml, line 1: there is no key `wait_timeot` in the top of the file; did you mean `wait_timeout`?",
        ),
        (
            "\n[databases.shop]\nurl_evn = \"X\"",
            "stairway.toml, line 3: there is no key `url_evn` in [databases.shop]; did you mean `url_env`?",
        ),
        (
            "[database.shop]\n",
            "stairway.toml, line 1: there is no key `database` in the top of the file; did you mean `databases`?",
        ),
        (
            "nothing_like_it = 1",
            "stairway.toml, line 1: there is no key `nothing_like_it` in the top of the file",
        ),
        (
            "url = \"sqlite::memory:\"",
            "stairway.toml, line 1: there is no key `url` in the top of the file; a URL belongs in a table [databases.NAME]",
        ),
        (
            "wait_timeout = true",
            "wait_timeout in stairway.toml, line 1: it takes duration, not a TOML boolean",
        ),
        (
            "dry_run = 1",
            "dry_run in stairway.toml, line 1: it takes `true` or `false`, not a TOML integer",
        ),
        (
            "databases = 1",
            "databases in stairway.toml, line 1: it must hold tables: write [databases.NAME]",
        ),
        (
            "[databases]\nshop = \"x\"",
            "databases.shop in stairway.toml, line 2: it must be a table: write [databases.shop]",
        ),
        (
            "[databases.\"a b\"]\nurl = \"sqlite::memory:\"",
            "a table of `databases` in stairway.toml, line 1: a database's name has 1 to 64 letters, digits, `_`, `-` or `.`",
        ),
        (
            "[databases.shop]\nurl = \"sqlite::memory:\"\nurl_env = \"X\"",
            "databases.shop.url in stairway.toml, line 2: the database has `url_env` as well: give one of them",
        ),
        (
            "[databases.shop]\n",
            "the database `shop` has neither `url_env` nor `url` in the settings file",
        ),
        (
            "max_retry_attempts = -1",
            "max_retry_attempts in stairway.toml, line 1: `-1` is no whole number from 0 to 1000",
        ),
        (
            "pooler = \"pgbouncer\"",
            "pooler in stairway.toml, line 1: `pgbouncer` is none of detect, transaction, direct",
        ),
    ];
    for (file, expected) in cases {
        assert_eq!(given().file(file).error(), expected);
    }
    let syntax = given().file("a = 1\nb = = 2").error();
    assert!(syntax.starts_with("stairway.toml, line 2: "), "{syntax}");
}

#[test]
fn a_url_where_a_name_belongs_is_refused_without_showing_it() {
    let url = format!("postgres://app:{SECRET}@db/shop");
    let errors = [
        given()
            .file(&format!("[databases.shop]\nurl_env = \"{url}\""))
            .error(),
        given().file(&format!("\"{url}\" = 1")).error(),
        given()
            .file(&format!("[databases.\"{url}\"]\nurl = \"x\""))
            .error(),
        given().file(&format!("wait_timeout = \"{url}\"")).error(),
        given().file(&format!("url = \"{url}")).error(),
        given().select(Selection::Named(url.clone())).error(),
        given().variable("MIGRATION_DRY_RUN", &url).error(),
        given().variable("MIGRATION_POOLER", &url).error(),
        given().flag("lock_timeout", &url).error(),
        given()
            .url(&format!("postgrs://app:{SECRET}@db/shop"))
            .error(),
        given()
            .variable(
                "DATABASE_URL",
                &format!("postgres://app:{SECRET}@db:port/shop"),
            )
            .error(),
    ];
    for error in errors {
        assert!(!error.contains(SECRET), "{error}");
    }
}

#[test]
fn values_that_make_no_sense_are_refused_with_their_origin() {
    let cases = [
        ("MIGRATION_WAIT_TIMEOUT", "soon", "`soon` is no duration"),
        ("MIGRATION_WAIT_TIMEOUT", "-5", "`-5` is no duration"),
        (
            "MIGRATION_WAIT_TIMEOUT",
            "99999999999999999999",
            "is longer than a year",
        ),
        (
            "MIGRATION_STATEMENT_LOCK_TIMEOUT",
            "0",
            "is shorter than 1 ms",
        ),
        (
            "MIGRATION_FAIL_ON_ERROR",
            "maybe",
            "`maybe` is neither true nor false",
        ),
        (
            "MIGRATION_MAX_RETRY_ATTEMPTS",
            "1001",
            "no whole number from 0 to 1000",
        ),
        (
            "MIGRATION_BACKUPS_KEPT",
            "0",
            "no whole number from 1 to 1000000",
        ),
        (
            "MIGRATION_HISTORY_TABLE",
            "a\u{1b}[31mb",
            "control characters",
        ),
        ("MIGRATION_BACKUP_DIRECTORY", "a\0b", "null character"),
        (
            "MIGRATION_LOG_FORMAT",
            "xml",
            "`xml` is none of auto, plain, json",
        ),
    ];
    for (variable, value, expected) in cases {
        let error = given().variable(variable, value).error();
        let origin = format!("the environment variable {variable}: ");
        assert!(
            error.starts_with(&origin) && error.contains(expected),
            "{error}"
        );
    }
    let error = given().flag("lock_timeout", "never").error();
    assert!(
        error.starts_with("--lock-timeout: `never` is no duration"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStringExt;
    let mut given = given();
    given
        .variables
        .insert("DATABASE_URL".to_owned(), OsString::from_vec(vec![0xff]));
    assert_eq!(
        given.error(),
        "the environment variable DATABASE_URL is not valid UTF-8"
    );
}

#[test]
fn durations_are_read_in_every_documented_form() {
    let cases = [
        ("60", 60_000),
        (" 5 ", 5_000),
        ("0", 0),
        ("0.5", 500),
        ("30s", 30_000),
        ("2m", 120_000),
        ("1h30m", 5_400_000),
        ("1m 30s", 90_000),
        ("250ms", 250),
        ("2 minutes", 120_000),
        ("1H", 3_600_000),
    ];
    for (text, milliseconds) in cases {
        assert_eq!(
            parse_duration(text),
            Ok(Duration::from_millis(milliseconds)),
            "{text}"
        );
    }
    for wrong in [
        "", " ", "s", "1x", "1.2.3", "1 2", "5s 3", "1e3", "inf", "nan", "-1", "+1", "½", ".",
    ] {
        assert!(parse_duration(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_file_is_found_by_flag_then_variable_then_directory() {
    let directory = tempfile::tempdir().unwrap();
    let none = |_: &str| None;
    assert!(find_file(None, &none, directory.path()).unwrap().is_none());
    std::fs::write(directory.path().join("stairway.toml"), "here").unwrap();
    let other = directory.path().join("other.toml");
    std::fs::write(&other, "other").unwrap();
    let third = directory.path().join("third.toml");
    std::fs::write(&third, "third").unwrap();
    let variable = |name: &str| (name == "STAIRWAY_CONFIG").then(|| other.clone().into_os_string());
    let text = |file: Option<SettingsFile>| file.unwrap().text;
    assert_eq!(
        text(find_file(None, &none, directory.path()).unwrap()),
        "here"
    );
    assert_eq!(
        text(find_file(None, &variable, directory.path()).unwrap()),
        "other"
    );
    assert_eq!(
        text(find_file(Some(&third), &variable, directory.path()).unwrap()),
        "third"
    );
    let missing =
        find_file(Some(Path::new("/nowhere/x.toml")), &none, directory.path()).unwrap_err();
    assert!(
        missing
            .to_string()
            .starts_with("the settings file /nowhere/x.toml, named by --config, can't be read: ")
    );
}

#[test]
fn misspelt_variables_are_found_and_foreign_ones_left_alone() {
    let names = [
        "MIGRATION_WAIT_TIMOUT",
        "MIGRATION_DRYRUN",
        "MIGRATIONS_DRY_RUN",
        "MIGRATION_DRY_RUN",
        "MIGRATION_PORT_8080_TCP_ADDR",
        "MIGRATION_SERVICE_HOST",
        "DATABASE_URL",
        "HOME",
    ];
    let found = misspelt_variables(names.map(str::to_owned));
    assert_eq!(
        found,
        [
            ("MIGRATIONS_DRY_RUN".to_owned(), "MIGRATION_DRY_RUN"),
            ("MIGRATION_DRYRUN".to_owned(), "MIGRATION_DRY_RUN"),
            ("MIGRATION_WAIT_TIMOUT".to_owned(), "MIGRATION_WAIT_TIMEOUT"),
        ]
    );
}

#[test]
fn the_page_of_settings_is_made_from_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/settings.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- settings: begin -->\n", "<!-- settings: end -->");
    let (before, rest) = page.split_once(begin).unwrap();
    let (table, after) = rest.split_once(end).unwrap();
    if std::env::var_os("STAIRWAY_UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{begin}{}{end}{after}", reference())).unwrap();
    } else {
        assert_eq!(
            table,
            reference(),
            "run the test with STAIRWAY_UPDATE_DOCS=1 to write the table anew"
        );
    }
}

/// Text that is close enough to a settings file to get far into the reader.
fn file_text() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("[databases.shop]".to_owned()),
        Just("[databases]".to_owned()),
        Just("url_env = \"SHOP_URL\"".to_owned()),
        Just(format!("url = \"postgres://app:{SECRET}@db/shop\"")),
        Just(format!("url = \"postgres://app:{SECRET}@db:x/shop\"")),
        Just(format!("url = \"postgres://app:{SECRET}@")),
        Just(format!("url_env = \"postgres://app:{SECRET}@db/shop\"")),
        Just(format!(
            "shop = {{ url = \"postgres://app:{SECRET}@db/shop\" }}"
        )),
        (0..SETTINGS.len(), "[a-z0-9\"'\\[\\]{}=.:_-]{0,12}")
            .prop_map(|(at, value)| format!("{} = {value}", SETTINGS[at].key)),
        (0..SETTINGS.len(), "\\PC{0,20}")
            .prop_map(|(at, value)| format!("{} = \"{value}\"", SETTINGS[at].key)),
        "\\PC{0,30}",
    ];
    proptest::collection::vec(line, 0..8).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn nothing_in_file_and_environment_panics_or_gives_the_password_away(
        text in file_text(),
        value in "\\PC{0,24}",
        at in 0..SETTINGS.len(),
        password_in_url in any::<bool>(),
        selection in prop_oneof![
            Just(Selection::Implied), Just(Selection::All), Just(Selection::Named("shop".to_owned())),
            "\\PC{0,12}".prop_map(Selection::Named), Just(Selection::Offline(None)),
        ],
    ) {
        let url = format!("postgres://app:{SECRET}@db{}/shop{value}", if password_in_url { "" } else { ":" });
        let given = given()
            .file(&text)
            .variable(SETTINGS[at].variable, &value)
            .variable("SHOP_URL", &url)
            .variable("DATABASE_URL", &url)
            .select(selection);
        let said = match given.resolve() {
            Ok(settings) => format!("{settings:?} {:?}", settings.notices),
            Err(error) => format!("{error} {error:?} {:?}", error.hint()),
        };
        prop_assert!(!said.contains(SECRET), "{said}");
    }

    #[test]
    fn any_text_is_a_duration_or_an_error(text in "[0-9.a-z \\-+]{0,24}") {
        if let Ok(duration) = parse_duration(&text) {
            prop_assert!(duration <= Duration::from_hours(366 * 24));
        }
    }
}
