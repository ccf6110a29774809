//! Spellings that are equal for equal meaning.

use super::parentheses::without_needless;
use crate::dialect::Dialect;
use crate::dialect::tokens::{Token, significant, unquote, without_outer_parentheses};
use crate::schema::ColumnType;
use crate::sql::lexer::{Span, TokenKind};

/// How SQLite stores the values of a column (<https://sqlite.org/datatype3.html>, section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Affinity {
    /// Whole numbers where they can be.
    Integer,
    /// Text.
    Text,
    /// As it comes.
    Blob,
    /// Floating point numbers.
    Real,
    /// Numbers where they can be.
    Numeric,
}

/// The affinity of a declared type.
pub fn affinity(declared: &str) -> Affinity {
    let declared = declared.to_ascii_uppercase();
    let has = |word: &str| declared.contains(word);
    if has("INT") {
        Affinity::Integer
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        Affinity::Text
    } else if has("BLOB") || declared.trim().is_empty() {
        Affinity::Blob
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        Affinity::Real
    } else {
        Affinity::Numeric
    }
}

/// Whether the two types mean the same: values are stored in the same way, or the declarations are
/// two that SeaORM has written for one Rust type (`uuid` and `uuid_text`, `boolean` and `integer`).
pub(crate) fn same_type(from: &ColumnType, to: &ColumnType) -> bool {
    let without_suffix = |column_type: &ColumnType| {
        let base = column_type.base.as_str();
        base.strip_suffix("_text").unwrap_or(base).to_owned()
    };
    let is_boolean =
        |column_type: &ColumnType| matches!(column_type.base.as_str(), "boolean" | "bool");
    let (from_affinity, to_affinity) = (affinity(&from.text), affinity(&to.text));
    from.text == to.text
        || from_affinity == to_affinity
        || without_suffix(from) == without_suffix(to)
        || (is_boolean(from) && to_affinity == Affinity::Integer)
        || (is_boolean(to) && from_affinity == Affinity::Integer)
}

/// The type that a column of this declared type has in a `STRICT` table, which knows six names only.
pub(crate) fn strict_type(column_type: &ColumnType) -> ColumnType {
    const KNOWN: [&str; 6] = ["int", "integer", "real", "text", "blob", "any"];
    if KNOWN.contains(&column_type.text.as_str()) {
        return column_type.clone();
    }
    let name = match affinity(&column_type.text) {
        Affinity::Integer => "integer",
        Affinity::Text => "text",
        Affinity::Blob if column_type.text.is_empty() => "any",
        Affinity::Blob => "blob",
        Affinity::Real => "real",
        Affinity::Numeric if matches!(column_type.base.as_str(), "boolean" | "bool") => "integer",
        Affinity::Numeric => "any",
    };
    ColumnType::builtin(name)
}

/// Whether a default can stand without parentheses: a number with or without sign, a string, a blob
/// or a word such as `CURRENT_TIMESTAMP` and `true`.
pub(crate) fn is_literal(default: &str) -> bool {
    let tokens = significant(default, Dialect::Sqlite);
    let unsigned = match tokens.as_slice() {
        [sign, rest @ ..] if sign.is_sign("-") || sign.is_sign("+") => rest,
        all => all,
    };
    match unsigned {
        [token] => matches!(
            token.kind,
            TokenKind::Number | TokenKind::String | TokenKind::Word | TokenKind::QuotedIdentifier
        ),
        _ => false,
    }
}

/// Whether `ADD COLUMN` takes the default on a table with rows: its value must be known without
/// evaluating anything.
pub(crate) fn is_constant(default: &str) -> bool {
    is_literal(default)
        && !["current_time", "current_date", "current_timestamp"]
            .contains(&default.trim().to_ascii_lowercase().as_str())
}

/// A spelling of a default that is equal for equal stored values.
pub(crate) fn default(default: &str, column_type: &ColumnType) -> Option<String> {
    let tokens = significant(default, Dialect::Sqlite);
    let tokens = without_outer_parentheses(&tokens);
    let (negative, value) = match tokens {
        [sign, rest @ ..] if sign.is_sign("-") => (true, rest),
        [sign, rest @ ..] if sign.is_sign("+") => (false, rest),
        all => (false, all),
    };
    let [token] = value else {
        return Some(expression(default));
    };
    let affinity = affinity(&column_type.text);
    let literal = match token.kind {
        TokenKind::Word => match token.text.to_ascii_lowercase().as_str() {
            "null" => return None,
            "true" => Literal::Number("1".to_owned()),
            "false" => Literal::Number("0".to_owned()),
            word @ ("current_time" | "current_date" | "current_timestamp") => {
                return Some(word.to_owned());
            }
            // Any other word, and a name in quotes, is taken for a string.
            _ => Literal::Text(token.text.to_owned()),
        },
        TokenKind::Number => Literal::Number(token.text.replace('_', "")),
        TokenKind::String if token.text.starts_with(['x', 'X']) => {
            return Some(token.text.to_ascii_lowercase());
        }
        TokenKind::String | TokenKind::QuotedIdentifier => Literal::Text(unquote(token.text)),
        _ => return Some(expression(default)),
    };
    Some(stored(literal, negative, affinity))
}

