//! Expressions as trees, so that what a person wrote and what a server made of it are equal.
//!
//! A server does not keep an expression as it was written: `NOT (a = 1)` becomes `` `a` <> 1 ``,
//! `lower(b)` becomes `` lcase(`b`) ``, a column among conditions is compared with zero. Only what is
//! known to come back with the same meaning in the same form is understood here; of all else nothing
//! is said.

use crate::dialect::Dialect;
use crate::dialect::tokens::{Token, significant};
use crate::sql::lexer::TokenKind;

use super::canonical::string_value;
use super::write::string;

/// One spelling for all expressions that the servers make the same of; nothing where the expression is
/// not understood.
pub(crate) fn of(text: &str) -> Option<String> {
    let mut reader = Reader {
        tokens: significant(text, Dialect::Mysql),
        at: 0,
    };
    let node = reader.disjunction()?;
    reader.peek().is_none().then(|| node.written())
}

/// A part of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    /// A column, a number, a string.
    Leaf(String),
    Call(String, Vec<Node>),
    /// Any other operator with its operands.
    Operation(String, Vec<Node>),
    /// A comparison of two values that has an opposite.
    Comparison(&'static str, Box<Node>, Box<Node>),
    /// `IN`, `BETWEEN`, `LIKE`, `IS NULL`, which have an opposite by a word.
    Test {
        name: &'static str,
        holds: bool,
        operands: Vec<Node>,
    },
    /// What has no opposite of its own.
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
}

/// Comparisons, each with its opposite.
const OPPOSITES: [(&str, &str); 6] = [
    ("=", "<>"),
    ("<>", "="),
    ("<", ">="),
    (">=", "<"),
    (">", "<="),
    ("<=", ">"),
];

impl Node {
    fn written(&self) -> String {
        let list = |nodes: &[Self]| -> String {
            let words: Vec<String> = nodes.iter().map(Self::written).collect();
            words.join(" ")
        };
        match self {
            Self::Leaf(text) => text.clone(),
            Self::Call(name, operands) => format!("({name}() {})", list(operands)),
            Self::Operation(name, operands) => format!("({name} {})", list(operands)),
            Self::Comparison(name, left, right) => {
                format!("({name} {} {})", left.written(), right.written())
            }
            Self::Test {
                name,
                holds,
                operands,
            } => {
                let not = if *holds { "" } else { "not " };
                format!("({not}{name} {})", list(operands))
            }
            Self::Not(inner) => format!("(not {})", inner.written()),
            Self::And(operands) => format!("(and {})", list(operands)),
            Self::Or(operands) => format!("(or {})", list(operands)),
        }
    }

    /// As one of several conditions, where a value counts as true unless it is zero.
    fn condition(self) -> Self {
        match self {
            Self::Leaf(_) | Self::Call(..) | Self::Operation(..) => {
                Self::Comparison("<>", Box::new(self), Box::new(Self::Leaf("0".to_owned())))
            }
            other => other,
        }
    }

    /// What holds where this does not.
    fn negated(self) -> Self {
        match self.condition() {
            Self::Comparison(name, left, right) => {
                let opposite = OPPOSITES.iter().find(|(one, _)| *one == name);
                Self::Comparison(opposite.map_or(name, |(_, other)| *other), left, right)
            }
            Self::Test {
                name,
                holds,
                operands,
            } => Self::Test {
                name,
                holds: !holds,
                operands,
            },
            Self::Not(inner) => *inner,
            Self::And(operands) => Self::Or(operands.into_iter().map(Self::negated).collect()),
            Self::Or(operands) => Self::And(operands.into_iter().map(Self::negated).collect()),
            other => Self::Not(Box::new(other)),
        }
    }
}

/// Names of one function, the first of which stands for all.
const SYNONYMS: [(&str, &str); 14] = [
    ("lcase", "lower"),
    ("ucase", "upper"),
    ("octet_length", "length"),
    ("substring", "substr"),
    ("mid", "substr"),
    ("ceiling", "ceil"),
    ("power", "pow"),
    ("character_length", "char_length"),
    ("day", "dayofmonth"),
    ("sha1", "sha"),
    ("current_date", "curdate"),
    ("current_time", "curtime"),
    ("now", "current_timestamp"),
    ("localtimestamp", "current_timestamp"),
];

