//! `schema inspect`: one schema as data, SQL or a list.

use std::fmt::Write as _;

use clap::Args;
use serde_json::Value;
use stairway_core::DatabaseSource;
use stairway_core::plan::dialect::rules;
use stairway_core::plan::schema::Schema;
use stairway_core::settings::Overrides;
use stairway_core::side::Side;

use crate::commands::{Execute, Needs};
use crate::comparison::{FilterArguments, filter, sources};
use crate::error::CommandError;
use crate::report::{Outcome, Report};
use crate::session::Session;
use crate::style::{DIM, HEADING, paint, visible};

/// Print the schema of a database
///
/// Prints the schema, read from its catalogue: as a list, as JSON, or as the SQL that
/// makes it in an empty database. Only reads.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stairway schema inspect
  stairway schema inspect --database-url postgres://localhost/shop --output json
  stairway schema inspect --of entities --output sql      what the entities mean, as SQL")]
pub(crate) struct Arguments {
    /// What to print instead of the database: a database URL, an SQL file, `entities` or `revisions`
    #[arg(long, value_name = "SIDE")]
    of: Option<String>,
    #[command(flatten)]
    filter: FilterArguments,
}

struct InspectReport {
    schema: Schema,
}

impl Execute for Arguments {
    fn needs(&self) -> Needs {
        Needs::OneDatabase
    }

    fn overrides(&self, overrides: &mut Overrides) {
        self.filter.overrides(overrides);
    }

    async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        let sources = sources(session)?;
        let side = match &self.of {
            Some(text) => Side::parse(text).map_err(stairway_core::Error::from)?,
            None => match &session.manager()?.config().database {
                DatabaseSource::Url(url) => Side::Database(url.clone()),
                DatabaseSource::Connection(_) => {
                    return Err(CommandError::usage("there is no database URL to read from"));
                }
            },
        };
        let mut schema = sources.read(&side, None).await?;
        filter(session).apply(&mut schema);
        Ok(Outcome::done(InspectReport { schema }))
    }
}

impl Report for InspectReport {
    fn json(&self) -> serde_json::Result<Value> {
        crate::report::versioned(&self.schema)
    }

    fn text(&self) -> String {
        let schema = &self.schema;
        let mut text = String::new();
        let mut heading = |kind: &str, names: Vec<String>| {
            if !names.is_empty() {
                let _ = writeln!(text, "{}", paint(HEADING, kind));
                for name in names {
                    let _ = writeln!(text, "  {}", visible(&name));
                }
            }
        };
        heading("schemas", schema.namespaces.keys().cloned().collect());
        heading("extensions", schema.extensions.keys().cloned().collect());
        heading(
            "enums",
            schema
                .enums
                .values()
                .map(|e| format!("{} ({})", schema.short_name(&e.name), e.values.join(", ")))
                .collect(),
        );
        heading(
            "domains",
            schema
                .domains
                .keys()
                .map(|name| schema.short_name(name))
                .collect(),
        );
        let composites = schema.composites.keys();
        heading(
            "composite types",
            composites.map(|name| schema.short_name(name)).collect(),
        );
        let ranges = schema.ranges.values();
        heading(
            "range types",
            ranges
                .map(|range| {
                    let subtype = range.subtype.short(schema.default_schema.as_deref());
                    format!("{} ({subtype})", schema.short_name(&range.name))
                })
                .collect(),
        );
        heading(
            "sequences",
            schema
                .sequences
                .keys()
                .map(|name| schema.short_name(name))
                .collect(),
        );
        let functions = schema.functions.keys().map(|name| schema.short_name(name));
        heading("functions", functions.collect());
        heading(
            "views",
            schema
                .views
                .keys()
                .map(|name| schema.short_name(name))
                .collect(),
        );
        let mut tables = Vec::new();
        for table in schema.tables.values() {
            tables.push(schema.short_name(&table.name));
            for column in &table.columns {
                let mut words = format!("  {} {}", column.name, column.column_type.text);
                if !column.nullable {
                    words.push_str(" not null");
                }
                if let Some(default) = &column.default {
                    let _ = write!(words, " default {default}");
                }
                tables.push(words);
            }
            tables.extend(table.indexes.keys().map(|name| format!("  index {name}")));
        }
        heading("tables", tables);
        for object in &schema.not_compared {
            let _ = writeln!(
                text,
                "{}",
                paint(
                    DIM,
                    &format!("takes no part in comparisons: {}", visible(object))
                )
            );
        }
        if text.is_empty() {
            text.push_str("nothing\n");
        }
        text
    }

    fn sql(&self) -> Option<String> {
        let rules = rules(self.schema.dialect);
        let mut script = String::new();
        for statement in rules.render_schema(&self.schema) {
            script.push_str(&rules.script_statement(&statement));
            script.push('\n');
        }
        Some(script)
    }
}
