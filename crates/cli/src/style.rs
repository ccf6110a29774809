//! How text looks: colours, columns, durations. Everything here returns text and prints nothing.

use std::fmt::Write as _;

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};
use chrono::{DateTime, Utc};
use stairway_core::plan::plan::Direction;
use stairway_core::plan::revision::RevisionId;

pub(crate) const HEADING: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const REVISION: Style = AnsiColor::Cyan.on_default();

/// Text in a style. Whether it is shown in colour is decided where it is written.
pub(crate) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// A revision's id, safe to show.
pub(crate) fn revision(id: &RevisionId) -> String {
    paint(REVISION, &visible(id.as_str()))
}

/// Revisions with commas between, for a sentence that is made safe to show as a whole.
pub(crate) fn names(ids: &[RevisionId]) -> String {
    ids.iter()
        .map(RevisionId::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Revisions with commas between, safe to show; `nothing` if there are none.
pub(crate) fn revisions(ids: &[RevisionId]) -> String {
    if ids.is_empty() {
        return "nothing".to_owned();
    }
    ids.iter().map(revision).collect::<Vec<_>>().join(", ")
}

pub(crate) fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Upgrade => "upgrade",
        Direction::Downgrade => "downgrade",
    }
}

/// Text from a database, a file or another program, safe to show on a terminal: what steers a
/// terminal or reorders its text is written out.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.chars().any(steers) {
        return Cow::Borrowed(text);
    }
    let escaped = |c: char| match c {
        '\n' => "\\n".to_owned(),
        '\t' => " ".to_owned(),
        c if steers(c) => c.escape_unicode().to_string(),
        c => c.to_string(),
    };
    Cow::Owned(text.chars().map(escaped).collect())
}

/// `12 ms`, `1.3 s`, `2 min 05 s`.
pub(crate) fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100),
        _ => format!(
            "{} min {:02} s",
            milliseconds / 60_000,
            milliseconds % 60_000 / 1_000
        ),
    }
}

/// `2026-01-31 09:05:00 UTC`.
pub(crate) fn time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// `1 revision`, `2 revisions`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Lines `name  value`, values below one another; a value of several lines stays in its column.
pub(crate) struct Facts(Vec<(&'static str, String)>);

impl Facts {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn add(&mut self, name: &'static str, value: impl Into<String>) -> &mut Self {
        self.0.push((name, value.into()));
        self
    }

    pub(crate) fn text(&self) -> String {
        let width = self.0.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let mut text = String::new();
        for (name, value) in &self.0 {
            for (at, line) in value.lines().enumerate() {
                let name = if at == 0 {
                    format!("{name:<width$}")
                } else {
                    " ".repeat(width)
                };
                let _ = writeln!(text, "{}  {line}", paint(HEADING, &name));
            }
        }
        text
    }
}

/// Rows below one another. The last column is not padded.
pub(crate) struct Table {
    heading: Vec<&'static str>,
    rows: Vec<Row>,
}

enum Row {
    Cells(Vec<Cell>),
    Aside(Cell),
}

/// One cell: its text and how it looks.
pub(crate) struct Cell {
    text: String,
    style: Style,
}

/// A cell that looks plain.
pub(crate) fn plain(text: impl Into<String>) -> Cell {
    Cell {
        text: text.into(),
        style: Style::new(),
    }
}

/// A cell in a style.
pub(crate) fn styled(style: Style, text: impl Into<String>) -> Cell {
    Cell {
        text: text.into(),
        style,
    }
}

impl Table {
    pub(crate) fn new(heading: &[&'static str]) -> Self {
        Self {
            heading: heading.to_vec(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(Row::Cells(cells));
    }

    /// Words about the row above, on a line of their own below its second column.
    pub(crate) fn aside(&mut self, style: Style, text: impl Into<String>) {
        self.rows.push(Row::Aside(styled(style, text)));
    }

    pub(crate) fn text(&self) -> String {
        let width_of = |text: &str| text.chars().count();
        let widths: Vec<usize> = (0..self.heading.len())
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| match row {
                    Row::Cells(cells) => cells.get(column),
                    Row::Aside(_) => None,
                });
                cells
                    .map(|cell| width_of(&cell.text))
                    .chain([width_of(self.heading[column])])
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let line = |cells: &mut dyn Iterator<Item = (String, Style)>| {
            let mut line = String::new();
            let mut pending = 0;
            for (column, (text, style)) in cells.enumerate() {
                line.push_str(&" ".repeat(pending));
                line.push_str(&if text.is_empty() {
                    String::new()
                } else {
                    paint(style, &text)
                });
                pending = widths[column].saturating_sub(width_of(&text)) + 2;
            }
            // Whatever is left pending would be trailing space.
            format!("{}\n", line.trim_end())
        };
        let mut text = line(&mut self.heading.iter().map(|name| ((*name).to_owned(), DIM)));
        for row in &self.rows {
            match row {
                Row::Cells(cells) => text.push_str(&line(
                    &mut cells.iter().map(|cell| (cell.text.clone(), cell.style)),
                )),
                Row::Aside(cell) => {
                    let indent = " ".repeat(widths.first().map_or(0, |width| width + 2));
                    let _ = writeln!(text, "{indent}{}", paint(cell.style, &cell.text));
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        let shown: Vec<String> = [0, 999, 1_000, 59_999, 60_000, 125_000]
            .map(duration)
            .to_vec();
        assert_eq!(
            shown,
            [
                "0 ms",
                "999 ms",
                "1.0 s",
                "59.9 s",
                "1 min 00 s",
                "2 min 05 s"
            ]
        );
    }

    #[test]
    fn hostile_text_cannot_steer_the_terminal() {
        assert_eq!(
            visible("a\u{1b}[2Jb\r\u{202e}c"),
            "a\\u{1b}[2Jb\\u{d}\\u{202e}c"
        );
        assert_eq!(visible("plain"), "plain");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_lines_end_without_space() {
        let mut table = Table::new(&["a", "long heading", "c"]);
        table.row(vec![plain("wide cell"), plain("x"), plain("")]);
        table.row(vec![plain("é"), plain("y"), plain("z")]);
        let text = anstream::adapter::strip_str(&table.text()).to_string();
        assert_eq!(
            text,
            "a          long heading  c\nwide cell  x\né          y             z\n"
        );
    }
}
