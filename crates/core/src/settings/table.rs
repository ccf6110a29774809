//! The one list of settings.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use stairway_plan::filter::{InvalidPattern, Pattern};

use super::error::{Origin, SettingsError};
use super::value::{parse_boolean, parse_count, parse_duration, parse_text, shown};
use super::{CONFIG_FILE, CONFIG_VARIABLE, DATABASE_URL, Draft};
use crate::config::{OrphanPolicy, PoolerPolicy};
use crate::notify::{WEBHOOK_URL, WebhookFormat, WebhookOccasion, WebhookUrl};
use crate::telemetry::{LogFormat, LogLevel};

/// Something that can be set.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its key in the settings file.
    pub key: &'static str,
    /// Its variable in the environment.
    pub variable: &'static str,
    /// Its option on the command line, where it has one.
    pub flag: Option<&'static str>,
    /// What holds when nobody says anything.
    pub default: DefaultValue,
    /// What can stand there, and where it goes.
    pub takes: Takes,
    /// Whether databases can differ in it.
    pub scope: Scope,
    /// What it does, in a sentence or two.
    pub meaning: &'static str,
}

/// What holds when nobody says anything.
#[derive(Clone, Copy, Debug)]
pub enum DefaultValue {
    /// This value, as it would be written.
    Written(&'static str),
    /// Something that depends, in words.
    Described(&'static str),
}

/// Whether databases can differ in a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// May stand at the top of the file, for all databases, and in `[databases.NAME]`.
    Database,
    /// May stand only at the top of the file.
    Process,
}

/// What a setting's value looks like, and where it goes.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// A duration, at least this long.
    Duration(Duration, fn(&mut Draft, Duration)),
    /// `true` or `false`.
    Boolean(fn(&mut Draft, bool)),
    /// A whole number within these bounds.
    Count(u32, u32, fn(&mut Draft, u32)),
    /// A text.
    Text(fn(&mut Draft, String)),
    /// A path, relative to the working directory.
    Path(fn(&mut Draft, PathBuf)),
    /// Names of objects, with commas between.
    Patterns(fn(&mut Draft, Vec<Pattern>)),
    /// An address that nobody else may know.
    Webhook(fn(&mut Draft, WebhookUrl)),
    /// One of these words.
    OneOf(&'static [&'static str], fn(&mut Draft, usize)),
}

impl Takes {
    /// In words, for documentation.
    pub fn describe(&self) -> String {
        match self {
            Self::Duration(..) => "duration".to_owned(),
            Self::Boolean(_) => "`true` or `false`".to_owned(),
            Self::Count(least, most, _) => format!("{least} to {most}"),
            Self::Text(_) => "text".to_owned(),
            Self::Path(_) => "path".to_owned(),
            Self::Patterns(_) => "patterns".to_owned(),
            Self::Webhook(_) => "URL".to_owned(),
            Self::OneOf(words, _) => words
                .iter()
                .map(|word| format!("`{word}`"))
                .collect::<Vec<_>>()
                .join(", "),
        }
    }
}

impl Setting {
    /// Reads a value and puts it in its place.
    pub(super) fn assign(
        &self,
        draft: &mut Draft,
        text: &str,
        origin: impl Fn() -> Origin,
    ) -> Result<(), SettingsError> {
        self.try_assign(draft, text)
            .map_err(|reason| SettingsError::Value {
                origin: origin(),
                reason,
            })
    }

    fn try_assign(&self, draft: &mut Draft, text: &str) -> Result<(), String> {
        match self.takes {
            Takes::Duration(least, put) => {
                let duration = parse_duration(text)?;
                if duration < least {
                    return Err(format!(
                        "{} is shorter than {} ms",
                        shown(text),
                        least.as_millis()
                    ));
                }
                put(draft, duration);
            }
            Takes::Boolean(put) => put(draft, parse_boolean(text)?),
            Takes::Count(least, most, put) => put(draft, parse_count(text, least, most)?),
            Takes::Text(put) => put(draft, parse_text(text)?),
            Takes::Path(put) => put(draft, PathBuf::from(parse_path(text)?)),
            Takes::Patterns(put) => {
                let patterns = text
                    .split(',')
                    .map(str::trim)
                    .filter(|text| !text.is_empty());
                let patterns = patterns
                    .map(str::parse)
                    .collect::<Result<_, InvalidPattern>>();
                put(draft, patterns.map_err(|error| error.to_string())?);
            }
            Takes::Webhook(put) => put(draft, WebhookUrl::parse(text)?),
            Takes::OneOf(words, put) => {
                let word = text.trim().to_ascii_lowercase();
                let Some(at) = words.iter().position(|known| *known == word) else {
                    return Err(format!("{} is none of {}", shown(text), words.join(", ")));
                };
                put(draft, at);
            }
        }
        Ok(())
    }
}

