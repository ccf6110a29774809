//! The commands that the pages show, run as a reader would, and what they print.
//!
//! A fenced block of `console` has commands behind `$ ` and what they print; one of `sh` is a script.
//! The block runs in one shell, in a fresh directory with the reference application's revisions and an
//! SQLite database that does not exist yet, and has to succeed. A comment on the line before it says
//! otherwise:
//!
//! - `<!-- after: COMMANDS -->` are run first,
//! - `<!-- exit code: N, WHY -->` is how the last command ends,
//! - `<!-- typed: TEXT -->` is what somebody types on the terminal,
//! - `<!-- serves: URL -->` runs until it is stopped, and serves this meanwhile,
//! - `<!-- as in: PAGE -->` shows what that page of the operator's shows, where it is run,
//! - `<!-- run by a test of its own -->`,
//! - `<!-- not run: WHY -->`.
//!
//! The operator's pages are in `deploy/runbook`: there each section is about a state.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use stairway_tests::servers::process::Signal;
use stairway_tests::{Program, has_programs, wait_until};

use crate::deploy::has_test_of_its_own;
use crate::pages::{Block, Shell, Shown, blocks, difference, read, root};

/// What is said about a block.
#[derive(Debug, Default, PartialEq, Eq)]
struct Remark {
    before: String,
    code: i32,
    typed: Option<String>,
}

/// Who runs a block.
#[derive(Debug, PartialEq, Eq)]
enum Runner {
    /// A shell.
    Shell(Remark),
    /// A server that serves this until it is stopped.
    Server(String),
    /// The test of another page that shows the same.
    OtherPage(String),
    /// A test of the section.
    OwnTest,
    Nobody,
}

/// What the comment before a block says.
fn runner(line: &str) -> Runner {
    let remark = line
        .strip_prefix("<!-- ")
        .and_then(|line| line.strip_suffix(" -->"));
    let Some(remark) = remark else {
        return Runner::Shell(Remark::default());
    };
    if let Some(reason) = remark.strip_prefix("not run: ") {
        assert!(!reason.is_empty(), "a reason is missing");
        return Runner::Nobody;
    }
    if remark == "run by a test of its own" {
        return Runner::OwnTest;
    }
    if let Some(page) = remark.strip_prefix("as in: ") {
        return Runner::OtherPage(page.to_owned());
    }
    if let Some(url) = remark.strip_prefix("serves: ") {
        return Runner::Server(url.to_owned());
    }
    let mut said = Remark::default();
    let mut rest = remark;
    if let Some((before, ending)) = rest.split_once("exit code: ") {
        let (number, reason) = ending.split_once(", ").expect("a reason");
        assert!(!reason.is_empty(), "a reason is missing");
        said.code = number.parse().expect("an exit code");
        rest = before;
    }
    if let Some((before, typed)) = rest.split_once("typed: ") {
        said.typed = Some(typed.trim_end_matches("; ").to_owned());
        rest = before;
    }
    if let Some(commands) = rest.trim().strip_prefix("after: ") {
        commands.trim_end_matches(';').clone_into(&mut said.before);
    }
    Runner::Shell(said)
}

/// README and the pages of `docs`, by their paths in the repository.
fn pages() -> Vec<String> {
    let mut pages = vec!["README.md".to_owned()];
    let docs = fs::read_dir(root().join("docs")).expect("the directory is there");
    pages.extend(
        docs.map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
            .filter_map(|path| Some(format!("docs/{}", path.file_name()?.to_string_lossy()))),
    );
    pages.sort();
    pages
}

/// Between the outputs of two commands.
const MARK: &str = "--- the next command ---";

/// A shell in a directory with the reference application's revisions.
fn shell() -> Shell {
    let shell = Shell::at("sqlite://stairway.db?mode=rwc");
    let copies = shell.directory().join("migration/src/revisions");
    fs::create_dir_all(&copies).expect("a fresh directory");
    let revisions = root().join("migration/src/revisions");
    for entry in fs::read_dir(revisions).expect("the directory is there") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), copies.join(entry.file_name())).expect("it can be copied");
    }
    shell
}

/// Runs a block's commands in one shell.
fn run(page: &str, block: &Block, remark: &Remark) -> Result<(), String> {
    let shown = match block.language.as_str() {
        "console" => block.commands(page),
        _ => vec![Shown {
            place: format!("{page}:{}", block.line),
            command: block.lines.join("\n"),
            output: Vec::new(),
        }],
    };
    let mark = format!("echo '{MARK}'");
    let mut lines = vec!["set -e", &remark.before];
    lines.extend(
        shown
            .iter()
            .flat_map(|shown| [&mark, shown.command.as_str()]),
    );
    let script = lines.join("\n");
    let shell = shell();
    let run = match &remark.typed {
        Some(keys) => {
            if !has_programs(&["script"]) {
                return Ok(());
            }
            shell.type_on_terminal(&script, &format!("{keys}\n"))
        }
        None => shell.program(&script).run(),
    };
    let place = &shown[0].place;
    if run.code != remark.code {
        return Err(format!(
            "{place}, expected {}: {run}\n{script}",
            remark.code
        ));
    }
    let printed = shell.in_the_page_s_names(&run.stdout);
    let mark = format!("{MARK}\n");
    let printed = printed.split(&mark).skip(1);
    for (shown, printed) in shown.iter().zip(printed) {
        if let Some(difference) = difference(&shown.output, printed) {
            return Err(format!("{}: {}: {difference}", shown.place, shown.command));
        }
    }
    Ok(())
}

