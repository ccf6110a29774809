//! Tests of reading SQL text, and the texts that their properties are tried on.

use proptest::prelude::*;

use super::Dialect;

mod checksum;
mod classify;
mod lexer;
mod redact;
mod split;

/// Any of the dialects.
pub(super) fn any_dialect() -> impl Strategy<Value = Dialect> {
    prop::sample::select(Dialect::ALL.to_vec())
}

/// Pieces of SQL that open, close or escape something, in any order.
const FRAGMENTS: [&str; 72] = [
    "'",
    "''",
    "\"",
    "`",
    "[",
    "]",
    "\\",
    "\\'",
    "E'",
    "e'",
    "U&'",
    "U&\"",
    "X'",
    "N'",
    "$$",
    "$a$",
    "$1",
    "?",
    ":x",
    "@x",
    "@@x",
    "@'",
    "--",
    "-- ",
    "-- note\n",
    "#",
    "# note\n",
    "/*",
    "*/",
    "/* note */",
    "/*!",
    "/*!50100 ",
    "/*M!",
    "/*+",
    ";",
    ";\n",
    "\n",
    "\r\n",
    "\r",
    " ",
    "\t",
    "(",
    ")",
    ",",
    ".",
    "=",
    "-",
    "::",
    "1",
    "1.5e3",
    "2fa",
    "0x1F",
    "BEGIN",
    " BEGIN ",
    " ATOMIC ",
    " END ",
    " END IF;",
    " CASE ",
    " IF ",
    " THEN ",
    " LOOP ",
    "CREATE TRIGGER t ",
    "CREATE FUNCTION f() ",
    " FOR EACH ROW ",
    "COPY t FROM stdin;\n",
    "\\.\n",
    "DELIMITER //\n",
    "//",
    "SELECT ",
    "é",
    "\u{feff}",
    "\0",
];

/// SQL-like text, mostly broken.
pub(super) fn soup() -> impl Strategy<Value = String> {
    let fragments = prop::collection::vec(prop::sample::select(FRAGMENTS.to_vec()), 0..24);
    prop_oneof![
        fragments.prop_map(|parts| parts.concat()),
        any::<String>(),
        "[-'\"`$/*;#\\\\a-c \n]{0,40}",
    ]
}
