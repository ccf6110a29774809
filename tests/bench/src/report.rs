//! The report: Markdown on standard output, progress on standard error.

use std::fmt::Write;

/// What was measured, in sections.
#[derive(Debug, Default)]
pub(crate) struct Report {
    text: String,
    has_columns: bool,
}

impl Report {
    /// Begins a section: a heading, what it measures, and the columns of its table.
    pub(crate) fn section(&mut self, heading: &str, about: &str, columns: &[&str]) {
        say(&format!("measuring: {heading}"));
        // Writing to a String can't fail.
        let _ = writeln!(self.text, "\n## {heading}\n\n{about}\n");
        self.has_columns = false;
        self.row(columns.iter().map(|column| (*column).to_owned()));
        self.row(columns.iter().map(|_| "---".to_owned()));
        self.has_columns = true;
    }

    /// Adds a row to the section's table.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells.into_iter().collect();
        let row = format!("| {} |", cells.join(" | "));
        // Whoever stops it has what was measured until then.
        if self.has_columns {
            say(&row);
        }
        let _ = writeln!(self.text, "{row}");
    }

    /// Prints the report.
    #[expect(clippy::print_stdout, reason = "the report is this program's result")]
    pub(crate) fn print(&self) {
        println!("{}", self.text.trim());
    }
}

/// Says something to the person who waits.
#[expect(clippy::print_stderr, reason = "this is the one place that does")]
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}

/// A ratio and whether it keeps to its bar.
pub(crate) fn against_bar(ratio: f64, bar: f64) -> String {
    let verdict = if ratio <= bar { "within" } else { "**above**" };
    format!("{ratio:.2} ({verdict} {bar:.2})")
}
