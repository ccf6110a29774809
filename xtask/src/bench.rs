//! `cargo xtask bench`: what Stairway costs, against something else in the same run.

use std::ffi::OsString;
use std::fs;
use std::process::{ExitCode, Stdio};

use clap::Args;
use stairway_test_servers::cargo;

use crate::report::{Failure, say};
use crate::tools;

/// Measure what Stairway costs, and write it into docs/benchmarks.md
///
/// Starts throw-away servers that keep what they commit. Every figure is a ratio to something else
/// measured in the same run, so it can be read on any machine. Measurements: planning, start, apply,
/// contention, memory, compare, server, build; all of them take about half an hour. In the page each measurement's
/// section is replaced as far as the end of its table; everything else there stays.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Which measurements; all if none is named
    #[arg(value_name = "MEASUREMENT")]
    measurements: Vec<OsString>,
    /// Only print it
    #[arg(long)]
    print: bool,
}

/// The page that is written.
const PAGE: &str = "docs/benchmarks.md";

/// Builds the program in the profile that is shipped and runs it.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut command = cargo::command();
    command
        .args([
            "run",
            "--quiet",
            "--release",
            "--bin",
            "stairway-bench",
            "--",
        ])
        .args(&arguments.measurements)
        .current_dir(tools::root());
    if arguments.print {
        return Ok(ExitCode::from(tools::exit_code(tools::run(&mut command)?)));
    }
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Failure::failed(format!("running cargo: {error}")))?;
    if !output.status.success() {
        return Ok(ExitCode::from(tools::exit_code(output.status)));
    }
    let report = String::from_utf8_lossy(&output.stdout);
    let failed = |error: std::io::Error| Failure::failed(format!("{PAGE}: {error}"));
    let path = tools::root().join(PAGE);
    let page = fs::read_to_string(&path).map_err(failed)?;
    fs::write(&path, merged(&page, &report)).map_err(failed)?;
    say(&format!("{PAGE} is written"));
    Ok(ExitCode::SUCCESS)
}

/// The page with the sections of a report in place of its own.
fn merged(page: &str, report: &str) -> String {
    let mut sections: Vec<String> = sections(page);
    for new in self::sections(report) {
        let Some(heading) = heading(&new).map(str::to_owned) else {
            continue;
        };
        let same = sections
            .iter_mut()
            .find(|section| self::heading(section) == Some(&heading));
        match same {
            Some(old) => *old = format!("{}{}", new.trim_end(), after_table(old)),
            None => sections.push(new),
        }
    }
    let text: Vec<&str> = sections.iter().map(|section| section.trim()).collect();
    format!("{}\n", text.join("\n\n"))
}

/// A text cut before each heading of the second level.
fn sections(text: &str) -> Vec<String> {
    let mut sections = vec![String::new()];
    for line in text.lines() {
        if line.starts_with("## ") {
            sections.push(String::new());
        }
        if let Some(section) = sections.last_mut() {
            section.push_str(line);
            section.push('\n');
        }
    }
    sections.retain(|section| !section.trim().is_empty());
    sections
}

fn heading(section: &str) -> Option<&str> {
    section.lines().next()?.strip_prefix("## ")
}

/// What stands below a section's table.
fn after_table(section: &str) -> String {
    let lines: Vec<&str> = section.lines().collect();
    let end = lines.iter().rposition(|line| line.starts_with('|'));
    let rest = end.map_or(&[][..], |end| &lines[end + 1..]);
    let rest = rest.join("\n");
    if rest.trim().is_empty() {
        String::new()
    } else {
        format!("\n\n{}", rest.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Benchmarks\n\nBy hand.\n\n## One\n\nAbout.\n\n| a |\n| --- |\n| 1 |\n\nA note.\n\n## Two\n\n| b |\n";

    #[test]
    fn what_was_measured_is_replaced_and_everything_else_stays() {
        let report = "## One\n\nNewly about.\n\n| a |\n| --- |\n| 2 |\n\n## Three\n\n| c |\n";
        let page = merged(PAGE, report);
        assert_eq!(
            page,
            "# Benchmarks\n\nBy hand.\n\n## One\n\nNewly about.\n\n| a |\n| --- |\n| 2 |\n\nA note.\n\n## Two\n\n\
             | b |\n\n## Three\n\n| c |\n"
        );
        assert_eq!(merged(&page, report), page, "once more changes nothing");
        assert_eq!(merged(PAGE, ""), PAGE);
    }
}
