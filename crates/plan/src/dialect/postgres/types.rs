//! Types: from the catalogue's spelling to the short one, and what a change of type takes.

use std::collections::BTreeSet;

use crate::dialect::TypeChange;
use crate::op::{Risk, Warning};
use crate::schema::{ColumnType, ObjectName, TypeKind};

/// What the catalogue says of the type behind a column: of the element, for an array.
#[derive(Clone, Copy, Debug)]
pub(super) struct Behind<'a> {
    /// `pg_type.typtype`.
    pub(super) kind: &'a str,
    /// The schema of the type.
    pub(super) schema: &'a str,
    /// Its name in the catalogue.
    pub(super) name: &'a str,
    /// Whether the column is an array of it.
    pub(super) is_array: bool,
}

/// A type from what `format_type` says under an empty search path.
pub(super) fn parse(formatted: &str, behind: Behind<'_>) -> ColumnType {
    let element = formatted.trim_end_matches("[]");
    if behind.schema != "pg_catalog" {
        let kind = match behind.kind {
            "e" => TypeKind::Enum,
            "d" => TypeKind::Domain,
            _ => TypeKind::Other,
        };
        return ColumnType {
            text: with_array(element, behind.is_array),
            base: behind.name.to_owned(),
            modifiers: modifiers(element),
            array_dimensions: u32::from(behind.is_array),
            kind,
            user_type: Some(ObjectName::new(behind.schema, behind.name)),
            unsigned: false,
            values: Vec::new(),
        };
    }
    let short = shorten(element);
    let base = match short.split_once('(') {
        // `timestamp(3) without time zone` has been shortened; `interval day to second(3)` has not.
        Some((base, _)) => base.trim().to_owned(),
        None => short.clone(),
    };
    ColumnType {
        modifiers: modifiers(&short),
        text: with_array(&short, behind.is_array),
        base,
        array_dimensions: u32::from(behind.is_array),
        kind: TypeKind::Builtin,
        user_type: None,
        unsigned: false,
        values: Vec::new(),
    }
}

fn with_array(element: &str, is_array: bool) -> String {
    if is_array {
        format!("{element}[]")
    } else {
        element.to_owned()
    }
}

/// The short spelling of a built-in type.
fn shorten(formatted: &str) -> String {
    let renamed = [
        ("character varying", "varchar"),
        ("character", "char"),
        ("bit varying", "varbit"),
    ];
    for (long, short) in renamed {
        if let Some(rest) = formatted.strip_prefix(long)
            && (rest.is_empty() || rest.starts_with('('))
        {
            return format!("{short}{rest}");
        }
    }
    for base in ["timestamp", "time"] {
        let Some(rest) = formatted.strip_prefix(base) else {
            continue;
        };
        if let Some(precision) = rest.strip_suffix(" without time zone") {
            return format!("{base}{precision}");
        }
        if let Some(precision) = rest.strip_suffix(" with time zone") {
            return format!("{base}tz{precision}");
        }
    }
    formatted.to_owned()
}

/// The numbers in parentheses.
fn modifiers(text: &str) -> Vec<i64> {
    let Some((_, rest)) = text.split_once('(') else {
        return Vec::new();
    };
    let inner = rest.split(')').next().unwrap_or_default();
    inner
        .split(',')
        .filter_map(|number| number.trim().parse().ok())
        .collect()
}

/// Whether two types mean the same: `varchar` without a length holds what `text` holds, and six
/// digits of a second are what a time has anyway.
pub(super) fn same(from: &ColumnType, to: &ColumnType) -> bool {
    let form = |column_type: &ColumnType| {
        let is_builtin = column_type.user_type.is_none();
        let base = column_type.base.as_str();
        let text = if is_builtin && base == "varchar" && column_type.modifiers.is_empty() {
            column_type.text.replacen("varchar", "text", 1)
        } else if is_builtin && has_fractions(base) && column_type.modifiers == [MOST_FRACTIONS] {
            column_type
                .text
                .replacen(&format!("({MOST_FRACTIONS})"), "", 1)
        } else {
            column_type.text.clone()
        };
        (text, column_type.user_type.clone())
    };
    form(from) == form(to)
}

/// How many digits of a second a time has at most, and when nothing is said.
const MOST_FRACTIONS: i64 = 6;

