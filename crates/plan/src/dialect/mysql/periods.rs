//! MariaDB's application-time periods, which the catalogue shows as checks and no more: `PERIOD FOR
//! valid (since, until)` is listed as a check `valid` of ``since < until``. Only `SHOW CREATE TABLE`
//! tells them apart.

use std::collections::BTreeSet;

use crate::dialect::Dialect;
use crate::dialect::rows::TextRow;
use crate::dialect::tokens::{Token, significant};

use super::catalogue::Answers;
use super::hidden;

/// The statements, in one text, that show the tables with a check that may be a period. Nothing where
/// there is none.
pub fn statements(answers: &Answers) -> Option<String> {
    let columns: BTreeSet<(&Option<String>, String)> = answers
        .columns
        .iter()
        .filter(|row| holds_a_bound(row))
        .filter_map(|row| Some((row.first()?, row.get(1)?.clone()?)))
        .collect();
    let tables: BTreeSet<&String> = answers
        .checks
        .iter()
        .filter_map(|row| {
            let (table, clause) = (row.first()?, row.get(2)?.as_ref()?);
            let [since, until] = bounds(clause)?;
            let both = columns.contains(&(table, since)) && columns.contains(&(table, until));
            table.as_ref().filter(|_| both)
        })
        .collect();
    hidden::show_create(tables)
}

/// Takes the periods out of the checks and returns them for people.
pub fn take_out(shown: &[TextRow], answers: &mut Answers) -> Vec<String> {
    let mut named = Vec::new();
    for row in shown {
        let (Some(Some(table)), Some(Some(sql))) = (row.first(), row.get(1)) else {
            continue;
        };
        let tokens = significant(sql, Dialect::Mysql);
        let periods = tokens.windows(3).filter_map(|words| {
            (words[0].is_word("period") && words[1].is_word("for"))
                .then(|| words[2].name())
                .flatten()
        });
        for period in periods.filter(|name| !name.eq_ignore_ascii_case("system_time")) {
            answers.checks.retain(|check| {
                let is_meant =
                    |at: usize, name: &String| check.get(at).and_then(Option::as_ref) == Some(name);
                !(is_meant(0, table) && is_meant(1, &period))
            });
            named.push(format!("application-time period {period} of table {table}"));
        }
    }
    named
}

/// Whether the column is one that a period can begin or end with.
fn holds_a_bound(column: &TextRow) -> bool {
    let text = |at: usize| {
        column
            .get(at)
            .and_then(Option::as_deref)
            .unwrap_or_default()
    };
    let is_time = ["date", "datetime", "timestamp"]
        .iter()
        .any(|name| text(2).starts_with(name));
    is_time && text(3) == "NO"
}

/// The columns of a condition that says nothing but that one is less than another.
fn bounds(clause: &str) -> Option<[String; 2]> {
    let tokens = significant(clause, Dialect::Mysql);
    let [since, less, until] = tokens.as_slice() else {
        return None;
    };
    if !less.is_sign("<") {
        return None;
    }
    Some([Token::name(since)?, Token::name(until)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<const N: usize>(values: [&str; N]) -> TextRow {
        values.map(|value| Some(value.to_owned())).to_vec()
    }

    #[test]
    fn a_period_is_told_from_a_check_that_looks_like_one() {
        let mut answers = Answers {
            columns: vec![
                row(["t", "a", "date", "NO"]),
                row(["t", "b", "date", "NO"]),
                row(["u", "a", "int(11)", "NO"]),
                row(["u", "b", "int(11)", "NO"]),
                row(["n", "a", "date", "YES"]),
                row(["n", "b", "date", "YES"]),
            ],
            checks: vec![
                row(["t", "valid", "`a` < `b`", "Table"]),
                row(["t", "ck", "`a` < `b`", "Table"]),
                row(["t", "other", "`a` < `b` + 1", "Table"]),
                row(["u", "ck", "`a` < `b`", "Table"]),
                row(["n", "ck", "`a` < `b`", "Table"]),
            ],
            ..Answers::default()
        };
        assert_eq!(
            statements(&answers).as_deref(),
            Some("SHOW CREATE TABLE `t`")
        );
        let shown = [row([
            "t",
            "CREATE TABLE `t` (\n  `a` date NOT NULL COMMENT 'PERIOD FOR `ck`',\n  `b` date NOT NULL,\n  \
             PERIOD FOR `valid` (`a`, `b`),\n  CONSTRAINT `ck` CHECK (`a` < `b`)\n)",
        ])];
        assert_eq!(
            take_out(&shown, &mut answers),
            ["application-time period valid of table t"]
        );
        let left = answers.checks.iter().filter_map(|check| check[1].clone());
        assert_eq!(left.collect::<Vec<_>>(), ["ck", "other", "ck", "ck"]);
    }
}