enum Literal {
    Number(String),
    Text(String),
}

/// The literal as SQLite stores it in a column of the affinity.
fn stored(literal: Literal, negative: bool, affinity: Affinity) -> String {
    let sign = if negative { "-" } else { "" };
    let is_numeric = matches!(
        affinity,
        Affinity::Integer | Affinity::Numeric | Affinity::Real
    );
    match literal {
        Literal::Number(text) => {
            let text = format!("{sign}{text}");
            if affinity == Affinity::Text {
                quote(&number(&text, Affinity::Blob).unwrap_or(text))
            } else {
                number(&text, affinity).unwrap_or(text)
            }
        }
        Literal::Text(text) if is_numeric && !negative => {
            number(text.trim(), affinity).unwrap_or_else(|| quote(&text))
        }
        Literal::Text(text) => format!("{sign}{}", quote(&text)),
    }
}

fn quote(text: &str) -> String {
    super::write::string(text)
}

/// A number in its shortest spelling: whole where its affinity makes it whole.
fn number(text: &str, affinity: Affinity) -> Option<String> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(if affinity == Affinity::Real {
            format!("{whole}.0")
        } else {
            whole.to_string()
        });
    }
    let hexadecimal = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))
        .and_then(|digits| i64::from_str_radix(digits, 16).ok());
    if let Some(whole) = hexadecimal {
        return Some(whole.to_string());
    }
    let is_decimal = text
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    let value = text.parse::<f64>().ok().filter(|_| is_decimal)?;
    let makes_whole = matches!(affinity, Affinity::Integer | Affinity::Numeric);
    let shortest = value.to_string();
    if makes_whole && value.fract() == 0.0 && value.abs() < 9e15 {
        return Some(shortest);
    }
    Some(if shortest.contains('.') {
        shortest
    } else {
        format!("{shortest}.0")
    })
}

/// A spelling of an expression or statement that is equal for expressions that differ in blanks,
/// comments, case of names and keywords, quotes around names, and needless parentheses only.
pub(crate) fn expression(text: &str) -> String {
    let tokens = significant(text, Dialect::Sqlite);
    let tokens = without_needless(without_outer_parentheses(&tokens));
    let words: Vec<String> = tokens
        .iter()
        .filter(|token| !token.is_sign(";"))
        .map(canonical_token)
        .collect();
    words.join(" ")
}

fn canonical_token(token: &Token<'_>) -> String {
    match token.kind {
        TokenKind::Word | TokenKind::Number => token.text.to_ascii_lowercase(),
        TokenKind::QuotedIdentifier => {
            let name = unquote(token.text).to_ascii_lowercase();
            if is_plain(&name) {
                name
            } else {
                super::write::quoted(&name)
            }
        }
        TokenKind::String if token.text.starts_with(['x', 'X']) => token.text.to_ascii_lowercase(),
        TokenKind::Operator => match token.text {
            "==" => "=".to_owned(),
            "!=" => "<>".to_owned(),
            other => other.to_owned(),
        },
        _ => token.text.to_owned(),
    }
}

/// Whether a name needs no quotes, keywords aside.
fn is_plain(name: &str) -> bool {
    name.chars()
        .enumerate()
        .all(|(at, c)| c == '_' || c.is_alphabetic() || (at > 0 && c.is_ascii_digit()))
}

/// The expression without parentheses that enclose all of it, for people.
pub(crate) fn short_expression(text: &str) -> String {
    let tokens = significant(text, Dialect::Sqlite);
    match without_outer_parentheses(&tokens) {
        [first, .., last] => super::tidy(&text[first.span.start..last.span.end]),
        [only] => only.text.to_owned(),
        [] => String::new(),
    }
}

/// The expression after the column or table `from` got the name `to`. What is called, and what
/// belongs to another table, is no column.
pub(crate) fn rename_identifier(text: &str, from: &str, to: &str) -> String {
    let tokens = significant(text, Dialect::Sqlite);
    let mut renamed = String::with_capacity(text.len());
    let mut at = 0;
    for (position, token) in tokens.iter().enumerate() {
        let is_name = match token.kind {
            TokenKind::Word => token.text.eq_ignore_ascii_case(from),
            TokenKind::QuotedIdentifier => unquote(token.text).eq_ignore_ascii_case(from),
            _ => false,
        };
        let is_called = tokens
            .get(position + 1)
            .is_some_and(|next| next.is_sign("("));
        if is_name && !is_called {
            renamed.push_str(&text[at..token.span.start]);
            renamed.push_str(&super::write::quoted(to));
            at = token.span.end;
        }
    }
    renamed.push_str(&text[at..]);
    renamed
}

