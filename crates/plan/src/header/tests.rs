use proptest::prelude::*;

use super::*;
use crate::sample::words;

/// What a build script would read of rendered lines.
fn comment(rendered: &str) -> String {
    let lines = rendered
        .lines()
        .map(|line| line.strip_prefix("//!").unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

fn refused(module_comment: &str) -> String {
    Header::parse(module_comment).unwrap_err().to_string()
}

fn full() -> Header {
    Header {
        message: Some("Add user preferences table".to_owned()),
        revises: Some(vec!["m1_users".into(), "m2_teams".into()]),
        labels: vec!["preferences".to_owned(), "settings".to_owned()],
        depends_on: vec!["m0_roles".into()],
        replaces: vec!["m0_old".into(), "m0_older".into()],
        phase: Some(Phase::Expand),
        lint_allow: vec![LintAllowance {
            code: "ST101".to_owned(),
            reason: "the table is empty".to_owned(),
        }],
        expected_rows: Some(RowExpectation {
            at_least: 10,
            at_most: Some(20),
        }),
    }
}

#[test]
fn a_full_comment_is_written_as_it_is_read() {
    let header = full();
    insta::assert_snapshot!(header.render(), @r#"
    //! Add user preferences table
    //!
    //! revises: m1_users, m2_teams
    //! label: preferences, settings
    //! depends-on: m0_roles
    //! replaces: m0_old, m0_older
    //! phase: expand
    //! lint-allow: ST101 the table is empty
    //! expect-rows: 10..20
    "#);
    assert_eq!(Header::parse(&comment(&header.render())).unwrap(), header);
    assert_eq!(Header::default().render(), "");
}

#[test]
fn nothing_needs_to_be_said() {
    for silent in ["", "\n \n", "\n\n   \n"] {
        assert_eq!(Header::parse(silent).unwrap(), Header::default());
    }
}

#[test]
fn the_first_line_is_the_message_and_prose_is_passed_over() {
    let header = Header::parse(
        " Add users: the first table\n and its index.\n\n Note: this takes a while, see https://example.org.\n \
         Watch for: locks. std::fmt is not meant. Labels are good, and the phase does not matter.\n\
         - label: in a list\n\n revises: m1\n",
    );
    let expected = Header {
        message: Some("Add users: the first table".to_owned()),
        revises: Some(vec!["m1".into()]),
        ..Header::default()
    };
    assert_eq!(header.unwrap(), expected);
}

#[test]
fn a_heading_is_a_message_too() {
    assert_eq!(
        Header::parse("# Add users").unwrap().message.as_deref(),
        Some("Add users")
    );
    assert_eq!(
        Header::parse("#1 in line").unwrap().message.as_deref(),
        Some("#1 in line")
    );
}

#[test]
fn a_comment_without_a_message_can_place_the_revision() {
    let header = Header::parse(" revises: m1\n\n Prose.").unwrap();
    assert_eq!(header.message.as_deref(), None);
    assert_eq!(header.revises, Some(vec!["m1".into()]));
}

#[test]
fn code_between_fences_says_nothing() {
    let comment = "Message\n```text\nrevises: m1\nrevise: m2\n```\nlabel: real";
    let header = Header::parse(comment).unwrap();
    assert_eq!(
        (header.revises, header.labels),
        (None, vec!["real".to_owned()])
    );
}

#[test]
fn base_means_no_parents_which_is_not_the_same_as_silence() {
    assert_eq!(
        Header::parse("M\nrevises: base").unwrap().revises,
        Some(Vec::new())
    );
    assert_eq!(Header::parse("M").unwrap().revises, None);
    insta::assert_snapshot!(refused("M\nrevises: base, m1"), @"line 2 of the module comment: `revises: base` says that there are no parents, but some are named as well");
    insta::assert_snapshot!(refused("M\nrevises: m1\nrevises: base"), @"line 3 of the module comment: `revises: base` says that there are no parents, but some are named as well");
}

#[test]
fn lists_may_go_on_in_another_line() {
    let header = Header::parse("M\nreplaces: a, b\nreplaces: c").unwrap();
    assert_eq!(words(&header.replaces), "a b c");
}

#[test]
fn rows_are_exact_or_bounded() {
    let rows = |text| {
        Header::parse(&format!("M\nexpect-rows: {text}"))
            .unwrap()
            .expected_rows
            .unwrap()
    };
    assert_eq!(
        rows("10"),
        RowExpectation {
            at_least: 10,
            at_most: Some(10)
        }
    );
    assert_eq!(
        rows("10.."),
        RowExpectation {
            at_least: 10,
            at_most: None
        }
    );
    assert_eq!(
        rows("0..5"),
        RowExpectation {
            at_least: 0,
            at_most: Some(5)
        }
    );
    for wrong in [
        "-1",
        "ten",
        "5..1",
        "..5",
        "1...2",
        "+5",
        "99999999999999999999999",
    ] {
        let error = refused(&format!("M\nexpect-rows: {wrong}"));
        assert!(error.contains("which takes a number of rows"), "{error}");
    }
}

#[test]
fn a_key_that_is_nearly_one_is_an_error() {
    insta::assert_snapshot!(refused("Message\n\nrevise: m1"), @"line 3 of the module comment: `revise:` is no key; did you mean `revises:`?");
    for (written, meant) in [
        ("Revises", "revises"),
        ("labels", "label"),
        ("lable", "label"),
        ("depends_on", "depends-on"),
        ("depends on", "depends-on"),
        ("replace", "replaces"),
        ("lint_allow", "lint-allow"),
        ("expect_rows", "expect-rows"),
        ("phases", "phase"),
    ] {
        let error = Header::parse(&format!("{written}: x")).unwrap_err();
        let problem = HeaderProblem::MisspeltKey {
            key: written.to_owned(),
            known: meant,
        };
        assert_eq!(error.problem, problem);
    }
}

#[test]
fn a_value_that_can_not_be_meant_is_an_error() {
    insta::assert_snapshot!(refused("M\nphase: contrcat"), @"line 2 of the module comment: `contrcat` is no value of `phase:`, which takes `expand`, `backfill` or `contract`");
    insta::assert_snapshot!(refused("M\nphase: expand\nphase: contract"), @"line 3 of the module comment: `phase:` is given a second time");
    insta::assert_snapshot!(refused("M\nlabel:"), @"line 2 of the module comment: `label:` lacks a value");
    insta::assert_snapshot!(refused("M\nrevises: a,, b"), @"line 2 of the module comment: `revises:` lacks a value");
    insta::assert_snapshot!(refused("M\nrevises: a b"), @"line 2 of the module comment: `a b` after `revises:` is no single name; put commas between names");
    insta::assert_snapshot!(refused("M\nlint-allow: ST101"), @"line 2 of the module comment: `lint-allow: ST101` lacks a reason; write why the rule does not hold here");
    insta::assert_snapshot!(refused("M\nlint-allow:"), @"line 2 of the module comment: `lint-allow:` lacks a value");
}

#[test]
fn a_message_that_reads_like_a_key_is_written_as_a_heading() {
    let message = |text: &str| Header {
        message: Some(text.to_owned()),
        ..Header::default()
    };
    for odd in [
        "label: users",
        "labels: users",
        "# users",
        "#users",
        "``` users",
        "revises:",
    ] {
        let header = message(odd);
        let rendered = header.render();
        assert_eq!(
            Header::parse(&comment(&rendered)).unwrap(),
            header,
            "{rendered}"
        );
    }
    assert_eq!(message("two\n  lines\n").render(), "//! two lines\n");
    assert_eq!(message("  ").render(), "");
    // A carriage return or a change of direction would not compile.
    assert_eq!(message("one\r\u{202e}two").render(), "//! one two\n");
}

const USERS: RevisionSource = RevisionSource {
    name: "m1_users",
    module_comment: " Add users\n",
    fingerprint: "sha256:1",
    path: "src/revisions/m1_users.rs",
};

fn named(name: &'static str, module_comment: &'static str) -> RevisionSource {
    RevisionSource {
        name,
        module_comment,
        ..USERS
    }
}

#[test]
fn a_file_follows_the_one_before_it_unless_it_says_otherwise() {
    let sources = [
        named("m4_d", "D\nrevises: m2_b"),
        named("m3_c", "C\nrevises: base\nlabel: side"),
        named("m2_b", ""),
        USERS,
        named("m5_e", "E"),
    ];
    let revisions = revisions_from_sources(&sources).unwrap();
    let parents: Vec<String> = revisions
        .iter()
        .map(|r| format!("{} <{}", r.id, words(&r.parents)))
        .collect();
    assert_eq!(
        parents,
        [
            "m1_users <",
            "m2_b <m1_users",
            "m3_c <",
            "m4_d <m2_b",
            "m5_e <m4_d"
        ]
    );
    assert_eq!(revisions[2].branch_labels, ["side"]);
    assert_eq!(
        (revisions[0].message.as_str(), revisions[1].message.as_str()),
        ("Add users", "b")
    );
    assert_eq!(revisions[0].source_fingerprint.as_deref(), Some("sha256:1"));
    assert_eq!(
        revisions[0].source_path.as_deref(),
        Some("src/revisions/m1_users.rs")
    );
}

#[test]
fn names_are_ordered_by_their_bytes() {
    let sources = [
        named("m_a", ""),
        named("mB", ""),
        named("m10", ""),
        named("m9", ""),
    ];
    let revisions = revisions_from_sources(&sources).unwrap();
    let ids: Vec<RevisionId> = revisions.into_iter().map(|r| r.id).collect();
    assert_eq!(words(&ids), "m10 m9 mB m_a");
}

#[test]
fn a_broken_comment_is_told_with_its_file() {
    let error = revisions_from_sources(&[named("m1", "M\n\nphase: soon")]).unwrap_err();
    insta::assert_snapshot!(error, @"src/revisions/m1_users.rs: line 3 of the module comment: `soon` is no value of `phase:`, which takes `expand`, `backfill` or `contract`");
}

fn any_header() -> impl Strategy<Value = Header> {
    let id = || {
        "[a-z0-9_@+:.-]{1,12}"
            .prop_filter("a symbol", |id| id != "base")
            .prop_map(RevisionId::from)
    };
    let ids = || prop::collection::vec(id(), 0..4);
    let line = || {
        "[^\\n\\r]{1,30}"
            .prop_map(|text| one_line(&text))
            .prop_filter("nothing", |text| !text.is_empty())
    };
    let allowance =
        ("[A-Z0-9]{1,6}", line()).prop_map(|(code, reason)| LintAllowance { code, reason });
    let rows = (any::<u64>(), prop::option::of(any::<u64>())).prop_map(|(at_least, more)| {
        RowExpectation {
            at_least,
            at_most: more.map(|more| at_least.saturating_add(more)),
        }
    });
    let odd = "(label|labels|revises|#|```)[: ]{1,2}[a-z]{1,3}".prop_map(|text| one_line(&text));
    let message = prop_oneof![line(), odd];
    (
        prop::option::of(message),
        prop::option::of(ids()),
        prop::collection::vec("[a-z/]{1,8}", 0..3),
        (ids(), ids()),
        prop::option::of(prop::sample::select(Phase::ALL.to_vec())),
        prop::collection::vec(allowance, 0..3),
        prop::option::of(rows),
    )
        .prop_map(
            |(
                message,
                revises,
                labels,
                (depends_on, replaces),
                phase,
                lint_allow,
                expected_rows,
            )| Header {
                message,
                revises,
                labels,
                depends_on,
                replaces,
                phase,
                lint_allow,
                expected_rows,
            },
        )
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(header in any_header()) {
        let rendered = header.render();
        prop_assert_eq!(Header::parse(&comment(&rendered)).unwrap(), header, "{}", rendered);
    }

    #[test]
    fn any_comment_is_read_or_refused(text in "(\\PC|\n)*|((label|revises|revise|phase|expect-rows|lint-allow):? ?[a-z0-9., #]{0,9}\n){0,4}") {
        match Header::parse(&text) {
            // What was read can be written, and reads the same.
            Ok(header) => prop_assert_eq!(Header::parse(&comment(&header.render())).unwrap(), header),
            Err(error) => prop_assert!(error.line >= 1 && error.line <= text.lines().count()),
        }
    }
}
