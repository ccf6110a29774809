//! The column types that schemas are made of, for each kind of database.

use crate::databases::Backend;

/// What can be said about a column of the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Number,
    Text,
    Truth,
    /// A type whose columns stand in no index and no check.
    Opaque,
    /// A type that can be indexed, and nothing else is said about it.
    Other,
}

/// A column type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Type {
    pub(super) sql: &'static str,
    pub(super) class: Class,
    pub(super) defaults: &'static [&'static str],
    /// Two values.
    pub(super) values: [&'static str; 2],
    /// A type that takes every value of this one as it is.
    pub(super) wider: Option<&'static str>,
}

const fn of(
    class: Class,
    sql: &'static str,
    defaults: &'static [&'static str],
    values: [&'static str; 2],
) -> Type {
    Type {
        sql,
        class,
        defaults,
        values,
        wider: None,
    }
}

const fn widened(mut kind: Type, wider: &'static str) -> Type {
    kind.wider = Some(wider);
    kind
}

use Class::{Number, Opaque, Other, Text, Truth};

const POSTGRES: &[Type] = &[
    widened(
        of(Number, "integer", &["0", "7", "-1"], ["1", "2"]),
        "bigint",
    ),
    widened(
        of(
            Text,
            "varchar(40)",
            &["''", "'it''s'", "'a'"],
            ["'ab'", "'ä b'"],
        ),
        "text",
    ),
    of(
        Text,
        "text",
        &["''", "'x'", "'7'", "NULL"],
        ["'one'", "'two'"],
    ),
    of(Truth, "boolean", &["true", "false"], ["true", "false"]),
    widened(of(Number, "smallint", &["0", "3"], ["1", "2"]), "integer"),
    of(Number, "bigint", &["0", "9000000000"], ["1", "5000000000"]),
    widened(
        of(Number, "numeric(10,2)", &["0", "1.50", "-3"], ["1.25", "2"]),
        "numeric(14,2)",
    ),
    of(Number, "numeric", &["0", "0.001"], ["1.25", "2"]),
    of(Number, "real", &["0", "1.5"], ["1.5", "2"]),
    of(Number, "double precision", &["0", "'-1.5'"], ["1.5", "2"]),
    of(Text, "varchar", &["'x'"], ["'one'", "'two'"]),
    of(Text, "character(3)", &["'abc'"], ["'abc'", "'xyz'"]),
    of(
        Other,
        "date",
        &["'2024-02-29'", "CURRENT_DATE"],
        ["'2024-01-01'", "'1999-12-31'"],
    ),
    of(
        Other,
        "timestamp",
        &["CURRENT_TIMESTAMP", "'2024-01-01 10:00:00'"],
        ["'2024-01-01 10:00:00'", "'2023-01-01'"],
    ),
    of(
        Other,
        "timestamptz",
        &["now()", "CURRENT_TIMESTAMP"],
        ["'2024-01-01 10:00:00+00'", "'2023-01-01 00:00:00+00'"],
    ),
    of(
        Other,
        "timestamp(3)",
        &["LOCALTIMESTAMP"],
        ["'2024-01-01 10:00:00.125'", "'2023-01-01'"],
    ),
    of(Other, "time", &["'10:00'"], ["'10:00'", "'11:30:15'"]),
    of(Other, "interval", &["'1 day'"], ["'1 day'", "'2 hours'"]),
    of(
        Other,
        "uuid",
        &["gen_random_uuid()"],
        [
            "'00000000-0000-4000-8000-000000000001'",
            "'00000000-0000-4000-8000-000000000002'",
        ],
    ),
    of(Opaque, "json", &["'{}'"], ["'{\"a\":1}'", "'[]'"]),
    of(
        Other,
        "jsonb",
        &["'[]'", "'{}'::jsonb"],
        ["'{\"a\":1}'", "'[]'"],
    ),
    of(Other, "bytea", &["'\\x00'"], ["'\\x0102'", "'\\xff'"]),
    of(
        Other,
        "text[]",
        &["'{}'", "ARRAY['a','b']"],
        ["'{a,b}'", "'{}'"],
    ),
    of(Other, "integer[]", &["'{1,2}'"], ["'{1,2}'", "'{}'"]),
    of(
        Other,
        "inet",
        &["'127.0.0.1'"],
        ["'127.0.0.1'", "'10.0.0.0/8'"],
    ),
    of(Other, "bit(3)", &["B'101'"], ["B'101'", "B'000'"]),
    of(Other, "bit varying(5)", &[], ["B'101'", "B'1'"]),
    of(Other, "int4range", &["'[1,5)'"], ["'[1,5)'", "'empty'"]),
    of(Opaque, "point", &["'(0,0)'"], ["'(0,0)'", "'(1,2)'"]),
    of(Opaque, "tsvector", &[], ["'a b'", "'c'"]),
    of(
        Other,
        "macaddr",
        &[],
        ["'08:00:2b:01:02:03'", "'08:00:2b:01:02:04'"],
    ),
];

