//! Comparing databases by what `pg_dump` writes, which knows nothing of this project.

use std::process::Command;

use crate::databases::{Backend, Database};

/// Complains if two databases are dumped differently. The order of columns and of statements does not
/// count: a new column comes last.
pub(super) fn same(one: &Database, other: &Database) -> Result<(), String> {
    if one.backend != Backend::Postgres {
        return Ok(());
    }
    let (one, other) = (dump(one)?, dump(other)?);
    let only = |these: &[String], those: &[String]| {
        let list = these.iter().filter(|statement| !those.contains(statement));
        list.cloned().collect::<Vec<_>>().join("\n")
    };
    let (left, right) = (only(&one, &other), only(&other, &one));
    if left.is_empty() && right.is_empty() {
        return Ok(());
    }
    Err(format!("pg_dump differs:\n{left}\nand should be\n{right}"))
}

/// The statements of a dump, sorted, with the lines of tables sorted.
fn dump(database: &Database) -> Result<Vec<String>, String> {
    let output = Command::new("pg_dump")
        .args(["--schema-only", "--no-owner", "-d", &database.url])
        .output()
        .map_err(|error| format!("pg_dump: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("--") && !line.starts_with('\\'));
    let text = lines.collect::<Vec<_>>().join("\n");
    let mut statements: Vec<String> = text
        .split(";\n")
        .map(|statement| {
            let statement = statement.trim();
            if !statement.starts_with("CREATE TABLE") {
                return statement.to_owned();
            }
            let mut lines: Vec<&str> = statement
                .lines()
                .map(|line| line.trim().trim_end_matches(','))
                // The server itself spells these in another way when it reads its own spelling.
                .map(|line| line.split("<> ALL (").next().unwrap_or_default())
                .collect();
            lines[1..].sort_unstable();
            lines.join("\n")
        })
        .filter(|statement| !statement.is_empty())
        .collect();
    statements.sort();
    Ok(statements)
}
