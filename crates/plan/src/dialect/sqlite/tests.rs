//! Laws of reading, writing and changing statements, and what operations look like as SQL.

use proptest::prelude::*;

use super::{ddl, edit, read, write};
use crate::dialect::{Dialect, rules, tokens};
use crate::op::{Alteration, ColumnAspect, Object, Op};
use crate::schema::{
    Check, Column, ForeignKey, Generated, ObjectName, PrimaryKey, Schema, Server, Table, Unique,
};

fn read_table(sql: &str) -> Table {
    let parsed = ddl::parse_table(sql).unwrap_or_else(|error| panic!("{error}\n{sql}"));
    let mut table = read::read_table(sql, &parsed);
    table.options.sql = None;
    table
}

fn column() -> impl Strategy<Value = Column> {
    let types = prop::sample::select(vec![
        "integer",
        "varchar(20)",
        "text",
        "decimal(10,2)",
        "unsigned big int",
        "",
    ]);
    let defaults = prop::sample::select(vec![
        None,
        Some("5"),
        Some("-1"),
        Some("'it''s, (x)'"),
        Some("CURRENT_TIMESTAMP"),
        Some("(length('a') + 1)"),
        Some("x'00ff'"),
    ]);
    let collations = prop::sample::select(vec![None, Some("NOCASE"), Some("RTRIM")]);
    let generated = prop::option::weighted(0.2, any::<bool>());
    (types, any::<bool>(), defaults, collations, generated).prop_map(
        |(declared, nullable, default, collation, generated)| {
            let mut column = Column::new("", read::column_type(declared));
            column.nullable = nullable;
            column.collation = collation.map(ToOwned::to_owned);
            match generated {
                Some(stored) => {
                    column.generated = Some(Generated {
                        expression: "key || 'x'".to_owned(),
                        stored,
                    });
                }
                None => column.default = default.map(ToOwned::to_owned),
            }
            column
        },
    )
}

/// A table as it is read back from its own statement.
fn table() -> impl Strategy<Value = Table> {
    let names = prop::sample::subsequence(vec!["a", "B", "c d", "e\"f", "check", "g"], 1..=6);
    let names = names.prop_shuffle();
    (
        names,
        prop::collection::vec(column(), 6),
        0..4_u8,
        any::<[bool; 6]>(),
    )
        .prop_map(|(names, columns, key, flags)| {
            let mut table = Table::new(ObjectName::bare("t"));
            let mut numbered = Column::new("key", read::column_type("integer"));
            numbered.nullable = false;
            table.columns.push(numbered);
            for (name, mut column) in names.iter().zip(columns) {
                (*name).clone_into(&mut column.name);
                table.columns.push(column);
            }
            let second = names[0].to_owned();
            let conflict = flags[0].then(|| "REPLACE".to_owned());
            table.primary_key = match key {
                0 => None,
                1 => Some(vec!["key".to_owned()]),
                _ => Some(vec!["key".to_owned(), second.clone()]),
            }
            .map(|columns| PrimaryKey {
                columns,
                name: flags[1].then(|| "pk".to_owned()),
                on_conflict: conflict.clone(),
                ..PrimaryKey::default()
            });
            if key == 1 && flags[2] {
                table.columns[0].identity = Some(read::autoincrement_identity());
            }
            if flags[3] {
                table.uniques.push(Unique {
                    columns: vec![second.clone(), "key".to_owned()],
                    name: flags[1].then(|| "uq".to_owned()),
                    on_conflict: conflict,
                    ..Unique::default()
                });
            }
            if flags[4] {
                table.checks.push(Check {
                    expression: "key > 0 AND ('a)' <> key)".to_owned(),
                    name: flags[0].then(|| "ck".to_owned()),
                    validated: true,
                    no_inherit: false,
                    columns: vec!["key".to_owned()],
                    comment: None,
                });
            }
            if flags[5] {
                table.foreign_keys.push(foreign_key(&second));
            }
            table.options.strict = flags[2] && flags[3];
            table.options.without_rowid = key > 1 && flags[4];
            read_table(&write::create_table(&table))
        })
}

fn foreign_key(column: &str) -> ForeignKey {
    ForeignKey {
        columns: vec![column.to_owned()],
        ref_table: ObjectName::bare("p"),
        ref_columns: vec!["id".to_owned()],
        name: Some("fk".to_owned()),
        on_delete: crate::schema::ForeignKeyAction::Cascade,
        on_delete_columns: Vec::new(),
        on_update: crate::schema::ForeignKeyAction::NoAction,
        match_type: crate::schema::MatchType::Simple,
        deferrability: crate::schema::Deferrability::NotDeferrable,
        validated: true,
        own_index: None,
        comment: None,
    }
}

