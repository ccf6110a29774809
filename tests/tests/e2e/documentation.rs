//! The commands that the pages show, run as a reader would.
//!
//! A fenced block of `console` has commands behind `$ ` and what they print; one of `sh` is a script.
//! The block runs in one shell, in a fresh directory with the reference application's revisions and
//! no database, and has to succeed. A comment on the line before it says otherwise:
//!
//! - `<!-- after: COMMANDS -->` are run first,
//! - `<!-- exit code: N, WHY -->` is how the last command ends,
//! - `<!-- serves: URL -->` runs until it is stopped, and serves this meanwhile,
//! - `<!-- not run: WHY -->`.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use stairway_tests::servers::process::Signal;
use stairway_tests::{Program, TestDatabase, stairway, wait_until};

/// A block and what is said about it.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    line: usize,
    script: String,
    before: String,
    code: i32,
    /// What it serves until it is stopped.
    serves: Option<String>,
}

/// What is said about a block.
#[derive(Default)]
struct Remark {
    before: String,
    code: i32,
    serves: Option<String>,
}

/// The blocks of a page that are to be run.
fn blocks(page: &str) -> Vec<Block> {
    let lines: Vec<&str> = page.lines().collect();
    let mut blocks = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let language = lines[at].trim_start().strip_prefix("```");
        at += 1;
        let Some(language) = language else { continue };
        let length = lines[at..]
            .iter()
            .position(|line| line.trim() == "```")
            .expect("each block ends");
        let text = &lines[at..at + length];
        let before = at.checked_sub(2).map_or("", |before| lines[before].trim());
        if let Some(script) = script_of(language, text)
            && let Some(remark) = remark(before)
        {
            blocks.push(Block {
                line: at,
                script,
                before: remark.before,
                code: remark.code,
                serves: remark.serves,
            });
        }
        at += length + 1;
    }
    blocks
}

fn script_of(language: &str, text: &[&str]) -> Option<String> {
    match language {
        "sh" => Some(text.join("\n")),
        "console" => {
            let commands: Vec<_> = text
                .iter()
                .filter_map(|line| line.trim_start().strip_prefix("$ "))
                .collect();
            assert!(!commands.is_empty(), "a block without a command: {text:?}");
            Some(commands.join("\n"))
        }
        _ => None,
    }
}

/// What the comment before a block says; nothing if the block is not to be run.
fn remark(line: &str) -> Option<Remark> {
    let mut said = Remark::default();
    let remark = line
        .strip_prefix("<!-- ")
        .and_then(|line| line.strip_suffix(" -->"));
    let Some(remark) = remark else {
        return Some(said);
    };
    if let Some(reason) = remark.strip_prefix("not run: ") {
        assert!(!reason.is_empty(), "a reason is missing");
        return None;
    }
    if let Some(url) = remark.strip_prefix("serves: ") {
        said.serves = Some(url.to_owned());
        return Some(said);
    }
    let (commands, ending) = match remark.split_once("exit code: ") {
        Some((commands, ending)) => (commands, Some(ending)),
        None => (remark, None),
    };
    if let Some(commands) = commands.trim().strip_prefix("after: ") {
        commands.trim_end_matches(';').clone_into(&mut said.before);
    }
    if let Some((number, reason)) = ending.and_then(|ending| ending.split_once(", ")) {
        assert!(!reason.is_empty(), "a reason is missing");
        said.code = number.parse().expect("an exit code");
    }
    Some(said)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// README and the pages of `docs`, by their paths in the repository.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![PathBuf::from("README.md")];
    let docs = fs::read_dir(root().join("docs")).expect("the directory is there");
    pages.extend(
        docs.map(|entry| Path::new("docs").join(entry.expect("an entry").file_name()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "md")),
    );
    pages.sort();
    pages
}

/// Runs a block. `cargo xtask` works in the repository's root only; all else gets a directory of its
/// own.
fn run(block: &Block) -> Result<(), String> {
    if let Some(url) = &block.serves {
        return serve(block, url);
    }
    let directory = tempfile::tempdir().expect("a directory can be made");
    let path = |name: &str| directory.path().join(name);
    for name in ["bin", "home", "project/migration/src/revisions"] {
        fs::create_dir_all(path(name)).expect("a fresh directory");
    }
    let revisions = root().join("migration/src/revisions");
    for entry in fs::read_dir(revisions).expect("the directory is there") {
        let entry = entry.expect("an entry");
        let copy = path("project/migration/src/revisions").join(entry.file_name());
        fs::copy(entry.path(), copy).expect("it can be copied");
    }
    symlink(stairway().path(), path("bin/stairway")).expect("a fresh directory");
    let script = format!("set -e\n{}\n{}\n", block.before, block.script);
    let variable = std::env::var("PATH").unwrap_or_default();
    let program = Program::at("sh")
        .args(["-c", &script])
        .env("PATH", format!("{}:{variable}", path("bin").display()));
    let database = TestDatabase::create(stairway_tests::Backend::Sqlite);
    let program = if script.contains("cargo ") {
        program.current_dir(root()).database(&database)
    } else {
        program
            .current_dir(path("project"))
            .env("HOME", path("home"))
    };
    let run = program.run();
    if run.code == block.code {
        Ok(())
    } else {
        Err(format!(
            "line {}, expected {}: {run}\n{script}",
            block.line, block.code
        ))
    }
}

/// Starts the server that a block shows, on a port of its own and with a database of its own, asks it
/// for what the page promises, and stops it. The program is the one that `cargo run` would build.
fn serve(block: &Block, url: &str) -> Result<(), String> {
    let failed = |what: &str| format!("line {}, {what}: {}", block.line, block.script);
    let name = block
        .script
        .strip_prefix("cargo run --bin ")
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
fn the_first_command_of_the_readme_is_run() {
    let text = fs::read_to_string(root().join("README.md")).expect("the page is there");
    let first = &blocks(&text)[0];
    assert!(first.serves.is_some(), "{first:?}");
    run(first).unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn every_command_in_the_pages_does_what_it_should() {
    let (mut failures, mut count) = (Vec::new(), 0);
    for page in pages() {
        let text = fs::read_to_string(root().join(&page)).expect("the page is there");
        for block in blocks(&text) {
            count += 1;
            if let Err(failure) = run(&block) {
                failures.push(format!("{}, {failure}", page.display()));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert!(count >= 10, "only {count} blocks were found");
}

#[test]
fn blocks_and_remarks_are_read_as_they_are_meant() {
    let page = "```console\n$ one # first\nprinted\n$ two\n```\n<!-- not run: it hurts -->\n```sh\nrm\n```\n\
                ```text\n$ no\n```\n<!-- after: setup; exit code: 3, because -->\n```sh\nif x; then\n  y\nfi\n```\n";
    let block = |line, script: &str, before: &str, code| Block {
        line,
        script: script.to_owned(),
        before: before.to_owned(),
        code,
        serves: None,
    };
    assert_eq!(
        blocks(page),
        [
            block(1, "one # first\ntwo", "", 0),
            block(14, "if x; then\n  y\nfi", "setup", 3),
        ]
    );
}
