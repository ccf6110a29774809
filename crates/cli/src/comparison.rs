//! Comparing two sides, for the commands that do: their common options, and how a difference looks.

use std::fmt::Write as _;

use std::path::PathBuf;

use clap::Args;
use stairway_core::plan::diff::{Answers, Difference, PureJudge, Questioner, RenameSubject};
use stairway_core::plan::filter::Filter;
use stairway_core::plan::op::{Origin, Risk};
use stairway_core::plan::render::difference::reversed;
use stairway_core::plan::schema::ObjectName;
use stairway_core::settings::Overrides;
use stairway_core::side::{Compared, Side, Sources};
use stairway_core::{DatabaseSource, Error};

use crate::error::CommandError;
use crate::session::Session;
use crate::style::{BAD, DIM, GOOD, HEADING, WARN, count, paint, visible};

/// Which objects take part.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct FilterArguments {
    /// Compare only these: NAME, SCHEMA.NAME or KIND:NAME, with `*` and `?`; may be repeated
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    include: Vec<String>,
    /// Leave these out, likewise
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    exclude: Vec<String>,
}

impl FilterArguments {
    pub(crate) fn overrides(&self, overrides: &mut Overrides) {
        let joined = |patterns: &[String]| (!patterns.is_empty()).then(|| patterns.join(","));
        overrides.set("compare_include", joined(&self.include).as_ref());
        overrides.set("compare_exclude", joined(&self.exclude).as_ref());
    }
}

/// What only a person knows.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct AnswerArguments {
    /// It is a rename: `users.name=full_name`, or `person=people` for a table; may be repeated
    #[arg(long, value_name = "OLD=NEW")]
    rename: Vec<String>,
    /// What existing rows get in a new column that takes no NULL: users.bio='' (an SQL expression)
    #[arg(long, value_name = "COLUMN=SQL")]
    fill: Vec<String>,
    /// A file with a line `rename OLD=NEW` or `fill COLUMN=SQL` for each answer
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
}

impl AnswerArguments {
    pub(crate) fn answers(&self) -> Result<Answers, CommandError> {
        let mut answers = Answers::new();
        let usage = |error: &dyn std::fmt::Display| CommandError::usage(error.to_string());
        if let Some(path) = &self.answers {
            let text = std::fs::read_to_string(path).map_err(|source| Error::File {
                doing: "reading the answers in",
                path: path.clone(),
                source,
            })?;
            for (number, line) in text.lines().enumerate() {
                let line = line.trim();
                if line.is_empty() || line.starts_with('#') {
                    continue;
                }
                let added = match line.split_once(char::is_whitespace) {
                    Some(("rename", answer)) => answers.add_rename(answer.trim()),
                    Some(("fill", answer)) => answers.add_fill(answer.trim()),
                    _ => {
                        return Err(CommandError::usage(format!(
                            "{}, line {}: an answer begins with `rename` or `fill`",
                            path.display(),
                            number + 1
                        )));
                    }
                };
                added.map_err(|error| {
                    usage(&format!("{}, line {}: {error}", path.display(), number + 1))
                })?;
            }
        }
        for text in &self.rename {
            answers.add_rename(text).map_err(|error| usage(&error))?;
        }
        for text in &self.fill {
            answers.add_fill(text).map_err(|error| usage(&error))?;
        }
        Ok(answers)
    }
}

/// What sides are made of in this session; scratch databases go to the configured server.
pub(crate) fn sources(session: &Session<'_>) -> Result<Sources, CommandError> {
    let manager = session.manager()?;
    let server = match &manager.config().database {
        DatabaseSource::Url(url) => url.clone(),
        DatabaseSource::Connection(_) => {
            return Err(CommandError::usage(
                "there is no database URL to make scratch databases with",
            ));
        }
    };
    let mut sources = Sources::new(server);
    sources.migrations = Some(manager.migrations().clone());
    sources.entities.clone_from(&session.entities);
    let history_table = manager.config().history_table.clone();
    sources.inspect.history_table =
        Some(history_table.unwrap_or_else(|| manager.migrations().history_table().to_owned()));
    Ok(sources)
}

/// What takes part.
pub(crate) fn filter(session: &Session<'_>) -> Filter {
    session
        .manager()
        .map(|manager| manager.config().compare.clone())
        .unwrap_or_default()
}