/// The statement with other blanks and comments between its tokens.
fn respaced(sql: &str, gaps: &[u8]) -> String {
    let mut text = String::new();
    for (at, token) in tokens::significant(sql, Dialect::Sqlite).iter().enumerate() {
        let gap = gaps.get(at % gaps.len().max(1)).copied().unwrap_or(0);
        text.push_str(match gap % 5 {
            0 => " ",
            1 => "\n\t",
            2 => " -- a comment, with ( and '\n",
            3 => "/* , ) \" */ ",
            _ => "  ",
        });
        text.push_str(token.text);
    }
    text
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(table in table()) {
        prop_assert_eq!(read_table(&write::create_table(&table)), table);
    }

    #[test]
    fn blanks_and_comments_mean_nothing(table in table(), gaps in prop::collection::vec(0..5_u8, 1..9)) {
        let sql = respaced(&write::create_table(&table), &gaps);
        prop_assert_eq!(read_table(&sql), table);
    }

    #[test]
    fn a_changed_statement_makes_the_table_that_was_wanted(
        from in table(),
        to in table(),
        gaps in prop::collection::vec(0..5_u8, 1..9),
    ) {
        let sql = respaced(&write::create_table(&from), &gaps);
        let changed = edit::edit_table(&sql, &to, &std::collections::BTreeMap::new()).unwrap();
        let mut expected = to;
        let mut found = read_table(&changed);
        // The order of columns is no difference.
        expected.columns.sort_by(|a, b| a.name.cmp(&b.name));
        found.columns.sort_by(|a, b| a.name.cmp(&b.name));
        prop_assert_eq!(found, expected, "{}\nbecame\n{}", sql, changed);
    }

    #[test]
    fn a_statement_that_needs_no_change_stays_as_it_is(
        table in table(),
        gaps in prop::collection::vec(0..5_u8, 1..9),
    ) {
        let sql = respaced(&write::create_table(&table), &gaps);
        let same = edit::edit_table(&sql, &table, &std::collections::BTreeMap::new()).unwrap();
        prop_assert_eq!(same, sql);
    }

    #[test]
    fn no_text_makes_reading_panic(text in "(CREATE TABLE t ?\\(?)?[a-z0-9 (),'\"\\[\\]`-]{0,60}") {
        let _ = ddl::parse_table(&text);
        let _ = ddl::parse_index(&text);
        let _ = super::canonical::expression(&text);
        let _ = super::canonical::short_expression(&text);
        let _ = super::canonical::rename_identifier(&text, "a", "b");
    }
}

fn schema(statements: &[&str]) -> Schema {
    let server = Server {
        product: "SQLite".to_owned(),
        version: "3.51.3".to_owned(),
        version_number: (3, 51, 3),
    };
    let mut schema = Schema::empty(Dialect::Sqlite, server, None);
    for sql in statements {
        let parsed = ddl::parse_table(sql).unwrap();
        let table = read::read_table(sql, &parsed);
        schema.tables.insert(table.name.clone(), table);
    }
    schema
}

fn rendered(ops: &[Op], before: &Schema) -> String {
    let rendered = rules(Dialect::Sqlite).render(ops, before);
    let mut text = String::new();
    for (at, rendered) in rendered.iter().enumerate() {
        if let Some(with) = rendered.done_with {
            text.push_str(&format!("{at}: done with {with}\n"));
        }
        for statement in &rendered.sql {
            text.push_str(&format!("{at}: {statement}\n"));
        }
    }
    text
}

#[test]
fn existing_rows_get_the_value_that_was_given_for_a_new_column() {
    let before = schema(&["CREATE TABLE t (id integer PRIMARY KEY, v text)"]);
    let table = ObjectName::bare("t");
    let mut added = Column::new("n", read::column_type("integer"));
    added.nullable = false;
    let from = before.tables[&table].column("v").unwrap().clone();
    let mut to = from.clone();
    to.nullable = false;
    let ops = [
        Op::Create(Object::Column {
            table: table.clone(),
            column: added,
            dependents: Vec::new(),
            fill: Some("length(v)".to_owned()),
        }),
        Op::Alter(Alteration::Column {
            table,
            aspect: ColumnAspect::Nullable,
            from,
            to,
            fill: Some("'-'".to_owned()),
        }),
    ];
    insta::assert_snapshot!(rendered(&ops, &before), @"");
}

#[test]
fn what_alter_table_can_do_is_left_to_it() {
    let before = schema(&[
        "CREATE TABLE p (id integer PRIMARY KEY)",
        "CREATE TABLE t (id integer PRIMARY KEY, v text, w text)",
    ]);
    let table = ObjectName::bare("t");
    let ops = [
        Op::Create(Object::Column {
            table: table.clone(),
            column: Column::new("p_id", read::column_type("integer")),
            dependents: Vec::new(),
            fill: None,
        }),
        Op::Drop(Object::Column {
            table: table.clone(),
            column: before.tables[&table].column("w").unwrap().clone(),
            dependents: Vec::new(),
            fill: None,
        }),
        Op::Create(Object::ForeignKey {
            table,
            foreign_key: foreign_key("p_id"),
        }),
    ];
    insta::assert_snapshot!(rendered(&ops, &before), @"");
}