/// Functions that come back under this name, or one of its synonyms, with these operands.
const FUNCTIONS: [&str; 60] = [
    "abs",
    "ascii",
    "bit_count",
    "ceil",
    "char_length",
    "coalesce",
    "concat",
    "concat_ws",
    "crc32",
    "curdate",
    "current_timestamp",
    "curtime",
    "dayofmonth",
    "dayofweek",
    "dayofyear",
    "field",
    "find_in_set",
    "floor",
    "greatest",
    "hex",
    "hour",
    "if",
    "ifnull",
    "json_array",
    "json_extract",
    "json_length",
    "json_object",
    "json_type",
    "json_unquote",
    "json_valid",
    "last_day",
    "least",
    "left",
    "length",
    "locate",
    "lower",
    "lpad",
    "ltrim",
    "md5",
    "minute",
    "mod",
    "month",
    "nullif",
    "pow",
    "quarter",
    "repeat",
    "replace",
    "reverse",
    "right",
    "round",
    "rpad",
    "rtrim",
    "second",
    "sha",
    "sign",
    "sqrt",
    "strcmp",
    "substr",
    "to_days",
    "upper",
];

/// Functions that are known and stand apart because of the length of the list above.
const FURTHER_FUNCTIONS: [&str; 8] = [
    "sha2",
    "trim",
    "truncate",
    "unhex",
    "unix_timestamp",
    "uuid",
    "weekday",
    "year",
];

/// Words that are no names where an operand is expected.
const NO_NAMES: [&str; 14] = [
    "all", "any", "array", "binary", "default", "distinct", "exists", "from", "interval", "match",
    "row", "select", "values", "when",
];