fn has_fractions(base: &str) -> bool {
    is_moment(base) || matches!(base, "time" | "timetz" | "interval")
}

fn is_moment(base: &str) -> bool {
    matches!(base, "timestamp" | "timestamptz")
}

fn is_integer(base: &str) -> bool {
    matches!(base, "smallint" | "integer" | "bigint")
}

fn is_number(base: &str) -> bool {
    is_integer(base) || matches!(base, "numeric" | "real" | "double precision")
}

/// Whether values of the two types can be compared as they are, which a foreign key needs.
pub(super) fn are_comparable(from: &ColumnType, to: &ColumnType) -> bool {
    if from.user_type.is_some() || to.user_type.is_some() {
        return from.user_type == to.user_type;
    }
    from.array_dimensions == to.array_dimensions
        && (from.base == to.base
            || (is_integer(&from.base) && is_integer(&to.base))
            || (is_text(&from.base) && is_text(&to.base)))
}

/// Groups of types that turn into one another by themselves when assigned.
const ASSIGNABLE: [&[&str]; 7] = [
    &[
        "smallint",
        "integer",
        "bigint",
        "real",
        "double precision",
        "numeric",
    ],
    &["varchar", "text", "char", "bpchar", "name", "\"char\""],
    &["json", "jsonb"],
    &["bit", "varbit"],
    &["inet", "cidr"],
    &["macaddr", "macaddr8"],
    &["xml"],
];

/// Single conversions beyond the groups.
const ASSIGNABLE_PAIRS: [(&str, &str); 22] = [
    ("integer", "money"),
    ("bigint", "money"),
    ("numeric", "money"),
    ("money", "numeric"),
    ("smallint", "oid"),
    ("integer", "oid"),
    ("bigint", "oid"),
    ("oid", "integer"),
    ("oid", "bigint"),
    ("date", "timestamp"),
    ("date", "timestamptz"),
    ("timestamp", "timestamptz"),
    ("timestamp", "date"),
    ("timestamp", "time"),
    ("timestamptz", "timestamp"),
    ("timestamptz", "date"),
    ("timestamptz", "time"),
    ("timestamptz", "timetz"),
    ("time", "timetz"),
    ("time", "interval"),
    ("timetz", "time"),
    ("interval", "time"),
];

fn is_text(base: &str) -> bool {
    matches!(base, "varchar" | "text" | "char" | "bpchar" | "name")
}

/// Whether every value can be written as one of the type.
fn is_json(base: &str) -> bool {
    matches!(base, "json" | "jsonb")
}

/// Whether PostgreSQL converts the one into the other when a column changes its type.
pub(super) fn is_assignable(from: &ColumnType, to: &ColumnType) -> bool {
    let to_text = to.user_type.is_none() && is_text(&to.base) && to.array_dimensions == 0;
    if to_text {
        return true;
    }
    if from.array_dimensions != to.array_dimensions {
        return false;
    }
    if from.user_type.is_some() || to.user_type.is_some() {
        return from.user_type == to.user_type;
    }
    from.base == to.base
        || ASSIGNABLE
            .iter()
            .any(|group| group.contains(&from.base.as_str()) && group.contains(&to.base.as_str()))
        || ASSIGNABLE_PAIRS.contains(&(from.base.as_str(), to.base.as_str()))
}

/// How the column's own value becomes one of the new type, where the server must be told. Whatever
/// the types are, the server understands it; whether the rows fit is another matter.
pub(super) fn using(column: &str, from: &ColumnType, to: &ColumnType) -> Option<String> {
    if is_assignable(from, to) {
        return None;
    }
    let new = &to.text;
    Some(match (from.array_dimensions, to.array_dimensions) {
        (0, 1) => {
            let value = converted(column, from, &to.element());
            let value = value.unwrap_or_else(|| column.to_owned());
            format!("CASE WHEN {column} IS NULL THEN NULL ELSE ARRAY[{value}]::{new} END")
        }
        (1, 0) if is_json(&to.base) => format!("to_{}({column})", to.base),
        (1, 0) => {
            let first = format!("({column}[1])");
            let value = converted(&first, &from.element(), to);
            value.unwrap_or_else(|| format!("{first}::{new}"))
        }
        (1, 1) => format!("{column}::text[]::{new}"),
        _ => converted(column, from, to)?,
    })
}