/// Whether the other page shows each of the block's commands, and below it the same lines.
fn as_in(page: &str, block: &Block, other: &str) -> Result<(), String> {
    let text = read(other);
    let there: Vec<Shown> = blocks(&text)
        .iter()
        .filter(|block| block.language == "console")
        .flat_map(|block| block.commands(other))
        .collect();
    for shown in block.commands(page) {
        let same = there.iter().any(|there| {
            let lines = shown.output.is_empty() || shown.output == there.output;
            there.command == shown.command && lines
        });
        if !same {
            return Err(format!("{}: {other} shows no {shown:?}", shown.place));
        }
    }
    Ok(())
}

/// Runs all blocks of a page. How many there are, and what went wrong.
fn run_page(page: &str) -> (usize, Vec<String>) {
    let (mut count, mut failures) = (0, Vec::new());
    for block in blocks(&read(page)) {
        if !["console", "sh"].contains(&block.language.as_str()) {
            continue;
        }
        let result = match runner(&block.before) {
            Runner::Shell(remark) => run(page, &block, &remark),
            Runner::Server(url) => serve(page, &block, &url),
            Runner::OtherPage(other) => as_in(page, &block, &other),
            Runner::OwnTest if has_test_of_its_own(page, &block.heading) => Ok(()),
            Runner::OwnTest => Err(format!("{page}:{}: which test?", block.line)),
            Runner::Nobody => continue,
        };
        count += 1;
        failures.extend(result.err());
    }
    (count, failures)
}

/// Starts the server that a block shows, on a port of its own and with a database of its own, asks it
/// for what the page promises, and stops it. The program is the one that `cargo run` would build.
fn serve(page: &str, block: &Block, url: &str) -> Result<(), String> {
    let script = block.lines.join("\n");
    let failed = |what: &str| format!("{page}:{}, {what}: {script}", block.line);
    let name = script
        .strip_prefix("$ cargo run --bin ")
        .ok_or_else(|| failed("not of the form `cargo run --bin NAME`"))?;
    let (address, path) = url
        .strip_prefix("http://localhost:")
        .and_then(|rest| rest.split_once('/'))
        .ok_or_else(|| failed("no URL of this machine"))?;
    let help = Program::workspace(name).args(["--help"]).run();
    if !help.stdout.contains(&format!(":{address}]")) {
        return Err(failed(&format!(
            "port {address} is not the default: {help}"
        )));
    }
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = free.expect("a port is free").to_string();
    let mut server = Program::workspace(name)
        .env("STAIRWAY_LISTEN", &address)
        .spawn();
    let mut answer = String::new();
    wait_until("the server serves", Duration::from_mins(1), || {
        assert!(server.is_running(), "it has ended: {}", server.stderr());
        answer = get(&address, path).unwrap_or_default();
        answer.contains("200 OK") && answer.contains("\"is_up_to_date\":true")
    });
    let page = get(&address, "").map_err(|error| failed(&error.to_string()))?;
    assert!(page.contains("200 OK") && page.contains("<html"), "{page}");
    server.signal(Signal::Terminate);
    let ended = server.wait(Duration::from_mins(1));
    if ended.code == 0 {
        Ok(())
    } else {
        Err(failed(&format!("{ended}, after {answer}")))
    }
}

/// What a server answers.
fn get(address: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(
        stream,
        "GET /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[test]
fn the_first_command_of_the_readme_is_one_that_serves() {
    let first = &blocks(&read("README.md"))[0];
    assert!(
        matches!(runner(&first.before), Runner::Server(_)),
        "{first:?}"
    );
}

#[test]
fn every_command_in_the_pages_does_what_it_should_and_prints_what_is_shown() {
    let pages = pages();
    let results: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = pages
            .iter()
            .map(|page| scope.spawn(|| run_page(page)))
            .collect();
        let ended = running.into_iter().map(thread::ScopedJoinHandle::join);
        ended.map(|page| page.expect("its own says why")).collect()
    });
    let count: usize = results.iter().map(|(count, _)| count).sum();
    let failures: Vec<_> = results.into_iter().flat_map(|(_, failed)| failed).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert!(count >= 10, "only {count} blocks were found");
}

#[test]
fn remarks_are_read_as_they_are_meant() {
    let shell = |before: &str, code, typed: Option<&str>| {
        Runner::Shell(Remark {
            before: before.to_owned(),
            code,
            typed: typed.map(str::to_owned),
        })
    };
    for (line, expected) in [
        ("prose", shell("", 0, None)),
        ("<!-- not run: it hurts -->", Runner::Nobody),
        ("<!-- run by a test of its own -->", Runner::OwnTest),
        ("<!-- as in: a.md -->", Runner::OtherPage("a.md".to_owned())),
        (
            "<!-- serves: http://a/b -->",
            Runner::Server("http://a/b".to_owned()),
        ),
        ("<!-- exit code: 3, because -->", shell("", 3, None)),
        (
            "<!-- after: a; b; exit code: 3, because -->",
            shell("a; b", 3, None),
        ),
        ("<!-- after: a; typed: y -->", shell("a", 0, Some("y"))),
        (
            "<!-- typed: n; exit code: 1, so -->",
            shell("", 1, Some("n")),
        ),
    ] {
        assert_eq!(runner(line), expected, "{line}");
    }
}
