use proptest::prelude::*;

use super::super::Dialect;
use super::super::lexer::{TokenKind, tokens};
use super::{any_dialect, soup};

/// The significant tokens as `kind:text`.
fn read(sql: &str, dialect: Dialect) -> Vec<String> {
    tokens(sql, dialect)
        .filter(super::super::lexer::Token::is_significant)
        .map(|token| format!("{:?}:{}", token.kind, token.text(sql)))
        .collect()
}

#[test]
fn a_backslash_escapes_a_quote_only_where_the_dialect_says_so() {
    assert_eq!(
        read(r"'a\' b", Dialect::Postgres),
        [r"String:'a\'", "Word:b"]
    );
    assert_eq!(read(r"E'a\' b'", Dialect::Postgres), [r"String:E'a\' b'"]);
    assert_eq!(read(r"'a\' b'", Dialect::MySql), [r"String:'a\' b'"]);
    assert_eq!(read(r"'a\' b", Dialect::Sqlite), [r"String:'a\'", "Word:b"]);
}

#[test]
fn a_string_with_escapes_goes_on_after_a_line_end() {
    let sql = "E'a' -- note\n '\\';' x";
    assert_eq!(
        read(sql, Dialect::Postgres),
        ["String:E'a' -- note\n '\\';'", "Word:x"]
    );
    assert_eq!(
        read("E'a' 'b'", Dialect::Postgres),
        ["String:E'a'", "String:'b'"]
    );
}

#[test]
fn each_dialect_has_its_own_quoted_identifiers() {
    assert_eq!(
        read("\"a\"\"b\" U&\"x\"", Dialect::Postgres),
        ["QuotedIdentifier:\"a\"\"b\"", "QuotedIdentifier:U&\"x\""]
    );
    assert_eq!(
        read("`a``b` \"s\"", Dialect::MySql),
        ["QuotedIdentifier:`a``b`", "String:\"s\""]
    );
    assert_eq!(
        read("[a b] `c` \"d\"", Dialect::Sqlite),
        [
            "QuotedIdentifier:[a b]",
            "QuotedIdentifier:`c`",
            "QuotedIdentifier:\"d\""
        ]
    );
    assert_eq!(
        read("a[1]", Dialect::Postgres),
        ["Word:a", "Punctuation:[", "Number:1", "Punctuation:]"]
    );
}

#[test]
fn dollar_quotes_are_postgres_only_and_keep_their_tag() {
    assert_eq!(
        read("$a$ x $$ ; $b$ $a$ y", Dialect::Postgres),
        ["DollarString:$a$ x $$ ; $b$ $a$", "Word:y"]
    );
    assert_eq!(
        read("$1 $12a$", Dialect::Postgres),
        ["Parameter:$1", "Parameter:$12", "Word:a$"]
    );
    assert_eq!(read("$$ $$", Dialect::MySql), ["Word:$$", "Word:$$"]);
    assert_eq!(read("a$b$c$b$", Dialect::Postgres), ["Word:a$b$c$b$"]);
}

#[test]
fn comments_nest_in_postgres_only() {
    assert_eq!(read("/* /* */ x */ y", Dialect::Postgres), ["Word:y"]);
    assert_eq!(read("/* /* */ x", Dialect::Sqlite), ["Word:x"]);
    assert_eq!(read("/* /* */ x", Dialect::MySql), ["Word:x"]);
}

#[test]
fn line_comments_follow_the_dialect() {
    assert_eq!(read("-- a\rb", Dialect::Postgres), ["Word:b"]);
    assert!(read("-- a\rb", Dialect::MySql).is_empty());
    assert!(read("--a", Dialect::Sqlite).is_empty());
    assert_eq!(
        read("1--1", Dialect::MySql),
        ["Number:1", "Operator:-", "Operator:-", "Number:1"]
    );
    assert_eq!(read("# a\nb", Dialect::MySql), ["Word:b"]);
    assert_eq!(
        read("a #> b", Dialect::Postgres),
        ["Word:a", "Operator:#>", "Word:b"]
    );
}

#[test]
fn what_an_executable_comment_holds_is_read_as_code() {
    let sql = "/*!50100 SELECT 1 */ x /*M! y */";
    assert_eq!(
        read(sql, Dialect::MySql),
        ["Word:SELECT", "Number:1", "Word:x", "Word:y"]
    );
    let kinds: Vec<_> = tokens("/*!a*/", Dialect::MySql).map(|t| t.kind).collect();
    assert_eq!(
        kinds,
        [
            TokenKind::ExecutableCommentOpen,
            TokenKind::Word,
            TokenKind::ExecutableCommentClose
        ]
    );
    assert!(read("/*! a */", Dialect::Postgres).is_empty());
    assert!(read("/*M!999999\\- enable the sandbox mode */", Dialect::MySql).is_empty());
}