const MYSQL: &[Type] = &[
    widened(of(Number, "int", &["0", "7", "-1"], ["1", "2"]), "bigint"),
    widened(
        of(
            Text,
            "varchar(40)",
            &["''", "'it''s'", "'a'"],
            ["'ab'", "'ä b'"],
        ),
        "varchar(80)",
    ),
    of(Text, "text", &["''", "'x'"], ["'one'", "'two'"]),
    of(Truth, "boolean", &["true", "0"], ["1", "0"]),
    widened(of(Number, "smallint", &["0", "3"], ["1", "2"]), "int"),
    of(Number, "bigint", &["0", "9000000000"], ["1", "5000000000"]),
    widened(
        of(
            Number,
            "decimal(10,2)",
            &["0", "1.50", "-3.00"],
            ["1.25", "2"],
        ),
        "decimal(14,2)",
    ),
    of(Number, "int unsigned", &["0"], ["1", "4000000000"]),
    of(Number, "bigint unsigned", &["0"], ["1", "2"]),
    of(Number, "tinyint", &["0"], ["1", "2"]),
    of(Number, "tinyint unsigned", &[], ["1", "255"]),
    of(Number, "mediumint", &["5"], ["1", "2"]),
    of(Number, "float", &["0", "1.5"], ["1.5", "2"]),
    of(Number, "double", &["0", "-1.5"], ["1.5", "2"]),
    of(Text, "char(3)", &["'abc'"], ["'abc'", "'xyz'"]),
    of(
        Text,
        "varchar(20) CHARACTER SET latin1",
        &["'x'"],
        ["'ab'", "'b'"],
    ),
    of(
        Text,
        "varchar(20) COLLATE utf8mb4_bin",
        &["'x'"],
        ["'ab'", "'b'"],
    ),
    of(Opaque, "mediumtext", &[], ["'one'", "'two'"]),
    of(Opaque, "longtext", &["'x'"], ["'one'", "'two'"]),
    of(Other, "binary(3)", &[], ["'abc'", "'xyz'"]),
    of(Other, "varbinary(16)", &["'x'"], ["'abc'", "'xyz'"]),
    of(Opaque, "blob", &[], ["'abc'", "'xyz'"]),
    of(
        Other,
        "date",
        &["'2024-02-29'", "(curdate())"],
        ["'2024-01-01'", "'1999-12-31'"],
    ),
    of(Other, "time", &["'10:00:00'"], ["'10:00:00'", "'11:30:15'"]),
    of(
        Other,
        "datetime",
        &[
            "CURRENT_TIMESTAMP",
            "'2024-01-01 10:00:00'",
            "CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP",
        ],
        ["'2024-01-01 10:00:00'", "'2023-01-01'"],
    ),
    of(
        Other,
        "datetime(3)",
        &["CURRENT_TIMESTAMP(3)"],
        ["'2024-01-01 10:00:00.125'", "'2023-01-01'"],
    ),
    of(
        Other,
        "timestamp",
        &["CURRENT_TIMESTAMP"],
        ["'2024-01-01 10:00:00'", "'2023-01-01'"],
    ),
    of(Other, "year", &["2024"], ["2024", "1999"]),
    of(
        Opaque,
        "json",
        &["'{}'", "(json_object())"],
        ["'{\"a\":1}'", "'[]'"],
    ),
    of(Other, "enum('a','b','c')", &["'a'"], ["'a'", "'b'"]),
    widened(
        of(Other, "enum('a','b')", &["'a'", "'b'"], ["'a'", "'b'"]),
        "enum('a','b','c')",
    ),
    of(Other, "set('x','y')", &["'x'", "'x,y'"], ["'x'", "'x,y'"]),
    of(Other, "bit(3)", &["b'101'"], ["b'101'", "b'000'"]),
    of(
        Other,
        "uuid",
        &["(uuid())"],
        [
            "'00000000-0000-4000-8000-000000000001'",
            "'00000000-0000-4000-8000-000000000002'",
        ],
    ),
    of(Other, "inet6", &[], ["'::1'", "'::2'"]),
];

const SQLITE: &[Type] = &[
    widened(
        of(Number, "integer", &["0", "7", "-1"], ["1", "2"]),
        "bigint",
    ),
    widened(
        of(
            Text,
            "varchar(40)",
            &["''", "'it''s'", "'a'"],
            ["'ab'", "'ä b'"],
        ),
        "text",
    ),
    of(
        Text,
        "text",
        &["''", "'x'", "NULL", "(lower('X'))"],
        ["'one'", "'two'"],
    ),
    of(Truth, "boolean", &["true", "FALSE"], ["1", "0"]),
    of(Number, "bigint", &["0", "9000000000"], ["1", "5000000000"]),
    of(Number, "smallint", &["0", "3"], ["1", "2"]),
    of(Number, "real", &["0", "1.5"], ["1.5", "2.25"]),
    of(Number, "double", &["0.5"], ["1.5", "2.25"]),
    of(Number, "decimal(10,2)", &["0", "1.50"], ["1.25", "2.5"]),
    of(Number, "numeric", &["0"], ["1", "2"]),
    of(Text, "char(3)", &["'abc'"], ["'abc'", "'xyz'"]),
    of(Text, "text COLLATE NOCASE", &["'x'"], ["'ab'", "'b'"]),
    of(Other, "blob", &["x'00'"], ["x'0102'", "x'ff'"]),
    of(
        Other,
        "datetime_text",
        &["CURRENT_TIMESTAMP"],
        ["'2024-01-01 10:00:00'", "'2023-01-01'"],
    ),
    of(
        Other,
        "date_text",
        &["CURRENT_DATE"],
        ["'2024-01-01'", "'2023-01-01'"],
    ),
    of(
        Other,
        "timestamp_with_timezone_text",
        &["(datetime('now'))"],
        ["'2024-01-01 10:00:00'", "'2023-01-01'"],
    ),
    of(Other, "json_text", &["'{}'"], ["'{}'", "'[]'"]),
    of(Other, "uuid_text", &[], ["'a'", "'b'"]),
    of(Other, "", &["1"], ["'a'", "2"]),
];

/// The types of a kind of database, simple ones first.
pub(super) fn types(backend: Backend) -> &'static [Type] {
    match backend {
        Backend::Postgres => POSTGRES,
        Backend::Mysql => MYSQL,
        Backend::Sqlite => SQLITE,
    }
}
