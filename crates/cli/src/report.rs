//! What commands return: values with a form for programs and one for people. Nothing here prints.

mod revisions;
mod run;

use serde::Serialize;
use serde_json::{Map, Value};

pub(crate) use revisions::RevisionList;
pub(crate) use run::RunView;

/// A command's result.
pub(crate) trait Report: Send {
    /// For programs; `docs/json/` documents each form.
    fn json(&self) -> serde_json::Result<Value>;

    /// For people, with styles, ending in a line feed; empty if there is nothing to say.
    fn text(&self) -> String;

    /// As a script for the database's own client, where the result is one.
    fn sql(&self) -> Option<String> {
        None
    }
}

/// What a command came to: its result, and its exit code where that depends on the result.
pub(crate) struct Outcome {
    pub(crate) report: Box<dyn Report>,
    pub(crate) code: u8,
}

impl Outcome {
    /// A result after which all is well.
    pub(crate) fn done(report: impl Report + 'static) -> Self {
        Self::with_code(report, crate::exit_code::DONE)
    }

    /// A result with an exit code.
    pub(crate) fn with_code(report: impl Report + 'static, code: u8) -> Self {
        Self {
            report: Box::new(report),
            code,
        }
    }
}

/// A JSON object that begins with the version of its form.
pub(crate) fn versioned(value: &impl Serialize) -> serde_json::Result<Value> {
    let mut object = Map::new();
    object.insert("schema_version".to_owned(), Value::from(1));
    if let Value::Object(fields) = serde_json::to_value(value)? {
        object.extend(fields);
    }
    Ok(Value::Object(object))
}

/// A script, a drawing, a list: text that is its own form. `name` is its key in JSON.
pub(crate) struct TextReport {
    pub(crate) name: &'static str,
    pub(crate) text: String,
}

impl Report for TextReport {
    fn json(&self) -> serde_json::Result<Value> {
        versioned(&Map::from_iter([(
            self.name.to_owned(),
            Value::from(self.text.as_str()),
        )]))
    }

    fn text(&self) -> String {
        let mut text = self.text.clone();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text
    }
}