/// A path may be long and keeps its spaces.
fn parse_path(text: &str) -> Result<&str, String> {
    if text.trim().is_empty() {
        Err("it is empty".to_owned())
    } else if text.contains('\0') {
        Err("it contains a null character".to_owned())
    } else {
        Ok(text)
    }
}

/// Everything that can be set, in the order of the documentation.
pub const SETTINGS: &[Setting] = &[
    Setting {
        key: "wait_timeout",
        variable: "MIGRATION_WAIT_TIMEOUT",
        flag: Some("--wait"),
        default: DefaultValue::Written("60s"),
        takes: Takes::Duration(Duration::ZERO, |draft, value| {
            draft.config.wait_timeout = value;
        }),
        scope: Scope::Database,
        meaning: "How long `run`, `wait` and `--wait` wait for a database that does not answer. A wrong password \
                  or an unknown database is not waited for.",
    },
    Setting {
        key: "connect_timeout",
        variable: "MIGRATION_CONNECT_TIMEOUT",
        flag: None,
        default: DefaultValue::Written("10s"),
        takes: Takes::Duration(Duration::from_millis(1), |draft, value| {
            draft.config.connect_timeout = value;
        }),
        scope: Scope::Database,
        meaning: "How long one attempt to connect may take.",
    },
    Setting {
        key: "answer_timeout",
        variable: "MIGRATION_ANSWER_TIMEOUT",
        flag: None,
        default: DefaultValue::Written("60s"),
        takes: Takes::Duration(Duration::from_secs(1), |draft, value| {
            draft.config.answer_timeout = value;
        }),
        scope: Scope::Database,
        meaning: "How long an answer is waited for while the server gives no sign that it works on it: then the \
                  connection counts as lost. A statement that runs may take as long as it needs.",
    },
    Setting {
        key: "fail_on_error",
        variable: "MIGRATION_FAIL_ON_ERROR",
        flag: None,
        default: DefaultValue::Written("true"),
        takes: Takes::Boolean(|draft, value| draft.fail_on_error = value),
        scope: Scope::Database,
        meaning: "With `false`, `run` logs a failed migration and exits 0, so that the service starts all the same. \
                  Wrong settings and interruption by a signal keep their exit codes.",
    },
    Setting {
        key: "dry_run",
        variable: "MIGRATION_DRY_RUN",
        flag: Some("--dry-run"),
        default: DefaultValue::Written("false"),
        takes: Takes::Boolean(|draft, value| draft.dry_run = value),
        scope: Scope::Database,
        meaning: "`upgrade`, `downgrade`, `run` and `stamp` say what they would do, and change nothing.",
    },
    Setting {
        key: "create_backup",
        variable: "MIGRATION_CREATE_BACKUP",
        flag: Some("--backup"),
        default: DefaultValue::Written("false"),
        takes: Takes::Boolean(|draft, value| draft.config.backup_before_upgrade = value),
        scope: Scope::Database,
        meaning: "Write a backup before the first step of an upgrade. If the backup fails nothing is migrated.",
    },
    Setting {
        key: "backup_directory",
        variable: "MIGRATION_BACKUP_DIRECTORY",
        flag: None,
        default: DefaultValue::Written("backups"),
        takes: Takes::Path(|draft, value| draft.config.backup_directory = value),
        scope: Scope::Database,
        meaning: "Where backups are written.",
    },
    Setting {
        key: "backups_kept",
        variable: "MIGRATION_BACKUPS_KEPT",
        flag: None,
        default: DefaultValue::Written("10"),
        takes: Takes::Count(1, 1_000_000, |draft, value| {
            draft.config.backups_kept = value as usize;
        }),
        scope: Scope::Database,
        meaning: "How many backups of a database are kept; older ones are removed after a new one is verified.",
    },
    Setting {
        key: "auto_upgrade",
        variable: "MIGRATION_AUTO_UPGRADE",
        flag: None,
        default: DefaultValue::Written("true"),
        takes: Takes::Boolean(|draft, value| draft.config.auto_upgrade = value),
        scope: Scope::Database,
        meaning: "Whether `run` and the server apply what is pending. With `false` they only look.",
    },
    Setting {
        key: "lock_timeout",
        variable: "MIGRATION_LOCK_TIMEOUT",
        flag: Some("--lock-timeout"),
        default: DefaultValue::Written("10m"),
        takes: Takes::Duration(Duration::ZERO, |draft, value| {
            draft.config.lock_wait_timeout = value;
        }),
        scope: Scope::Database,
        meaning: "How long to wait for another run that holds the migration lock. `0` does not wait.",
    },
    Setting {
        key: "statement_lock_timeout",
        variable: "MIGRATION_STATEMENT_LOCK_TIMEOUT",
        flag: None,
        default: DefaultValue::Written("5s"),
        takes: Takes::Duration(Duration::from_millis(1), |draft, value| {
            draft.config.statement_lock_timeout = value;
        }),
        scope: Scope::Database,
        meaning: "How long a statement of a migration waits for a table lock before it gives up and is tried again, \
                  so that it never keeps the application's queries queueing behind itself.",
    },
    Setting {
        key: "max_retry_attempts",
        variable: "MIGRATION_MAX_RETRY_ATTEMPTS",
        flag: None,
        default: DefaultValue::Written("3"),
        takes: Takes::Count(0, 1_000, |draft, value| {
            draft.config.max_retry_attempts = value;
        }),
        scope: Scope::Database,
        meaning: "How often a run is tried again after a failure that may pass: lock timeout, deadlock, lost \
                  connection, a server that is starting. Other failures are not tried again.",
    },
    Setting {
        key: "retry_delay",
        variable: "MIGRATION_RETRY_DELAY",
        flag: None,
        default: DefaultValue::Written("5s"),
        takes: Takes::Duration(Duration::ZERO, |draft, value| {
            draft.config.retry_delay = value;
        }),
        scope: Scope::Database,
        meaning: "The pause before the first retry; it doubles with each.",
    },
    Setting {
        key: "strict_order",
        variable: "MIGRATION_STRICT_ORDER",
        flag: Some("--strict-order"),
        default: DefaultValue::Written("false"),
        takes: Takes::Boolean(|draft, value| draft.config.plan.strict_order = value),
        scope: Scope::Database,
        meaning: "Refuse to apply a revision that stands below one that is applied already (a late merge). \
                  Otherwise it is applied with a notice.",
    },
    Setting {
        key: "allow_unknown",
        variable: "MIGRATION_ALLOW_UNKNOWN",
        flag: Some("--allow-unknown"),
        default: DefaultValue::Written("false"),
        takes: Takes::Boolean(|draft, value| draft.config.plan.allow_unknown = value),
        scope: Scope::Database,
        meaning: "Apply pending revisions although the database has revisions that this build does not know.",
    },
    Setting {
        key: "single_transaction",
        variable: "MIGRATION_SINGLE_TRANSACTION",
        flag: Some("--single-transaction"),
        default: DefaultValue::Written("false"),
        takes: Takes::Boolean(|draft, value| draft.config.single_transaction = value),
        scope: Scope::Database,
        meaning: "Run all steps in one transaction: all or nothing. Refused where the database or a revision \
                  can't do it.",
    },
    Setting {
        key: "history_table",
        variable: "MIGRATION_HISTORY_TABLE",
        flag: None,
        default: DefaultValue::Described("the migrator's own, `seaql_migrations`"),
        takes: Takes::Text(|draft, value| draft.config.history_table = Some(value)),
        scope: Scope::Database,
        meaning: "The table that holds the applied revisions.",
    },
    Setting {
        key: "history_schema",
        variable: "MIGRATION_HISTORY_SCHEMA",
        flag: None,
        default: DefaultValue::Described("the connection's own"),
        takes: Takes::Text(|draft, value| draft.config.history_schema = Some(value)),
        scope: Scope::Database,
        meaning: "The schema that the history table lies in.",
    },
    Setting {
        key: "pooler",
        variable: "MIGRATION_POOLER",
        flag: None,
        default: DefaultValue::Written("detect"),
        takes: Takes::OneOf(&["detect", "transaction", "direct"], |draft, word| {
            let policies = [
                PoolerPolicy::Detect,
                PoolerPolicy::Transaction,
                PoolerPolicy::Direct,
            ];
            draft.config.pooler = policies[word];
        }),
        scope: Scope::Database,
        meaning: "Whether the connection goes through a pooler such as PgBouncer in transaction mode, where a \
                  session lock protects nothing: find out, yes, or no.",
    },
    Setting {
        key: "orphan",
        variable: "MIGRATION_ORPHAN",
        flag: None,
        default: DefaultValue::Written("wait"),
        takes: Takes::OneOf(&["wait", "cancel"], |draft, word| {
            draft.config.orphan = [OrphanPolicy::Wait, OrphanPolicy::Cancel][word];
        }),
        scope: Scope::Database,
        meaning: "What to do when the server still runs a statement of a run that has died: wait until it ends, or \
                  cancel it.",
    },
    Setting {
        key: "actor",
        variable: "MIGRATION_ACTOR",
        flag: None,
        default: DefaultValue::Described("the operating system's user"),
        takes: Takes::Text(|draft, value| draft.config.actor = value),
        scope: Scope::Database,
        meaning: "Who is written into the audit trail.",
    },
    Setting {
        key: "host",
        variable: "MIGRATION_HOST",
        flag: None,
        default: DefaultValue::Described("this machine's name"),
        takes: Takes::Text(|draft, value| draft.config.host = value),
        scope: Scope::Database,
        meaning: "The machine that is written into the audit trail.",
    },
    Setting {
        key: "application_version",
        variable: "MIGRATION_APPLICATION_VERSION",
        flag: None,
        default: DefaultValue::Described("none"),
        takes: Takes::Text(|draft, value| draft.config.application_version = Some(value)),
        scope: Scope::Database,
        meaning: "The application's version that is written into the audit trail.",
    },
    Setting {
        key: "revisions_directory",
        variable: "MIGRATION_REVISIONS_DIRECTORY",
        flag: Some("--directory"),
        default: DefaultValue::Written("migration/src/revisions"),
        takes: Takes::Path(|draft, value| draft.config.revisions_directory = value),
        scope: Scope::Database,
        meaning: "Where `create` and `merge` write revision files.",
    },
    Setting {
        key: "compare_include",
        variable: "MIGRATION_COMPARE_INCLUDE",
        flag: Some("--include"),
        default: DefaultValue::Described("everything"),
        takes: Takes::Patterns(|draft, patterns| draft.config.compare.include = patterns),
        scope: Scope::Database,
        meaning: "What takes part where schemas are compared, with commas between: `NAME`, `SCHEMA.NAME` or `KIND:NAME`, with `*` and `?`.",
    },
    Setting {
        key: "compare_exclude",
        variable: "MIGRATION_COMPARE_EXCLUDE",
        flag: Some("--exclude"),
        default: DefaultValue::Described("nothing"),
        takes: Takes::Patterns(|draft, patterns| draft.config.compare.exclude = patterns),
        scope: Scope::Database,
        meaning: "What is left out where schemas are compared, likewise: what belongs to someone else.",
    },
    Setting {
        key: "webhook_url",
        variable: WEBHOOK_URL,
        flag: None,
        default: DefaultValue::Described("none"),
        takes: Takes::Webhook(|draft, value| draft.config.webhook.url = Some(value)),
        scope: Scope::Database,
        meaning: "Where `run`, `upgrade` and the server's start-up send a message when they end. A secret: it is never shown. A message \
                  that can't be delivered is a warning and changes nothing else.",
    },
    Setting {
        key: "webhook_format",
        variable: "MIGRATION_WEBHOOK_FORMAT",
        flag: None,
        default: DefaultValue::Written("json"),
        takes: Takes::OneOf(WebhookFormat::NAMES, |draft, word| {
            draft.config.webhook.format = WebhookFormat::ALL[word];
        }),
        scope: Scope::Database,
        meaning: "The form of the message: JSON with all that is known, or the text that Slack and its likes take.",
    },
    Setting {
        key: "webhook_on",
        variable: "MIGRATION_WEBHOOK_ON",
        flag: None,
        default: DefaultValue::Written("changes"),
        takes: Takes::OneOf(WebhookOccasion::NAMES, |draft, word| {
            draft.config.webhook.tells_of = WebhookOccasion::ALL[word];
        }),
        scope: Scope::Database,
        meaning: "Which runs are told of: those that failed or applied something, only those that failed, or all.",
    },
    Setting {
        key: "webhook_timeout",
        variable: "MIGRATION_WEBHOOK_TIMEOUT",
        flag: None,
        default: DefaultValue::Written("10s"),
        takes: Takes::Duration(Duration::from_millis(1), |draft, value| {
            draft.config.webhook.timeout = value;
        }),
        scope: Scope::Database,
        meaning: "How long delivering the message may take in all; it is tried up to three times.",
    },
    Setting {
        key: "log_format",
        variable: "MIGRATION_LOG_FORMAT",
        flag: Some("--log-format"),
        default: DefaultValue::Written("auto"),
        takes: Takes::OneOf(&["auto", "plain", "json"], |draft, word| {
            draft.log.format = Some([LogFormat::Auto, LogFormat::Plain, LogFormat::Json][word]);
        }),
        scope: Scope::Process,
        meaning: "The form of log lines on standard error: plain on a terminal and JSON otherwise, plain, or JSON. \
                  On the command line `auto` means JSON only for `run`.",
    },
    Setting {
        key: "log_level",
        variable: "MIGRATION_LOG_LEVEL",
        flag: None,
        default: DefaultValue::Written("info"),
        takes: Takes::OneOf(
            &["error", "warn", "info", "debug", "trace"],
            |draft, word| {
                draft.log.level = Some(LogLevel::ALL[word]);
            },
        ),
        scope: Scope::Process,
        meaning: "The least urgent level that is logged; `debug` shows every statement. `-v` and `-q` beat it.",
    },
    Setting {
        key: "log_file",
        variable: "MIGRATION_LOG_FILE",
        flag: Some("--log-file"),
        default: DefaultValue::Described("none"),
        takes: Takes::Path(|draft, value| draft.log.file = Some(value)),
        scope: Scope::Process,
        meaning: "A file to which the log is appended as JSON lines, besides standard error.",
    },
    Setting {
        key: "log_file_size",
        variable: "MIGRATION_LOG_FILE_SIZE",
        flag: None,
        default: DefaultValue::Written("100"),
        takes: Takes::Count(0, 1_000_000, |draft, mebibytes| {
            draft.log.rotation.max_bytes = u64::from(mebibytes) << 20;
        }),
        scope: Scope::Process,
        meaning: "How many MiB the log file may have before it is put aside as `<file>.1`; older ones move up. \
                  `0` never puts it aside.",
    },
    Setting {
        key: "log_files_kept",
        variable: "MIGRATION_LOG_FILES_KEPT",
        flag: None,
        default: DefaultValue::Written("5"),
        takes: Takes::Count(0, 1_000, |draft, files| draft.log.rotation.kept = files),
        scope: Scope::Process,
        meaning: "How many log files are kept besides the one that is written.",
    },
    Setting {
        key: "metrics_file",
        variable: "MIGRATION_METRICS_FILE",
        flag: None,
        default: DefaultValue::Described("none"),
        takes: Takes::Path(|draft, path| draft.metrics_file = Some(path)),
        scope: Scope::Process,
        meaning: "A file to which `run`, `upgrade` and `downgrade` write their metrics when they end, for the \
                  textfile collector of Prometheus' node exporter. Its name has to end in `.prom`.",
    },
];