/// Reads both sides and compares them.
pub(crate) async fn compare(
    session: &Session<'_>,
    from: &Side,
    to: &Side,
    questioner: &(dyn Questioner + Sync),
) -> Result<Compared, CommandError> {
    let filter = filter(session);
    let named = from.url().or(to.url());
    let sources = match (sources(session), named) {
        (Ok(sources), None) => sources,
        (Ok(sources), Some(url)) => Sources {
            server: url.clone(),
            ..sources
        },
        // Two databases need no revisions, and are compared even if these make no graph.
        (Err(_), Some(url))
            if !matches!((from, to), (Side::Revisions, _) | (_, Side::Revisions)) =>
        {
            Sources::new(url.clone())
        }
        (Err(error), _) => return Err(error),
    };
    let compared = sources.compare(from, to, &filter, questioner).await?;
    for remark in &compared.remarks {
        session.console.warning(remark);
    }
    Ok(compared)
}

/// Names the answers that met nothing: they may be misspelt.
pub(crate) fn name_unused(session: &Session<'_>, answers: &Answers, difference: &Difference) {
    for answer in answers.unused_in(difference) {
        session.console.warning(&format!(
            "the answer `{answer}` met nothing that it could be about"
        ));
    }
}

/// The difference turned round.
pub(crate) fn way_back(compared: &Compared, answers: &Answers) -> Result<Difference, CommandError> {
    let judged = stairway_core::plan::diff::diff(
        &compared.to,
        &compared.from,
        &compared.options,
        &PureJudge,
        &TurnedRound(answers),
    )
    .map_err(|error| CommandError::usage(error.to_string()))?;
    Ok(reversed(&compared.difference, &compared.to, Some(&judged)))
}

/// The answers, for the comparison the other way round.
struct TurnedRound<'a>(&'a Answers);

impl Questioner for TurnedRound<'_> {
    fn is_stated_rename(&self, subject: &RenameSubject) -> bool {
        self.0.is_stated_rename(&match subject.clone() {
            RenameSubject::Table { from, to } => RenameSubject::Table { from: to, to: from },
            RenameSubject::Column { table, from, to } => RenameSubject::Column {
                table,
                from: to,
                to: from,
            },
            RenameSubject::EnumValue {
                enum_type,
                from,
                to,
            } => RenameSubject::EnumValue {
                enum_type,
                from: to,
                to: from,
            },
        })
    }

    fn has_stated_renames(&self) -> bool {
        self.0.has_stated_renames()
    }

    fn is_rename(&self, _subject: &RenameSubject, _likeness: f64) -> bool {
        false
    }

    fn fill_value(&self, table: &ObjectName, column: &str) -> Option<String> {
        self.0.fill_value(table, column)
    }
}

/// A difference for people.
pub(crate) fn summary(difference: &Difference) -> String {
    let mut text = String::new();
    for change in &difference.changes {
        let sign = change.description.chars().next().unwrap_or(' ');
        let style = match sign {
            '+' => GOOD,
            '-' => BAD,
            _ => WARN,
        };
        let mut lines = change.description.lines();
        let first = visible(lines.next().unwrap_or_default()).into_owned();
        let rest = first.strip_prefix(sign).unwrap_or(&first);
        let _ = write!(text, "{}{rest}", paint(style, &sign.to_string()));
        let risk = match change.risk {
            Risk::Safe => None,
            Risk::Rewrites => Some((WARN, "rewrites the table")),
            Risk::MayFail => Some((WARN, "may fail on data")),
            Risk::DataLoss => Some((BAD, "data loss")),
        };
        if let Some((style, words)) = risk {
            let _ = write!(text, "  {}", paint(style, &format!("[{words}]")));
        }
        if let Origin::InTheWay { object } = &change.origin {
            text.push_str(&paint(
                DIM,
                &format!("  (in the way of {})", visible(object)),
            ));
        }
        text.push('\n');
        for line in lines {
            let _ = writeln!(text, "  {}", visible(line));
        }
        for note in &change.notes {
            let _ = writeln!(text, "    {}", paint(DIM, &visible(note)));
        }
    }
    if difference.changes.is_empty() {
        let _ = writeln!(text, "{} no difference", paint(GOOD, "ok:"));
    } else {
        let _ = writeln!(text, "{}", count(difference.changes.len(), "change"));
    }
    for (heading, lines) in [
        ("not compared", &difference.not_compared),
        ("left as it is", &difference.notes),
    ] {
        if !lines.is_empty() {
            let _ = writeln!(text, "{}", paint(HEADING, &format!("{heading}:")));
            for line in lines {
                let _ = writeln!(text, "  {}", visible(line));
            }
        }
    }
    text
}
