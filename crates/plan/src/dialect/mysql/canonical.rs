//! Spellings that are equal for equal meaning, and texts of the catalogue made portable.

use crate::dialect::Dialect;
use crate::dialect::tokens::{Token, significant, without_outer_parentheses};
use crate::schema::ColumnType;
use crate::sql::lexer::TokenKind;

use super::write::quoted;

/// What a string literal stands for.
pub(crate) fn string_value(literal: &str) -> String {
    let start = literal.find(['\'', '"']).unwrap_or(0);
    let literal = &literal[start..];
    let Some(quote) = literal.chars().next() else {
        return String::new();
    };
    let inner = &literal[1..];
    let inner = inner.strip_suffix(quote).unwrap_or(inner);
    let mut value = String::with_capacity(inner.len());
    let mut characters = inner.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\\' {
            match characters.next() {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some('r') => value.push('\r'),
                Some('0') => value.push('\0'),
                Some('b') => value.push('\u{8}'),
                Some('Z') => value.push('\u{1a}'),
                // Only a pattern knows what to make of these, so the backslash stays.
                Some(other @ ('%' | '_')) => value.extend(['\\', other]),
                Some(other) => value.push(other),
                None => value.push('\\'),
            }
        } else {
            if character == quote {
                characters.next_if_eq(&quote);
            }
            value.push(character);
        }
    }
    value
}

/// The name that a token stands for, without backticks.
pub(crate) fn name(token: &Token<'_>) -> Option<String> {
    match token.kind {
        TokenKind::Word => Some(token.text.to_owned()),
        TokenKind::QuotedIdentifier => Some(crate::dialect::tokens::unquote(token.text)),
        _ => None,
    }
}