#[test]
fn names_may_begin_with_digits_in_mysql() {
    assert_eq!(read("2fa", Dialect::MySql), ["Word:2fa"]);
    assert_eq!(
        read("a.1e5 1e5 .5", Dialect::MySql),
        [
            "Word:a",
            "Punctuation:.",
            "Word:1e5",
            "Number:1e5",
            "Number:.5"
        ]
    );
    assert_eq!(read("2fa", Dialect::Sqlite), ["Number:2", "Word:fa"]);
}

#[test]
fn numbers_are_read_in_every_notation() {
    for number in ["1", "1.5", "1e10", "1E-10", ".5", "0x1F", "0b101", "1_000"] {
        assert_eq!(
            read(number, Dialect::Postgres),
            [format!("Number:{number}")]
        );
    }
    assert_eq!(
        read("1..2", Dialect::Postgres),
        ["Number:1", "Punctuation:.", "Number:.2"]
    );
}

#[test]
fn parameters_follow_the_dialect() {
    assert_eq!(
        read("?1 :a @b $c", Dialect::Sqlite),
        [
            "Parameter:?1",
            "Parameter::a",
            "Parameter:@b",
            "Parameter:$c"
        ]
    );
    assert_eq!(
        read("? @a @@b", Dialect::MySql),
        ["Parameter:?", "Variable:@a", "Variable:@@b"]
    );
    assert_eq!(
        read("a ? 'b' ::int", Dialect::Postgres),
        [
            "Word:a",
            "Operator:?",
            "String:'b'",
            "Operator:::",
            "Word:int"
        ]
    );
}

#[test]
fn a_sign_after_an_operator_is_one_of_its_own() {
    assert_eq!(
        read("a=-1", Dialect::Postgres),
        ["Word:a", "Operator:=", "Operator:-", "Number:1"]
    );
    assert_eq!(
        read("a @- b", Dialect::Postgres),
        ["Word:a", "Operator:@-", "Word:b"]
    );
    assert_eq!(read("a<--b", Dialect::Postgres), ["Word:a", "Operator:<"]);
}

#[test]
fn what_is_not_closed_says_so_and_reaches_the_end() {
    for (sql, dialect) in [
        ("'a ; b", Dialect::Postgres),
        ("$x$ a", Dialect::Postgres),
        ("/* /* */", Dialect::Postgres),
        ("`a", Dialect::MySql),
        ("'a\\", Dialect::MySql),
        ("[a", Dialect::Sqlite),
    ] {
        let found: Vec<_> = tokens(sql, dialect).collect();
        assert_eq!(found.len(), 1, "{sql}");
        assert!(!found[0].closed, "{sql}");
        assert_eq!(found[0].text(sql), sql);
    }
}

#[test]
fn long_texts_take_time_in_proportion() {
    // Each would take minutes if a token looked through the rest of the text.
    for part in ["'", "$a", "/*", "--", "E'' ", "(", "\\", "1.", "$a$", "a."] {
        let sql = part.repeat(100_000);
        for dialect in Dialect::ALL {
            let end = tokens(&sql, dialect).last().map(|token| token.span.end);
            assert_eq!(end, Some(sql.len()));
        }
    }
}

proptest! {
    #[test]
    fn the_tokens_of_a_text_are_the_text(sql in soup(), dialect in any_dialect()) {
        let mut end = 0;
        for token in tokens(&sql, dialect) {
            prop_assert_eq!(token.span.start, end);
            prop_assert!(token.span.end > end);
            prop_assert!(sql.is_char_boundary(token.span.end));
            end = token.span.end;
        }
        prop_assert_eq!(end, sql.len());
    }

    #[test]
    fn a_quoted_value_is_one_token(value in any::<String>(), dialect in any_dialect()) {
        let literal = dialect.quote_string(&value);
        let found: Vec<_> = tokens(&literal, dialect).collect();
        let expression = dialect == Dialect::Sqlite && value.contains('\0');
        if !expression {
            prop_assert_eq!(found.len(), 1);
            prop_assert_eq!(found[0].kind, TokenKind::String);
        }
        prop_assert!(found.iter().all(|token| token.closed));
        let name = dialect.quote_identifier(&value);
        let found: Vec<_> = tokens(&name, dialect).collect();
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(found[0].kind, TokenKind::QuotedIdentifier);
        prop_assert!(found[0].closed);
    }
}