/// A value as one of another type, neither of them an array, where that does not happen by itself.
fn converted(value: &str, from: &ColumnType, to: &ColumnType) -> Option<String> {
    if is_assignable(from, to) {
        return None;
    }
    let new = &to.text;
    if from.user_type.is_some() || to.user_type.is_some() {
        let through = if is_text(&from.base) { "" } else { "::text" };
        return Some(format!("{value}{through}::{new}"));
    }
    Some(of_builtin(value, &from.base, &to.base, new))
}

/// The same between two types of the server's own that are no arrays.
fn of_builtin(column: &str, from: &str, to: &str, new: &str) -> String {
    let moment = || format!("to_timestamp({column})");
    match (from, to) {
        (from, _) if is_text(from) => format!("{column}::{new}"),
        // A JSON string without its quotes.
        ("json" | "jsonb", _) => format!("({column} #>> '{{}}')::{new}"),
        (_, "json" | "jsonb") => format!("to_{to}({column})"),
        ("boolean", to) if is_number(to) => format!("{column}::integer::{new}"),
        (from, "boolean") if is_number(from) => format!("({column} <> 0)"),
        ("bit", "integer" | "bigint") | ("integer" | "bigint", "bit") => {
            format!("{column}::{new}")
        }
        (from, to)
            if to
                .strip_suffix("multirange")
                .is_some_and(|of| from.strip_suffix("range") == Some(of)) =>
        {
            format!("{column}::{new}")
        }
        ("money", to) if is_number(to) => format!("{column}::numeric::{new}"),
        ("date" | "timestamp" | "timestamptz" | "time" | "timetz" | "interval", to)
            if is_number(to) =>
        {
            format!("extract(epoch FROM {column})::{new}")
        }
        (from, "timestamptz") if is_number(from) => format!("{}::{new}", moment()),
        (from, "timestamp" | "date" | "time" | "timetz") if is_number(from) => {
            // There is no way from a moment without a zone to a time with one.
            let through = if to == "timetz" { "::time" } else { "" };
            format!("({} AT TIME ZONE 'UTC'){through}::{new}", moment())
        }
        (from, "interval") if is_number(from) => {
            format!("make_interval(secs => {column})::{new}")
        }
        _ => format!("{column}::text::{new}"),
    }
}

/// Whether a number becomes a point in time or a span, or the other way round.
fn counts_seconds(from: &str, to: &str) -> bool {
    let is_time = |base: &str| has_fractions(base) || base == "date";
    (is_number(from) && is_time(to)) || (is_time(from) && is_number(to))
}