/// Where the name of the table stands before a column, each with its dot.
pub(crate) fn qualifiers(text: &str, table: &str) -> Vec<Span> {
    significant(text, Dialect::Sqlite)
        .windows(2)
        .filter(|pair| {
            let is_name = match pair[0].kind {
                TokenKind::Word => pair[0].text.eq_ignore_ascii_case(table),
                TokenKind::QuotedIdentifier => unquote(pair[0].text).eq_ignore_ascii_case(table),
                _ => false,
            };
            is_name && pair[1].is_sign(".")
        })
        .map(|pair| Span {
            start: pair[0].span.start,
            end: pair[1].span.end,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::sqlite::read::column_type;

    fn same_default(declared: &str, one: &str, other: &str) -> bool {
        let column_type = column_type(declared);
        default(one, &column_type) == default(other, &column_type)
    }

    #[test]
    fn affinity_follows_the_rules_of_the_manual() {
        for (declared, expected) in [
            ("integer", Affinity::Integer),
            ("unsigned big int", Affinity::Integer),
            ("varchar(255)", Affinity::Text),
            ("datetime_text", Affinity::Text),
            ("blob", Affinity::Blob),
            ("", Affinity::Blob),
            ("double precision", Affinity::Real),
            ("decimal(10,5)", Affinity::Numeric),
            ("boolean", Affinity::Numeric),
            // "floating point" holds INT, which comes first.
            ("floating point", Affinity::Integer),
        ] {
            assert_eq!(affinity(declared), expected, "{declared}");
        }
    }

    #[test]
    fn declarations_that_store_alike_are_one_type() {
        let same = |from: &str, to: &str| same_type(&column_type(from), &column_type(to));
        for (from, to) in [
            ("bigint", "integer"),
            ("varchar(20)", "text"),
            ("uuid", "uuid_text"),
            ("datetime", "datetime_text"),
            ("boolean", "integer"),
            ("double", "real"),
        ] {
            assert!(same(from, to) && same(to, from), "{from} and {to}");
        }
        for (from, to) in [
            ("integer", "text"),
            ("decimal(10,2)", "integer"),
            ("decimal(10,2)", "text"),
            ("real", "integer"),
            ("blob", "text"),
        ] {
            assert!(!same(from, to) && !same(to, from), "{from} and {to}");
        }
    }

    #[test]
    fn defaults_that_store_the_same_value_are_the_same() {
        for (declared, one, other) in [
            ("integer", "5", "(5)"),
            ("integer", "5", "'5'"),
            ("integer", "1", "1.0"),
            ("integer", "+5", "5"),
            ("boolean", "true", "1"),
            ("boolean", "FALSE", "0"),
            ("text", "'x'", "(('x'))"),
            ("text", "\"x\"", "'x'"),
            ("text", "5", "'5'"),
            ("real", "1", "1.0"),
            ("numeric", "1.50", "1.5"),
            ("datetime", "CURRENT_TIMESTAMP", "(current_timestamp)"),
            ("text", "(datetime('now'))", "( DATETIME( 'now' ) )"),
            ("blob", "x'AB'", "X'ab'"),
        ] {
            assert!(
                same_default(declared, one, other),
                "{declared}: {one}, {other}"
            );
        }
        assert_eq!(default("(NULL)", &column_type("text")), None);
    }

    #[test]
    fn defaults_that_store_different_values_are_different() {
        for (declared, one, other) in [
            ("integer", "5", "7"),
            ("integer", "5", "-5"),
            ("text", "'x'", "'X'"),
            ("text", "''", "' '"),
            ("text", "1.0", "1"),
            ("blob", "'5'", "5"),
            ("text", "'CURRENT_TIMESTAMP'", "CURRENT_TIMESTAMP"),
        ] {
            assert!(
                !same_default(declared, one, other),
                "{declared}: {one}, {other}"
            );
        }
    }

    #[test]
    fn expressions_that_differ_in_spelling_only_are_the_same() {
        for (one, other) in [
            ("x > 0", "(  X>0 )"),
            ("x <> 'a'", "\"x\" != 'a' -- note"),
            ("[a b] == 1", "\"A b\" = 1"),
            ("length(x) > 1", "LENGTH( `x` ) /* c */ > 1"),
        ] {
            assert_eq!(expression(one), expression(other));
        }
        assert_ne!(expression("x > 'a'"), expression("x > 'A'"));
        assert_ne!(expression("(a) or (b)"), expression("a or b)"));
    }

    #[test]
    fn renaming_leaves_strings_functions_and_longer_names_alone() {
        assert_eq!(
            rename_identifier("a > 0 AND a(b.\"A\") <> 'a' AND aa", "a", "n"),
            "\"n\" > 0 AND a(b.\"n\") <> 'a' AND aa"
        );
    }
}