struct Reader<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.at)
    }

    fn is_word(&self, word: &str) -> bool {
        self.peek().is_some_and(|token| token.is_word(word))
    }

    fn skip_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn skip_sign(&mut self, sign: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.is_sign(sign));
        self.at += usize::from(found);
        found
    }

    fn skip_any_sign<'s>(&mut self, signs: &[&'s str]) -> Option<&'s str> {
        let found = signs.iter().find(|sign| self.skip_sign(sign));
        found.copied()
    }

    fn disjunction(&mut self) -> Option<Node> {
        let first = self.conjunction()?;
        if !self.is_word("or") {
            return Some(first);
        }
        let mut operands = Vec::new();
        let mut next = first;
        loop {
            match next.condition() {
                Node::Or(inner) => operands.extend(inner),
                other => operands.push(other),
            }
            if !self.skip_word("or") {
                return Some(Node::Or(operands));
            }
            next = self.conjunction()?;
        }
    }

    fn conjunction(&mut self) -> Option<Node> {
        let first = self.negation()?;
        let is_and = |reader: &mut Self| reader.skip_word("and") || reader.skip_sign("&&");
        let mut operands = Vec::new();
        let mut next = first;
        if !is_and(self) {
            return Some(next);
        }
        loop {
            match next.condition() {
                Node::And(inner) => operands.extend(inner),
                other => operands.push(other),
            }
            if operands.len() > 1 && !is_and(self) {
                return Some(Node::And(operands));
            }
            next = self.negation()?;
        }
    }

    fn negation(&mut self) -> Option<Node> {
        if self.skip_word("not") {
            return Some(self.negation()?.negated());
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Option<Node> {
        let mut left = self.predicate()?;
        loop {
            if self.skip_word("is") {
                let holds = !self.skip_word("not");
                let name = if self.skip_word("null") || self.skip_word("unknown") {
                    "null"
                } else if self.skip_word("true") {
                    "true"
                } else if self.skip_word("false") {
                    "false"
                } else {
                    return None;
                };
                let test = Node::Test {
                    name,
                    holds: true,
                    operands: vec![left],
                };
                left = if holds { test } else { test.negated() };
                continue;
            }
            let signs = ["<=>", ">=", "<=", "<>", "!=", "=", "<", ">"];
            let Some(sign) = self.skip_any_sign(&signs) else {
                return Some(left);
            };
            let right = self.predicate()?;
            let sign = if sign == "!=" { "<>" } else { sign };
            left = match OPPOSITES.iter().find(|(one, _)| *one == sign) {
                Some((name, _)) => Node::Comparison(name, Box::new(left), Box::new(right)),
                None => Node::Test {
                    name: "<=>",
                    holds: true,
                    operands: vec![left, right],
                },
            };
        }
    }

    fn predicate(&mut self) -> Option<Node> {
        let left = self.bits(0)?;
        let holds = !self.skip_word("not");
        if self.skip_word("in") {
            if !self.skip_sign("(") {
                return None;
            }
            let mut operands = self.operands()?;
            operands.insert(0, left);
            if let [left, right] = operands.as_slice() {
                let name = if holds { "=" } else { "<>" };
                let (left, right) = (Box::new(left.clone()), Box::new(right.clone()));
                return Some(Node::Comparison(name, left, right));
            }
            return Some(Node::Test {
                name: "in",
                holds,
                operands,
            });
        }
        let (name, operands) = if self.skip_word("between") {
            let low = self.bits(0)?;
            if !self.skip_word("and") {
                return None;
            }
            ("between", vec![left, low, self.bits(0)?])
        } else if self.skip_word("like") {
            let mut operands = vec![left, self.bits(0)?];
            if self.skip_word("escape") {
                operands.push(self.bits(0)?);
            }
            ("like", operands)
        } else if self.skip_word("regexp") || self.skip_word("rlike") {
            ("regexp", vec![left, self.bits(0)?])
        } else if holds {
            return Some(left);
        } else {
            return None;
        };
        Some(Node::Test {
            name,
            holds,
            operands,
        })
    }

    /// Operators that join values, the loosest ones first.
    fn bits(&mut self, level: usize) -> Option<Node> {
        const LEVELS: [&[&str]; 6] = [
            &["|"],
            &["&"],
            &["<<", ">>"],
            &["+", "-"],
            &["*", "/", "%"],
            &["^"],
        ];
        let Some(signs) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.bits(level + 1)?;
        loop {
            let word = if level == 4 && self.skip_word("div") {
                "div"
            } else if level == 4 && self.skip_word("mod") {
                "mod"
            } else if let Some(sign) = self.skip_any_sign(signs) {
                if sign == "%" { "mod" } else { sign }
            } else {
                return Some(left);
            };
            let right = self.bits(level + 1)?;
            left = Node::Operation(word.to_owned(), vec![left, right]);
        }
    }

    fn unary(&mut self) -> Option<Node> {
        if self.skip_sign("-") {
            return match self.unary()? {
                Node::Leaf(number) if number.starts_with(|c: char| c.is_ascii_digit()) => {
                    Some(Node::Leaf(format!("-{number}")))
                }
                // Two signs in a row read as one word that means something else.
                Node::Leaf(number) if number.starts_with('-') => None,
                Node::Operation(name, _) if name == "-" => None,
                operand => Some(Node::Operation("-".to_owned(), vec![operand])),
            };
        }
        if self.skip_sign("+") {
            return match self.unary()? {
                Node::Leaf(number) if number.starts_with(|c: char| c.is_ascii_digit()) => {
                    Some(Node::Leaf(number))
                }
                _ => None,
            };
        }
        if self.skip_sign("~") {
            return Some(Node::Operation("~".to_owned(), vec![self.unary()?]));
        }
        if self.skip_sign("!") {
            return Some(self.unary()?.negated());
        }
        let operand = self.primary()?;
        if self.skip_word("collate") {
            let token = self.peek()?;
            let name = token.name()?.to_lowercase();
            self.at += 1;
            return Some(Node::Operation(
                "collate".to_owned(),
                vec![operand, Node::Leaf(name)],
            ));
        }
        Some(operand)
    }

    fn primary(&mut self) -> Option<Node> {
        let token = *self.peek()?;
        self.at += 1;
        let is_called = self.peek().is_some_and(|next| next.is_sign("("));
        match token.kind {
            TokenKind::Punctuation if token.is_sign("(") => {
                let inner = self.disjunction()?;
                self.skip_sign(")").then_some(inner)
            }
            TokenKind::Number => number(token.text).map(Node::Leaf),
            TokenKind::String if token.text.starts_with(['\'', '"']) => {
                let is_one = self
                    .peek()
                    .is_none_or(|next| next.kind != TokenKind::String);
                is_one.then(|| Node::Leaf(string(&string_value(token.text))))
            }
            TokenKind::QuotedIdentifier if !self.is_qualified() => {
                let name = crate::dialect::tokens::unquote(token.text).to_lowercase();
                Some(Node::Leaf(format!("`{name}`")))
            }
            TokenKind::Word if is_called => self.call(&token.text.to_ascii_lowercase()),
            TokenKind::Word => self.word(token.text),
            _ => None,
        }
    }

    fn is_qualified(&self) -> bool {
        self.peek().is_some_and(|next| next.is_sign("."))
    }

    fn word(&mut self, text: &str) -> Option<Node> {
        let lower = text.to_lowercase();
        let before_string = self
            .peek()
            .is_some_and(|next| next.kind == TokenKind::String);
        Some(match lower.as_str() {
            "case" => return self.case(),
            "true" => Node::Leaf("1".to_owned()),
            "false" => Node::Leaf("0".to_owned()),
            "null" => Node::Leaf("null".to_owned()),
            "current_timestamp" | "localtimestamp" | "localtime" => {
                Node::Call("current_timestamp".to_owned(), Vec::new())
            }
            "current_date" => Node::Call("curdate".to_owned(), Vec::new()),
            "current_time" => Node::Call("curtime".to_owned(), Vec::new()),
            // The character set of what follows.
            _ if lower.starts_with('_') && before_string => return self.primary(),
            _ if before_string || self.is_qualified() || NO_NAMES.contains(&lower.as_str()) => {
                return None;
            }
            _ => Node::Leaf(format!("`{lower}`")),
        })
    }

    fn call(&mut self, name: &str) -> Option<Node> {
        if !self.skip_sign("(") {
            return None;
        }
        let mut operands = self.operands()?;
        let synonym = SYNONYMS.iter().find(|(other, _)| *other == name);
        let name = synonym.map_or(name, |(_, one)| *one);
        match (name, operands.as_slice()) {
            ("mod", [_, _]) => return Some(Node::Operation("mod".to_owned(), operands)),
            ("isnull", [_]) => {
                return Some(Node::Test {
                    name: "null",
                    holds: true,
                    operands,
                });
            }
            ("instr", [_, _]) => {
                operands.reverse();
                return Some(Node::Call("locate".to_owned(), operands));
            }
            ("current_timestamp" | "curtime", [Node::Leaf(digits)]) if digits == "0" => {
                operands.clear();
            }
            _ => {}
        }
        let is_known = FUNCTIONS.contains(&name) || FURTHER_FUNCTIONS.contains(&name);
        is_known.then(|| Node::Call(name.to_owned(), operands))
    }

    /// Up to the parenthesis that closes the list.
    fn operands(&mut self) -> Option<Vec<Node>> {
        let mut operands = Vec::new();
        if self.skip_sign(")") {
            return Some(operands);
        }
        loop {
            operands.push(self.disjunction()?);
            if self.skip_sign(")") {
                return Some(operands);
            }
            if !self.skip_sign(",") {
                return None;
            }
        }
    }

    fn case(&mut self) -> Option<Node> {
        let mut operands = Vec::new();
        let has_subject = !self.is_word("when");
        if has_subject {
            operands.push(self.disjunction()?);
        }
        while self.skip_word("when") {
            operands.push(self.disjunction()?);
            if !self.skip_word("then") {
                return None;
            }
            operands.push(self.disjunction()?);
        }
        let has_else = self.skip_word("else");
        if has_else {
            operands.push(self.disjunction()?);
        }
        let name = format!("case {has_subject} {has_else}");
        self.skip_word("end")
            .then_some(Node::Operation(name, operands))
    }
}

/// A number as the servers write it, if they write it as it stands.
fn number(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let has_form = lower
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | '-' | '+'));
    let has_needless_zero = lower.len() > 1 && lower.starts_with('0') && !lower.starts_with("0.");
    if !has_form || has_needless_zero || lower.ends_with('.') {
        None
    } else if lower.starts_with('.') {
        Some(format!("0{lower}"))
    } else {
        Some(lower)
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn what_the_server_makes_of_an_expression_is_the_same() {
        for (written, made) in [
            ("not (a = 98)", "`a` <> 98"),
            ("c or not c", "`c` <> 0 or `c` = 0"),
            ("lower(b) <> 'no'", "lcase(`b`) <> 'no'"),
            ("not (a > 1 and a < 5)", "`a` <= 1 or `a` >= 5"),
            ("a in (1)", "`a` = 1"),
            ("mod(a, 2) = 0", "`a` MOD 2 = 0"),
            (
                "a > 1 and (c and a < 3)",
                "`a` > 1 and `c` <> 0 and `a` < 3",
            ),
            ("(a > 1) = (a > 2)", "`a` > 1 = (`a` > 2)"),
            ("b not like 'zz%'", "`b`  not like 'zz%'"),
            ("instr(b, 'x') > 0", "locate('x',`b`) > 0"),
            ("a > +5 or isnull(a)", "`a` > 5 or `a` is null"),
        ] {
            assert!(of(written).is_some(), "{written}");
            assert_eq!(of(written), of(made), "{written}");
        }
    }

    #[test]
    fn what_means_something_else_stays_different() {
        for (one, other) in [
            ("a > 1", "a >= 1"),
            ("a > 1 or b > 1 and c", "(a > 1 or b > 1) and c"),
            ("a - (1 - 2)", "a - 1 - 2"),
            ("a in (1, 2)", "a not in (1, 2)"),
            ("b = 'x'", "b = 'X'"),
            ("case a when 1 then 2 end", "case when a then 1 else 2 end"),
            ("a", "a <> 0"),
        ] {
            assert_ne!(of(one), of(other), "{one} and {other}");
        }
    }

    #[test]
    fn nothing_is_said_of_what_is_not_known() {
        for text in [
            "",
            "a >",
            "f(a) > 1",
            "cast(a as char) = 'x'",
            "a || b",
            "binary b = 'x'",
            "t.a > 1",
            "a > 007",
            "e > DATE'2020-01-01'",
            "a in (select 1)",
            "'x' 'y' = b",
            "CREATE TRIGGER a BEFORE INSERT ON b FOR EACH ROW SET c = 1",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
