//! The commands of a page's section.

use std::collections::VecDeque;

use stairway_tests::Finished;

use super::{Shell, difference, read};

/// A fenced block of a page.
#[derive(Debug)]
pub(crate) struct Block {
    /// The heading above it.
    pub heading: String,
    pub language: String,
    /// The number of its first line.
    pub line: usize,
    pub lines: Vec<String>,
    /// The line before it.
    pub before: String,
}

impl Block {
    /// The commands behind `$ ` of a `console` block, with what they print below them. The lines of a
    /// command that ends with a backslash belong to it.
    pub(crate) fn commands(&self, page: &str) -> Vec<Shown> {
        let mut shown: Vec<Shown> = Vec::new();
        for (at, line) in self.lines.iter().enumerate() {
            if let Some(command) = line.strip_prefix("$ ") {
                // What follows is for the reader.
                let command = command.split(" #").next().unwrap_or_default();
                shown.push(Shown {
                    place: format!("{page}:{}", self.line + at),
                    command: command.trim().to_owned(),
                    output: Vec::new(),
                });
            } else {
                let last = shown.last_mut();
                let last = last.unwrap_or_else(|| panic!("{page}:{}: no command", self.line + at));
                last.output.push(line.clone());
            }
        }
        assert!(!shown.is_empty(), "{page}:{}: no command", self.line);
        shown
    }
}

/// The fenced blocks of a page.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut heading, mut before) = ("", "");
    let mut open: Option<(usize, Block)> = None;
    for (at, line) in text.lines().enumerate() {
        let content = line.trim_start();
        let indentation = line.len() - content.len();
        open = match open {
            Some((_, block)) if content == "```" => {
                blocks.push(block);
                None
            }
            Some((indentation, mut block)) => {
                let content = line.get(indentation..).unwrap_or_default();
                block.lines.push(content.to_owned());
                Some((indentation, block))
            }
            None => {
                if line.starts_with('#') {
                    heading = line.trim_start_matches('#').trim();
                }
                content.strip_prefix("```").map(|language| {
                    let block = Block {
                        heading: heading.to_owned(),
                        language: language.to_owned(),
                        line: at + 2,
                        lines: Vec::new(),
                        before: before.to_owned(),
                    };
                    (indentation, block)
                })
            }
        };
        before = line.trim();
    }
    assert!(open.is_none(), "a block does not end: {open:?}");
    blocks
}

/// The headings of a page under which there is something to run.
#[track_caller]
pub(crate) fn headings(page: &str) -> Vec<String> {
    let mut headings = Vec::new();
    for block in blocks(&read(page)) {
        match block.language.as_str() {
            "console" | "sql" => headings.push(block.heading),
            "json" | "yaml" => {}
            language => panic!("{page}:{}: who runs {language}?", block.line),
        }
    }
    headings.dedup();
    headings
}

/// A command that a page shows.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The page and the line.
    pub place: String,
    pub command: String,
    /// What it prints; nothing where the page leaves it out.
    pub output: Vec<String>,
}

impl Shown {
    /// Fails unless the command ended so, and printed what the page shows.
    #[track_caller]
    pub(crate) fn ended(&self, shell: &Shell, run: &Finished, code: i32) {
        let Self { place, command, .. } = self;
        assert_eq!(run.code, code, "{place}: {command}: {run}");
        let printed = shell.in_the_page_s_names(&run.stdout);
        if let Some(difference) = difference(&self.output, &printed) {
            panic!("{place}: {command}: {difference}");
        }
    }
}

/// A section whose commands a test runs one after the other, all of them and no others.
#[derive(Debug)]
pub(crate) struct Section {
    name: String,
    left: VecDeque<Shown>,
}

impl Section {
    /// The section of a page below this heading, up to the next one.
    #[track_caller]
    pub(crate) fn of(page: &str, heading: &str) -> Self {
        let mut left = VecDeque::new();
        for block in blocks(&read(page)) {
            if block.heading != heading {
                continue;
            }
            match block.language.as_str() {
                "console" => left.extend(block.commands(page)),
                "sql" => left.push_back(Shown {
                    place: format!("{page}:{}", block.line),
                    command: block.lines.join("\n"),
                    output: Vec::new(),
                }),
                _ => {}
            }
        }
        let name = format!("{page}, \"{heading}\"");
        assert!(!left.is_empty(), "{name} shows no command");
        Self { name, left }
    }

    /// The section's next command, which has to be this one.
    #[track_caller]
    pub(crate) fn shows(&mut self, command: &str) -> Shown {
        let Self { name, left } = self;
        let shown = left.pop_front();
        let shown = shown.unwrap_or_else(|| panic!("{name} shows `{command}` no more"));
        let Shown { place, .. } = &shown;
        assert_eq!(shown.command, command, "{place} shows another command");
        shown
    }

    /// The section's next command, which has to be a question to the database in SQL.
    #[track_caller]
    pub(crate) fn shows_sql(&mut self) -> String {
        let shown = self.left.pop_front();
        let shown = shown.unwrap_or_else(|| panic!("{} shows no SQL", self.name));
        assert!(shown.command.starts_with("SELECT "), "{shown:?}");
        shown.command
    }

    /// Runs the section's next command, which has to be this one and to end so.
    #[track_caller]
    pub(crate) fn run(&mut self, shell: &Shell, command: &str, code: i32) -> Finished {
        let shown = self.shows(command);
        let run = shell.program(&shown.command).run();
        shown.ended(shell, &run, code);
        run
    }

    /// As [`Section::run`] for a command that asks, on a terminal, where it is answered with `y`.
    #[track_caller]
    pub(crate) fn run_and_answer(&mut self, shell: &Shell, command: &str, code: i32) -> Finished {
        let shown = self.shows(command);
        let run = shell.answer(&shown.command);
        shown.ended(shell, &run, code);
        run
    }

    /// The rest can't be run on this machine, because a program that it needs is not installed.
    pub(crate) fn leave_out_the_rest(&mut self) {
        self.left.clear();
    }

    /// Fails if the section shows a command that was not run.
    #[track_caller]
    pub(crate) fn end(self) {
        let Self { name, left } = self;
        assert!(left.is_empty(), "{name} shows what no test runs: {left:#?}");
    }
}

#[test]
fn a_section_has_its_own_commands_with_what_they_print() {
    let page = "# One\n\n```console\n$ a  # first\nprinted\n  more\n$ b\n```\n\n- item\n\n  ```sql\n  SELECT 1;\n  ```\n\
                \n## Two\n```console\n$ c # d\n```\n";
    let blocks = blocks(page);
    let found: Vec<_> = blocks
        .iter()
        .map(|block| (block.heading.as_str(), block.language.as_str(), block.line))
        .collect();
    assert_eq!(
        found,
        [
            ("One", "console", 4),
            ("One", "sql", 13),
            ("Two", "console", 18)
        ]
    );
    assert_eq!(blocks[1].lines, ["SELECT 1;"]);
    let commands = blocks[0].commands("page");
    assert_eq!(
        (commands[0].command.as_str(), commands[1].command.as_str()),
        ("a", "b")
    );
    assert_eq!(commands[0].output, ["printed", "  more"]);
    assert_eq!(commands[1].place, "page:7");
    assert_eq!(blocks[2].commands("page")[0].command, "c");
}
