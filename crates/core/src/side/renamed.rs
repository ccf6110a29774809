//! What an entity says of the former name of a column (`renamed_from`).
//!
//! sea-orm keeps it in the column's comment, which only MySQL's form of `CREATE TABLE` has. So it is
//! read from that form for every database, and taken out of it, since nobody wants it for a comment.

use std::ops::Range;

use stairway_plan::diff::{Questioner, RenameSubject};
use stairway_plan::schema::ObjectName;

/// A column that had another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Renamed {
    table: String,
    from: String,
    to: String,
}

const MARK: &str = "renamed_from \\\"";

/// The renames in MySQL's form of a statement, and the statement without them.
pub(super) fn taken_out(statement: &str) -> (Vec<Renamed>, String) {
    let mut found = Vec::new();
    let mut rest = statement.to_owned();
    if !statement.starts_with("CREATE TABLE ") || !statement.contains(MARK) {
        return (found, rest);
    }
    let Some(table) = table_of(statement) else {
        return (found, rest);
    };
    let mut cuts: Vec<Range<usize>> = Vec::new();
    let (mut depth, mut column, mut is_start) = (0_u32, String::new(), false);
    let bytes = statement.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'(' => {
                depth += 1;
                is_start = depth == 1;
            }
            b')' => depth = depth.saturating_sub(1),
            b',' => is_start = depth == 1,
            b'`' => {
                let end = closing(bytes, at);
                if is_start {
                    statement[at + 1..end].clone_into(&mut column);
                    is_start = false;
                }
                at = end;
            }
            b'\'' => {
                let end = closing(bytes, at);
                let text = &statement[at + 1..end];
                if let Some((comment, name)) = text.rsplit_once(MARK)
                    && let Some(from) = name.strip_suffix("\\\"")
                {
                    found.push(Renamed {
                        table: table.clone(),
                        from: from.to_owned(),
                        to: column.clone(),
                    });
                    let kept = comment.strip_suffix("; ").unwrap_or(comment);
                    let word = statement[..at].rfind("COMMENT").unwrap_or(at);
                    cuts.push(if kept.is_empty() {
                        word..end + 1
                    } else {
                        at + 1 + kept.len()..end
                    });
                }
                at = end;
                is_start = false;
            }
            b' ' => {}
            _ => is_start = false,
        }
        at += 1;
    }
    for cut in cuts.into_iter().rev() {
        rest.replace_range(cut, "");
    }
    (found, rest)
}

/// The table's name without its database.
fn table_of(statement: &str) -> Option<String> {
    let (head, _) = statement.split_once(" (")?;
    let name = head.rsplit('`').nth(1)?;
    Some(name.to_owned())
}

/// Where the quotation that opens at the position is closed; the end of the text if nowhere.
fn closing(bytes: &[u8], open: usize) -> usize {
    let quote = bytes[open];
    let mut at = open + 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' && quote == b'\'' {
            2
        } else {
            1
        };
    }
    at.min(bytes.len() - 1)
}

/// Answers of a person, and beside them what the entities say.
pub(super) struct WithRenames<'a> {
    pub(super) inner: &'a (dyn Questioner + Sync),
    pub(super) renames: Vec<Renamed>,
}

impl Questioner for WithRenames<'_> {
    fn is_stated_rename(&self, subject: &RenameSubject) -> bool {
        let is_declared = match subject {
            RenameSubject::Column { table, from, to } => self.renames.iter().any(|renamed| {
                renamed.table == table.name && renamed.from == *from && renamed.to == *to
            }),
            RenameSubject::Table { .. } | RenameSubject::EnumValue { .. } => false,
        };
        is_declared || self.inner.is_stated_rename(subject)
    }

    fn has_stated_renames(&self) -> bool {
        !self.renames.is_empty() || self.inner.has_stated_renames()
    }

    fn is_rename(&self, subject: &RenameSubject, likeness: f64) -> bool {
        self.inner.is_rename(subject, likeness)
    }

    fn fill_value(&self, table: &ObjectName, column: &str) -> Option<String> {
        self.inner.fill_value(table, column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_former_name_is_read_and_taken_out() {
        let statement = "CREATE TABLE `app`.`users` ( `id` int NOT NULL, `full_name` varchar(80) NOT NULL COMMENT \
                         'renamed_from \\\"name\\\"', `b` enum('x,`y') COMMENT 'it\\'s b; renamed_from \\\"a\\\"' )";
        let (found, rest) = taken_out(statement);
        let renamed = |from: &str, to: &str| Renamed {
            table: "users".to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        assert_eq!(found, [renamed("name", "full_name"), renamed("a", "b")]);
        assert_eq!(
            rest,
            "CREATE TABLE `app`.`users` ( `id` int NOT NULL, `full_name` varchar(80) NOT NULL , `b` enum('x,`y') \
             COMMENT 'it\\'s b' )"
        );
        let other = "CREATE TABLE `a` ( `b` int COMMENT 'plain' )";
        assert_eq!(taken_out(other), (Vec::new(), other.to_owned()));
    }
}
