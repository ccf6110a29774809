//! Asking a person what comparing schemas can't find out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use stairway_core::plan::diff::{Answers, Questioner, RenameSubject};
use stairway_core::plan::schema::ObjectName;

use crate::printer::Console;

/// Answers given beforehand, and on a terminal a person for the rest. Each question is asked once,
/// however often the comparison comes back to it.
pub(crate) struct Asking<'a> {
    answers: Answers,
    console: &'a Arc<Console>,
    renames: Mutex<BTreeMap<RenameSubject, bool>>,
    fills: Mutex<BTreeMap<(ObjectName, String), Option<String>>>,
}

impl<'a> Asking<'a> {
    pub(crate) fn new(answers: Answers, console: &'a Arc<Console>) -> Self {
        Self {
            answers,
            console,
            renames: Mutex::default(),
            fills: Mutex::default(),
        }
    }
}

impl Questioner for Asking<'_> {
    fn is_stated_rename(&self, subject: &RenameSubject) -> bool {
        self.answers.is_stated_rename(subject)
    }

    fn has_stated_renames(&self) -> bool {
        self.answers.has_stated_renames()
    }

    fn is_rename(&self, subject: &RenameSubject, _likeness: f64) -> bool {
        if !self.console.can_ask() {
            return false;
        }
        let mut known = self.renames.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(subject.clone()).or_insert_with(|| {
            let question = match subject {
                RenameSubject::Table { from, to } => {
                    let (from, to) = (short(from), short(to));
                    format!("Was the table {from} renamed to {to}?")
                }
                RenameSubject::Column { table, from, to } => {
                    format!("Was the column {}.{from} renamed to {to}?", short(table))
                }
                RenameSubject::EnumValue {
                    enum_type,
                    from,
                    to,
                } => {
                    format!(
                        "Was the value {from} of {} renamed to {to}?",
                        short(enum_type)
                    )
                }
            };
            // Whoever can't be asked has not said yes.
            self.console.ask(&question).unwrap_or(false)
        })
    }

    fn fill_value(&self, table: &ObjectName, column: &str) -> Option<String> {
        if let Some(stated) = self.answers.fill_value(table, column) {
            return Some(stated);
        }
        if !self.console.can_ask() {
            return None;
        }
        let mut known = self.fills.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = known.entry((table.clone(), column.to_owned())).or_insert_with(|| {
            let question = format!(
                "{}.{column} takes no NULL and has no default. What do existing rows get, as SQL? (empty: decide \
                 in the file)",
                short(table)
            );
            self.console.ask_for(&question).unwrap_or(None)
        });
        answer.clone()
    }
}

/// The name as people write it: PostgreSQL's usual schema is left out.
fn short(name: &ObjectName) -> String {
    name.relative_to(Some("public"))
}