/// What a change of type needs and risks.
pub(super) fn change(from: &ColumnType, to: &ColumnType) -> TypeChange {
    let mut change = TypeChange {
        risk: Risk::Rewrites,
        warnings: BTreeSet::new(),
        note: None,
    };
    if !is_assignable(from, to) {
        change.warnings.insert(Warning::NeedsUsingClause);
        change.warnings.insert(Warning::MayFailOnData);
        change.risk = Risk::MayFail;
        let is_plain = from.array_dimensions == 0 && to.array_dimensions == 0;
        if is_plain && counts_seconds(&from.base, &to.base) {
            let since = if [&from.base, &to.base]
                .iter()
                .any(|base| is_moment(base) || *base == "date")
            {
                " since 1970 in UTC"
            } else {
                ""
            };
            change.note = Some(format!("the number counts seconds{since}"));
        }
        if from.array_dimensions > to.array_dimensions && is_json(&to.base) {
            change.warnings.remove(&Warning::MayFailOnData);
            change.risk = Risk::Rewrites;
        } else if from.array_dimensions > to.array_dimensions {
            change.note = Some("only the first element of each array is kept".to_owned());
            change.warnings.insert(Warning::DataLoss);
            change.risk = Risk::DataLoss;
        }
        return change;
    }
    let (old, new) = (from.base.as_str(), to.base.as_str());
    let first = |column_type: &ColumnType| column_type.modifiers.first().copied();
    let integer_size = |base: &str| match base {
        "smallint" => Some(2),
        "integer" => Some(4),
        "bigint" => Some(8),
        _ => None,
    };
    let may_fail = |change: &mut TypeChange| {
        change.warnings.insert(Warning::MayFailOnData);
        change.risk = Risk::MayFail;
    };
    let lose = |change: &mut TypeChange, note: &str| {
        change.warnings.insert(Warning::DataLoss);
        change.risk = Risk::DataLoss;
        change.note = Some(note.to_owned());
    };
    if from.user_type.is_some() {
        // The same user type with other modifiers, or any of them as text.
        return change;
    }
    let is_zoned = |base: &str| matches!(base, "timestamptz" | "timetz");
    let is_time = |base: &str| matches!(base, "date" | "timestamp" | "time") || is_zoned(base);
    if is_text(new) {
        text_change(from, to, &mut change);
        return change;
    }
    if is_time(old) && is_time(new) && is_zoned(old) != is_zoned(new) {
        change.warnings.insert(Warning::DependsOnTimezone);
        if new == "date" || new == "time" {
            lose(
                &mut change,
                "the part that does not fit the new type is cut off",
            );
        }
        return change;
    }
    match (integer_size(old), integer_size(new)) {
        (Some(old), Some(new)) if new < old => {
            may_fail(&mut change);
            return change;
        }
        (Some(_), Some(_)) => return change,
        (None, Some(_)) => {
            lose(
                &mut change,
                "fractions are rounded, and values may be out of range",
            );
            change.warnings.insert(Warning::MayFailOnData);
            return change;
        }
        _ => {}
    }
    match (old, new) {
        ("numeric", "numeric") => numeric_change(from, to, &mut change),
        ("double precision" | "numeric", "real") | ("numeric", "double precision") => {
            lose(
                &mut change,
                "digits beyond the new type's precision are lost",
            );
        }
        (_, "numeric" | "money") if first(to).is_some() || new == "money" => may_fail(&mut change),
        ("timestamp" | "timestamptz", "date" | "time") => {
            lose(
                &mut change,
                "the part that does not fit the new type is cut off",
            );
        }
        ("timestamp" | "timestamptz" | "time" | "timetz" | "interval", _) if old == new => {
            let digits = |column_type: &ColumnType| first(column_type).unwrap_or(6);
            if digits(to) < digits(from) {
                change.note = Some(format!(
                    "fractions of a second are rounded to {} digits",
                    digits(to)
                ));
            } else {
                change.risk = Risk::Safe;
            }
        }
        ("bit" | "varbit", _) if first(to) != first(from) => may_fail(&mut change),
        ("json", "jsonb") => {
            change.note = Some(
                "white space, key order and repeated keys of the JSON text are lost".to_owned(),
            );
        }
        ("cidr", "inet") => change.risk = Risk::Safe,
        ("inet", "cidr") => lose(
            &mut change,
            "bits right of the network mask are set to zero",
        ),
        _ => {}
    }
    change
}

fn text_change(from: &ColumnType, to: &ColumnType, change: &mut TypeChange) {
    let first = |column_type: &ColumnType| column_type.modifiers.first().copied();
    let limit = if to.base == "name" {
        Some(63)
    } else if to.base == "char" {
        first(to).or(Some(1))
    } else {
        first(to)
    };
    let was_text = is_text(&from.base) && from.array_dimensions == 0;
    let fits = match (was_text, first(from), limit) {
        (_, _, None) => true,
        (true, Some(old), Some(new)) => new >= old,
        _ => false,
    };
    if !fits {
        change.risk = Risk::MayFail;
        change.warnings.insert(Warning::MayFailOnData);
    } else if was_text && matches!(from.base.as_str(), "varchar" | "text") && to.base != "char" {
        change.risk = Risk::Safe;
    }
}

