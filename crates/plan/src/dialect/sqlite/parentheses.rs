//! Parentheses that say nothing, by how strongly SQLite's operators bind.

use crate::dialect::tokens::{Token, closing};
use crate::sql::lexer::TokenKind;

/// How strongly something binds that is no operator.
const ATOM: u8 = 100;
const UNARY: u8 = 90;
const COMPARISON: u8 = 40;
const NOT: u8 = 30;
const AND: u8 = 20;
const OR: u8 = 10;

/// The tokens without parentheses around what binds together anyway. Where that is not certain, they
/// stay.
pub(super) fn without_needless<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let mut tokens = tokens.to_vec();
    // The AND of BETWEEN looks like any other.
    let is_tricky = tokens
        .iter()
        .any(|token| token.is_word("between") || token.is_word("case"));
    let mut at = 0;
    while at < tokens.len() {
        let close = tokens[at]
            .is_sign("(")
            .then(|| closing(&tokens, at))
            .flatten();
        match close {
            Some(close) if is_needless(&tokens, at, close, is_tricky) => {
                tokens.remove(close);
                tokens.remove(at);
            }
            _ => at += 1,
        }
    }
    tokens
}

fn is_needless(tokens: &[Token<'_>], open: usize, close: usize, is_tricky: bool) -> bool {
    let (Some(left), Some(right)) = (before(tokens, open), after(tokens.get(close + 1))) else {
        return false;
    };
    let Some(inner) = weakest(&tokens[open + 1..close]) else {
        return false;
    };
    if is_tricky && inner < UNARY {
        return false;
    }
    let is_associative = inner == AND || inner == OR;
    (inner > left || (is_associative && inner == left)) && inner >= right
}

/// How strongly what stands before a parenthesis binds to it. Nothing where the parenthesis belongs
/// to it.
fn before(tokens: &[Token<'_>], open: usize) -> Option<u8> {
    let Some(at) = open.checked_sub(1) else {
        return Some(0);
    };
    let token = &tokens[at];
    match token.kind {
        TokenKind::Word => {
            const BOUNDARIES: [&str; 8] = [
                "where", "when", "then", "else", "on", "having", "select", "check",
            ];
            if BOUNDARIES.iter().any(|word| token.is_word(word)) {
                Some(0)
            } else if token.is_word("in") {
                None
            } else {
                operator(token)
            }
        }
        _ if token.is_sign("(") || token.is_sign(",") || token.is_sign(";") => Some(0),
        _ if token.is_sign(")") || token.is_sign(".") => None,
        _ if is_unary(tokens, at) => Some(UNARY),
        _ => operator(token),
    }
}

/// How strongly what stands behind a parenthesis binds to it. Nothing where that is not known.
fn after(token: Option<&Token<'_>>) -> Option<u8> {
    const BOUNDARIES: [&str; 10] = [
        "then", "else", "end", "when", "order", "group", "limit", "having", "union", "begin",
    ];
    let Some(token) = token else { return Some(0) };
    if token.is_sign(")")
        || token.is_sign(",")
        || token.is_sign(";")
        || BOUNDARIES.iter().any(|word| token.is_word(word))
    {
        return Some(0);
    }
    operator(token)
}

/// How strongly the weakest operator of an expression binds. Nothing for what is no expression.
fn weakest(tokens: &[Token<'_>]) -> Option<u8> {
    const NO_EXPRESSION: [&str; 9] = [
        "select", "with", "values", "from", "as", "distinct", "over", "filter", "between",
    ];
    let mut weakest = ATOM;
    let mut at = 0;
    if tokens.is_empty() {
        return None;
    }
    while at < tokens.len() {
        let token = &tokens[at];
        if token.is_sign("(") {
            at = closing(tokens, at)? + 1;
            continue;
        }
        if token.is_sign(",") || NO_EXPRESSION.iter().any(|word| token.is_word(word)) {
            return None;
        }
        let strength = if is_unary(tokens, at) {
            Some(UNARY)
        } else {
            operator(token)
        };
        if let Some(strength) = strength {
            weakest = weakest.min(strength);
        }
        at += 1;
    }
    Some(weakest)
}

/// Whether the sign at this position belongs to what follows alone.
fn is_unary(tokens: &[Token<'_>], at: usize) -> bool {
    let token = &tokens[at];
    if token.is_sign("~") {
        return true;
    }
    if !token.is_sign("-") && !token.is_sign("+") {
        return false;
    }
    match at.checked_sub(1).map(|at| &tokens[at]) {
        None => true,
        Some(previous) if previous.is_sign(")") => false,
        Some(previous) => match previous.kind {
            TokenKind::Number | TokenKind::String | TokenKind::QuotedIdentifier => false,
            TokenKind::Word => operator(previous).is_some(),
            _ => true,
        },
    }
}

/// How strongly an operator binds (<https://sqlite.org/lang_expr.html>). Nothing for what is none.
fn operator(token: &Token<'_>) -> Option<u8> {
    if token.kind == TokenKind::Word {
        return Some(match token.text.to_ascii_lowercase().as_str() {
            "collate" => 85,
            "escape" => 50,
            "is" | "in" | "like" | "glob" | "match" | "regexp" | "isnull" | "notnull"
            | "between" => COMPARISON,
            "not" => NOT,
            "and" => AND,
            "or" => OR,
            _ => return None,
        });
    }
    if !matches!(token.kind, TokenKind::Operator | TokenKind::Punctuation) {
        return None;
    }
    Some(match token.text {
        "||" | "->" | "->>" => 80,
        "*" | "/" | "%" => 70,
        "+" | "-" => 65,
        "&" | "|" | "<<" | ">>" => 60,
        "<" | ">" | "<=" | ">=" => 55,
        "=" | "==" | "<>" | "!=" => COMPARISON,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::canonical::expression;

    #[test]
    fn what_binds_together_anyway_needs_no_parentheses() {
        for (one, other) in [
            ("(x > 0) AND (x < 9)", "x > 0 AND x < 9"),
            ("x > (-1)", "x > -1"),
            ("((x = 1) OR (s = 'a'))", "x = 1 OR s = 'a'"),
            ("(x % 2) = 0", "x % 2 = 0"),
            ("(a) * 2", "a*2"),
            ("NOT (x = 1)", "NOT x = 1"),
            ("(a + b) + c", "a + b + c"),
            ("a AND (b AND c)", "a AND b AND c"),
            ("lower((s))", "lower(s)"),
            ("(x) BETWEEN (1) AND (5)", "x BETWEEN 1 AND 5"),
        ] {
            assert_eq!(expression(one), expression(other), "{one} / {other}");
        }
    }

    #[test]
    fn parentheses_that_change_the_meaning_stay() {
        for (one, other) in [
            ("(a + b) * c", "a + b * c"),
            ("a - (b - c)", "a - b - c"),
            ("NOT (a AND b)", "NOT a AND b"),
            ("(a OR b) AND c", "a OR b AND c"),
            ("-(a + b)", "-a + b"),
            ("(a, b) IN (SELECT 1, 2)", "a, b IN (SELECT 1, 2)"),
            ("x IN (1)", "x IN 1"),
            ("(x BETWEEN 1 AND 2) = y", "x BETWEEN 1 AND 2 = y"),
            ("(a = b) IS c", "a = (b IS c)"),
            ("f(a)", "f a"),
        ] {
            assert_ne!(expression(one), expression(other), "{one} / {other}");
        }
    }
}