/// The most similar of the candidates, if it is at least so similar (1 is the same).
pub(super) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    least: f64,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::normalized_damerau_levenshtein(word, candidate),
                candidate,
            )
        })
        .filter(|(likeness, _)| *likeness >= least)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// The settings as a Markdown table, for `docs/settings.md`.
pub fn reference() -> String {
    let mut text = String::from(
        "| environment | `stairway.toml` | option | value | default | what it does |\n",
    );
    text.push_str("|---|---|---|---|---|---|\n");
    let rows = [
        format!(
            "| `{DATABASE_URL}` | `url_env`, `url` | `--database-url` | URL | the embedded SQLite file \
             `stairway.db` | Where the database is. In the file, only in `[databases.NAME]`. |"
        ),
        format!(
            "| `{CONFIG_VARIABLE}` | | `--config` | path | `{CONFIG_FILE}` in the working directory, if there is \
             one | The settings file. |"
        ),
    ];
    for row in rows {
        text.push_str(&row);
        text.push('\n');
    }
    for setting in SETTINGS {
        let flag = setting
            .flag
            .map(|flag| format!("`{flag}`"))
            .unwrap_or_default();
        let default = match setting.default {
            DefaultValue::Written(value) => format!("`{value}`"),
            DefaultValue::Described(words) => words.to_owned(),
        };
        let only_top = match setting.scope {
            Scope::Database => "",
            Scope::Process => " (top of the file only)",
        };
        let _ = writeln!(
            text,
            "| `{}` | `{}`{only_top} | {flag} | {} | {default} | {} |",
            setting.variable,
            setting.key,
            setting.takes.describe(),
            setting.meaning
        );
    }
    text
}