fn numeric_change(from: &ColumnType, to: &ColumnType, change: &mut TypeChange) {
    let parts = |column_type: &ColumnType| {
        let precision = column_type.modifiers.first().copied()?;
        let scale = column_type.modifiers.get(1).copied().unwrap_or(0);
        Some((precision, scale))
    };
    match (parts(from), parts(to)) {
        (_, None) => change.risk = Risk::Safe,
        (None, Some(_)) => {
            change.risk = Risk::DataLoss;
            change.warnings.insert(Warning::MayFailOnData);
            change.warnings.insert(Warning::DataLoss);
            change.note = Some("digits after the new scale are rounded".to_owned());
        }
        (Some((old_precision, old_scale)), Some((precision, scale))) => {
            if scale == old_scale && precision >= old_precision {
                change.risk = Risk::Safe;
            }
            if precision - scale < old_precision - old_scale {
                change.risk = Risk::MayFail;
                change.warnings.insert(Warning::MayFailOnData);
            }
            if scale < old_scale {
                // 9.96 rounded to one digit needs a digit more before the point.
                if precision - scale <= old_precision - old_scale {
                    change.warnings.insert(Warning::MayFailOnData);
                }
                change.risk = Risk::DataLoss;
                change.warnings.insert(Warning::DataLoss);
                change.note = Some("digits after the new scale are rounded".to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builtin(formatted: &str) -> ColumnType {
        parse(
            formatted,
            Behind {
                kind: "b",
                schema: "pg_catalog",
                name: "",
                is_array: formatted.ends_with("[]"),
            },
        )
    }

    #[test]
    fn types_get_their_short_spelling() {
        for (formatted, text, base) in [
            ("character varying(255)", "varchar(255)", "varchar"),
            ("character varying", "varchar", "varchar"),
            ("character(5)", "char(5)", "char"),
            ("timestamp without time zone", "timestamp", "timestamp"),
            (
                "timestamp(3) with time zone",
                "timestamptz(3)",
                "timestamptz",
            ),
            ("time(0) without time zone", "time(0)", "time"),
            ("integer[]", "integer[]", "integer"),
            ("numeric(10,2)[]", "numeric(10,2)[]", "numeric"),
            ("bit varying(8)", "varbit(8)", "varbit"),
            ("double precision", "double precision", "double precision"),
        ] {
            let parsed = builtin(formatted);
            assert_eq!((parsed.text.as_str(), parsed.base.as_str()), (text, base));
        }
        assert_eq!(builtin("numeric(10,2)").modifiers, [10, 2]);
    }

    #[test]
    fn varchar_without_length_is_text() {
        assert!(same(&builtin("character varying"), &builtin("text")));
        assert!(same(&builtin("character varying[]"), &builtin("text[]")));
        assert!(!same(&builtin("character varying(5)"), &builtin("text")));
    }

    #[test]
    fn six_digits_of_a_second_are_what_there_is_anyway() {
        let zoned = "timestamp(6) with time zone";
        assert!(same(&builtin(zoned), &builtin("timestamp with time zone")));
        assert!(same(&builtin("interval(6)"), &builtin("interval")));
        let three = "timestamp(3) with time zone";
        assert!(!same(&builtin(three), &builtin(zoned)));
    }

    #[test]
    fn changes_of_type_are_told_apart_by_what_they_cost() {
        let risk = |from: &str, to: &str| change(&builtin(from), &builtin(to)).risk;
        assert_eq!(
            risk("character varying(5)", "character varying(9)"),
            Risk::Safe
        );
        assert_eq!(risk("character varying(9)", "text"), Risk::Safe);
        assert_eq!(risk("text", "character varying(9)"), Risk::MayFail);
        assert_eq!(risk("integer", "bigint"), Risk::Rewrites);
        assert_eq!(risk("bigint", "integer"), Risk::MayFail);
        assert_eq!(risk("numeric(10,2)", "numeric(12,2)"), Risk::Safe);
        assert_eq!(risk("numeric(10,2)", "numeric(10,1)"), Risk::DataLoss);
        assert_eq!(risk("text", "integer"), Risk::MayFail);
        assert_eq!(risk("timestamp without time zone", "date"), Risk::DataLoss);
    }

    #[test]
    fn a_using_clause_is_written_only_where_the_server_needs_one() {
        let clause = |from: &str, to: &str| using("v", &builtin(from), &builtin(to));
        assert_eq!(clause("integer", "bigint"), None);
        assert_eq!(clause("integer", "text"), None);
        assert_eq!(clause("text", "integer").as_deref(), Some("v::integer"));
        assert_eq!(
            clause("boolean", "bigint").as_deref(),
            Some("v::integer::bigint")
        );
        assert_eq!(
            clause("timestamp with time zone", "integer").as_deref(),
            Some("extract(epoch FROM v)::integer")
        );
        assert_eq!(
            clause("jsonb", "uuid").as_deref(),
            Some("(v #>> '{}')::uuid")
        );
        assert_eq!(
            clause("text[]", "integer[]").as_deref(),
            Some("v::text[]::integer[]")
        );
        assert_eq!(
            clause("text", "text[]").as_deref(),
            Some("CASE WHEN v IS NULL THEN NULL ELSE ARRAY[v]::text[] END")
        );
    }
}