/// The current time in one spelling, with its digits of a second: `current_timestamp(6)`.
fn current_time(tokens: &[Token<'_>]) -> Option<String> {
    let word = tokens.first()?.text.to_ascii_lowercase();
    if !["current_timestamp", "now", "localtime", "localtimestamp"].contains(&word.as_str()) {
        return None;
    }
    let digits = match &tokens[1..] {
        [] => 0,
        [open, close] if open.is_sign("(") && close.is_sign(")") => 0,
        [open, digits, close] if open.is_sign("(") && close.is_sign(")") => {
            digits.text.parse::<u8>().ok()?
        }
        _ => return None,
    };
    Some(if digits == 0 {
        "current_timestamp()".to_owned()
    } else {
        format!("current_timestamp({digits})")
    })
}

/// Whether the text is the current time in one of its spellings, which needs no parentheses as a
/// default.
pub(crate) fn is_current_time(text: &str) -> bool {
    current_time(&significant(text, Dialect::Mysql)).is_some()
}

/// Whether the text is a literal: a number with or without sign, a string, bits or a word such as
/// `true`.
pub(crate) fn is_literal(text: &str) -> bool {
    let tokens = significant(text, Dialect::Mysql);
    let unsigned = match tokens.as_slice() {
        [sign, rest @ ..] if sign.is_sign("-") || sign.is_sign("+") => rest,
        all => all,
    };
    match unsigned {
        [token] => {
            matches!(token.kind, TokenKind::Number | TokenKind::String)
                || ["true", "false", "null"]
                    .iter()
                    .any(|word| token.is_word(word))
        }
        _ => false,
    }
}

/// A spelling of a default that is equal for equal values.
pub(crate) fn default(default: &str, column_type: &ColumnType) -> Option<String> {
    let tokens = significant(default, Dialect::Mysql);
    let tokens = without_outer_parentheses(&tokens);
    if let Some(now) = current_time(tokens) {
        return Some(now);
    }
    let (sign, value) = match tokens {
        [sign, rest @ ..] if sign.is_sign("-") => ("-", rest),
        [sign, rest @ ..] if sign.is_sign("+") => ("", rest),
        all => ("", all),
    };
    let [token] = value else {
        return Some(expression(default));
    };
    let is_number = !super::types::quotes_default(column_type) && column_type.base != "bit";
    match token.kind {
        TokenKind::Word => match token.text.to_ascii_lowercase().as_str() {
            "null" => None,
            "true" => Some("1".to_owned()),
            "false" => Some("0".to_owned()),
            other => Some(other.to_owned()),
        },
        TokenKind::Number if column_type.base == "bit" => token
            .text
            .parse::<u64>()
            .ok()
            .map(|number| format!("b'{number:b}'")),
        TokenKind::Number if is_number => Some(number(&format!("{sign}{}", token.text))),
        TokenKind::Number => Some(super::write::string(&format!("{sign}{}", token.text))),
        TokenKind::String if token.text.starts_with(['b', 'B', 'x', 'X']) => Some(bits(token.text)),
        TokenKind::String if is_number => {
            Some(number(&format!("{sign}{}", string_value(token.text))))
        }
        TokenKind::String => Some(super::write::string(&string_value(token.text))),
        _ => Some(expression(default)),
    }
}

/// `b'0101'` without leading zeros.
fn bits(literal: &str) -> String {
    let lower = literal.to_ascii_lowercase();
    let Some(digits) = lower.strip_prefix("b'").and_then(|d| d.strip_suffix('\'')) else {
        return lower;
    };
    let digits = digits.trim_start_matches('0');
    format!("b'{}'", if digits.is_empty() { "0" } else { digits })
}

/// A number without zeros that say nothing.
fn number(text: &str) -> String {
    let text = text.trim().to_ascii_lowercase();
    if let Ok(whole) = text.parse::<i128>() {
        return whole.to_string();
    }
    if text.contains('e') {
        return text
            .parse::<f64>()
            .map_or(text, |number| number.to_string());
    }
    match text.split_once('.') {
        Some((whole, fraction)) => {
            let fraction = fraction.trim_end_matches('0');
            let whole = if whole.is_empty() || whole == "-" {
                format!("{whole}0")
            } else {
                whole.to_owned()
            };
            if fraction.is_empty() {
                whole
            } else {
                format!("{whole}.{fraction}")
            }
        }
        None => text,
    }
}

/// A spelling of an expression or statement that is equal for expressions that a server makes the same
/// of, as far as they are understood; else for those that differ in blanks, case of keywords,
/// backticks, character set introducers and outer parentheses only.
pub(crate) fn expression(text: &str) -> String {
    if let Some(meaning) = super::meaning::of(text) {
        return meaning;
    }
    let tokens = significant(text, Dialect::Mysql);
    let tokens = without_outer_parentheses(&tokens);
    let mut words = Vec::with_capacity(tokens.len());
    for (at, token) in tokens.iter().enumerate() {
        let before_string = tokens
            .get(at + 1)
            .is_some_and(|next| next.kind == TokenKind::String);
        let is_introducer =
            token.kind == TokenKind::Word && token.text.starts_with('_') && before_string;
        if is_introducer || token.is_sign(";") {
            continue;
        }
        words.push(match token.kind {
            TokenKind::Word | TokenKind::Number => token.text.to_lowercase(),
            TokenKind::QuotedIdentifier => {
                crate::dialect::tokens::unquote(token.text).to_lowercase()
            }
            TokenKind::String if token.text.starts_with(['\'', '"']) => {
                super::write::string(&string_value(token.text))
            }
            TokenKind::Operator => match token.text {
                "!=" => "<>".to_owned(),
                "&&" => "and".to_owned(),
                "||" => "or".to_owned(),
                other => other.to_owned(),
            },
            _ => token.text.to_owned(),
        });
    }
    words.join(" ")
}

/// The expression as a person would write it: without backticks around plain names, introducers and
/// outer parentheses.
pub(crate) fn short_expression(text: &str) -> String {
    let tokens = significant(text, Dialect::Mysql);
    let tokens = without_outer_parentheses(&tokens);
    let mut short = String::with_capacity(text.len());
    let mut end = tokens.first().map_or(0, |token| token.span.start);
    for (at, token) in tokens.iter().enumerate() {
        let before_string = tokens
            .get(at + 1)
            .is_some_and(|next| next.kind == TokenKind::String);
        if end < token.span.start {
            short.push(' ');
        }
        end = token.span.end;
        if token.kind == TokenKind::Word && token.text.starts_with('_') && before_string {
            continue;
        }
        match token.kind {
            TokenKind::QuotedIdentifier => {
                let name = crate::dialect::tokens::unquote(token.text);
                let is_plain = name.chars().enumerate().all(|(at, c)| {
                    c == '_' || c.is_ascii_alphabetic() || (at > 0 && c.is_ascii_digit())
                });
                short.push_str(if is_plain { &name } else { token.text });
            }
            _ => short.push_str(token.text),
        }
    }
    short
}

/// The expression after the column or table `from` got the name `to`, as the server would say it.
pub(crate) fn rename_identifier(text: &str, from: &str, to: &str) -> String {
    let tokens = significant(text, Dialect::Mysql);
    let mut renamed = String::with_capacity(text.len());
    let mut at = 0;
    for (position, token) in tokens.iter().enumerate() {
        let is_name = name(token).is_some_and(|name| name.eq_ignore_ascii_case(from));
        let is_called = token.kind == TokenKind::Word
            && tokens
                .get(position + 1)
                .is_some_and(|next| next.is_sign("("));
        if is_name && !is_called {
            renamed.push_str(&text[at..token.span.start]);
            renamed.push_str(&quoted(to));
            at = token.span.end;
        }
    }
    renamed.push_str(&text[at..]);
    renamed
}

/// The query of a view without the name of its own database, so that it means the same in another
/// one. The catalogue writes `db`.`table`.`column`, `db`.`table` where a table is named, and
/// `db`.`function`(; anything else that begins with the name of the database is an alias.
pub(crate) fn without_database(query: &str, database: &str) -> String {
    let tokens = significant(query, Dialect::Mysql);
    let mut cleaned = String::with_capacity(query.len());
    let mut copied = 0;
    for (at, token) in tokens.iter().enumerate() {
        let is_database = token.kind == TokenKind::QuotedIdentifier
            && crate::dialect::tokens::unquote(token.text) == database
            && tokens.get(at + 1).is_some_and(|next| next.is_sign("."))
            && !(at > 0 && tokens[at - 1].is_sign("."));
        if !is_database {
            continue;
        }
        let follows = |offset: usize, sign: &str| {
            tokens
                .get(at + offset)
                .is_some_and(|token| token.is_sign(sign))
        };
        let is_qualifier = follows(3, ".") || follows(3, "(") || names_a_table(&tokens[..at]);
        if let (true, Some(next)) = (is_qualifier, tokens.get(at + 2)) {
            cleaned.push_str(&query[copied..token.span.start]);
            copied = next.span.start;
        }
    }
    cleaned.push_str(&query[copied..]);
    cleaned
}

/// Whether what follows these tokens names a table: after `from` or `join`, with any number of
/// opening parentheses between.
pub(crate) fn names_a_table(before: &[Token<'_>]) -> bool {
    before
        .iter()
        .rev()
        .find(|token| !token.is_sign("("))
        .is_some_and(|token| {
            ["from", "join", "straight_join"]
                .iter()
                .any(|word| token.is_word(word))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::mysql::types::parse;

    #[test]
    fn defaults_that_mean_the_same_are_the_same() {
        for (column_type, one, other) in [
            ("datetime", "current_timestamp()", "CURRENT_TIMESTAMP"),
            ("datetime", "now()", "(current_timestamp(0))"),
            ("datetime(6)", "current_timestamp(6)", "NOW(6)"),
            ("decimal(10,2)", "1", "1.00"),
            ("int", "'5'", "5"),
            ("int", "+5", "5"),
            ("tinyint(1)", "true", "1"),
            ("varchar(10)", "'it''s'", "'it\\'s'"),
            ("varchar(10)", "5", "'5'"),
            ("bit(3)", "b'101'", "5"),
            ("bit(3)", "b'001'", "b'1'"),
            ("varchar(36)", "uuid()", "(UUID())"),
            ("double", "1e3", "1000"),
        ] {
            let column_type = parse(column_type);
            assert_eq!(
                default(one, &column_type),
                default(other, &column_type),
                "{one} and {other}"
            );
        }
        assert_eq!(default("NULL", &parse("int")), None);
    }

    #[test]
    fn defaults_that_mean_something_else_are_different() {
        for (column_type, one, other) in [
            ("int", "5", "7"),
            ("int", "5", "-5"),
            ("varchar(10)", "'x'", "'X'"),
            ("varchar(10)", "''", "' '"),
            ("varchar(10)", "'now()'", "now()"),
            ("datetime(6)", "now(6)", "now()"),
        ] {
            let column_type = parse(column_type);
            assert_ne!(
                default(one, &column_type),
                default(other, &column_type),
                "{one} and {other}"
            );
        }
    }

    #[test]
    fn expressions_of_both_servers_meet() {
        assert_eq!(
            expression("(`x` > 0 and `s` = _utf8mb4'a')"),
            expression("`X` > 0 AND `s` = 'a'")
        );
        assert_eq!(short_expression("(`x` > 0)"), "x > 0");
        assert_eq!(short_expression("`a b` <> _utf8mb4'`c`'"), "`a b` <> '`c`'");
    }

    #[test]
    fn only_the_name_of_the_database_is_taken_out_of_a_view() {
        assert_eq!(
            without_database(
                "select `app`.`t`.`id` AS `id`,`app`.`f`(1) AS `app`,'`app`.`t`' AS `s` \
                 from ((`app`.`t` join `app`.`p` on(`app`.`p`.`a` = `app`.`t`.`b`)) \
                 left join `app`.`q` `app` on(`app`.`id` = 1)) where (`app`.`id` > 1)",
                "app"
            ),
            "select `t`.`id` AS `id`,`f`(1) AS `app`,'`app`.`t`' AS `s` \
             from ((`t` join `p` on(`p`.`a` = `t`.`b`)) \
             left join `q` `app` on(`app`.`id` = 1)) where (`app`.`id` > 1)"
        );
    }

    #[test]
    fn renaming_leaves_strings_and_functions_alone() {
        assert_eq!(
            rename_identifier("`a` > 0 and a(`b`) <> 'a'", "a", "n"),
            "`n` > 0 and a(`b`) <> 'a'"
        );
    }
}
