//! Sequences, functions, views, indexes, triggers and policies.

use std::collections::BTreeMap;

use super::super::quote;
use super::comment_sql;
use crate::op::CommentTarget;
use crate::schema::{
    Function, FunctionKind, Index, Named, ObjectName, Policy, Sequence, SequenceOptions, Trigger,
    View,
};

/// The options of a sequence that are not those it would have anyway.
pub(super) fn sequence_words(options: &SequenceOptions) -> Vec<String> {
    sequence_changes(
        &SequenceOptions::of_type(options.data_type.clone()),
        options,
    )
}

/// What leads from one way of counting to another.
pub(super) fn sequence_changes(from: &SequenceOptions, to: &SequenceOptions) -> Vec<String> {
    let mut words = Vec::new();
    if from.data_type != to.data_type {
        words.push(format!("AS {}", to.data_type));
    }
    if from.increment != to.increment {
        words.push(format!("INCREMENT BY {}", to.increment));
    }
    if from.min != to.min {
        words.push(format!("MINVALUE {}", to.min));
    }
    if from.max != to.max {
        words.push(format!("MAXVALUE {}", to.max));
    }
    if from.start != to.start {
        words.push(format!("START WITH {}", to.start));
    }
    if from.cache != to.cache {
        words.push(format!("CACHE {}", to.cache));
    }
    if from.cycle != to.cycle {
        words.push(if to.cycle { "CYCLE" } else { "NO CYCLE" }.to_owned());
    }
    words
}

pub(super) fn create_sequence_sql(name: &ObjectName, options: Option<&SequenceOptions>) -> String {
    let mut sql = format!("CREATE SEQUENCE {}", quote::object(name));
    if let Some(options) = options {
        if options.data_type != "bigint" {
            sql.push_str(" AS ");
            sql.push_str(&options.data_type);
        }
        for word in sequence_words(options) {
            sql.push(' ');
            sql.push_str(&word);
        }
    }
    sql
}

fn owned_by(sequence: &Sequence) -> String {
    match &sequence.owned_by {
        Some(owner) => format!(
            "{}.{}",
            quote::object(&owner.table),
            quote::name(&owner.column)
        ),
        None => "NONE".to_owned(),
    }
}

pub(super) fn create_sequence(sequence: &Sequence) -> Vec<String> {
    let mut sql = vec![create_sequence_sql(&sequence.name, Some(&sequence.options))];
    if sequence.owned_by.is_some() {
        sql.push(format!(
            "ALTER SEQUENCE {} OWNED BY {}",
            quote::object(&sequence.name),
            owned_by(sequence)
        ));
    }
    if let Some(comment) = &sequence.comment {
        let target = CommentTarget::Sequence(sequence.name.clone());
        sql.push(comment_sql(&target, Some(comment)));
    }
    sql
}

pub(super) fn alter_sequence(from: &Sequence, to: &Sequence) -> Vec<String> {
    let mut words = sequence_changes(&from.options, &to.options);
    if from.owned_by != to.owned_by {
        words.push(format!("OWNED BY {}", owned_by(to)));
    }
    vec![format!(
        "ALTER SEQUENCE {} {}",
        quote::object(&to.name),
        words.join(" ")
    )]
}

/// `schema.name(arguments)` from a function's key.
pub(super) fn signature(key: &ObjectName) -> String {
    let (name, arguments) = key.name.split_once('(').unwrap_or((&key.name, ")"));
    format!("{}({arguments}", quote::object(&key.sibling(name)))
}

pub(super) fn create_function(function: &Function) -> Vec<String> {
    let mut sql = Vec::new();
    // The body of an SQL function is read when the function is made, as the types of a procedure's
    // variables are, and what it names may only be made later or be found by a search path of its own.
    let definition = function.definition.to_ascii_lowercase();
    let is_read = definition.contains("language sql")
        || definition.contains("language plpgsql") && definition.contains("declare");
    if is_read {
        sql.push("SET check_function_bodies = off".to_owned());
    }
    sql.push(function.definition.clone());
    if is_read {
        sql.push("RESET check_function_bodies".to_owned());
    }
    if let Some(comment) = &function.comment {
        let is_procedure = function.kind == FunctionKind::Procedure;
        let target = CommentTarget::Function(function.key(), is_procedure);
        sql.push(comment_sql(&target, Some(comment)));
    }
    sql
}

pub(super) fn drop_function(function: &Function) -> String {
    let kind = match function.kind {
        FunctionKind::Function => "FUNCTION",
        FunctionKind::Procedure => "PROCEDURE",
    };
    format!("DROP {kind} {}", signature(&function.key()))
}

pub(super) fn view_kind(materialized: bool) -> &'static str {
    if materialized {
        "MATERIALIZED VIEW"
    } else {
        "VIEW"
    }
}

fn view_body(view: &View) -> String {
    let mut sql = format!(
        "{} {}",
        view_kind(view.materialized),
        quote::object(&view.name)
    );
    if !view.options.is_empty() {
        sql.push_str(" WITH (");
        sql.push_str(&settings(&view.options));
        sql.push(')');
    }
    sql.push_str(" AS\n");
    sql.push_str(&view.definition);
    sql
}

pub(super) fn create_view(view: &View) -> Vec<String> {
    let mut sql = vec![format!("CREATE {}", view_body(view))];
    for index in view.indexes.values() {
        sql.extend(create_index(&view.name, index));
    }
    for trigger in view.triggers.values() {
        sql.extend(create_trigger(&view.name, trigger));
    }
    if let Some(comment) = &view.comment {
        let target = CommentTarget::View(view.name.clone(), view.materialized);
        sql.push(comment_sql(&target, Some(comment)));
    }
    for (column, comment) in &view.column_comments {
        let target = CommentTarget::ViewColumn(view.name.clone(), column.clone());
        sql.push(comment_sql(&target, Some(comment)));
    }
    sql
}

pub(super) fn alter_view(from: &View, to: &View) -> Vec<String> {
    if to.materialized {
        return change_settings(
            &format!("ALTER MATERIALIZED VIEW {}", quote::object(&to.name)),
            &from.options,
            &to.options,
        );
    }
    vec![format!("CREATE OR REPLACE {}", view_body(to))]
}

/// `fillfactor=70, autovacuum_enabled=false`
pub(super) fn settings(settings: &BTreeMap<String, String>) -> String {
    let list: Vec<String> = settings
        .iter()
        .map(|(name, value)| format!("{name}={}", setting(value)))
        .collect();
    list.join(", ")
}

/// A setting's value: as it is where it is a word or number.
fn setting(value: &str) -> String {
    let is_plain = !value.is_empty()
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    if is_plain {
        value.to_owned()
    } else {
        quote::text(value)
    }
}

/// `... SET (...)` and `... RESET (...)`
pub(super) fn change_settings(
    statement: &str,
    from: &BTreeMap<String, String>,
    to: &BTreeMap<String, String>,
) -> Vec<String> {
    let mut sql = Vec::new();
    let set: BTreeMap<String, String> = to
        .iter()
        .filter(|(name, value)| from.get(*name) != Some(value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if !set.is_empty() {
        sql.push(format!("{statement} SET ({})", settings(&set)));
    }
    let reset: Vec<&str> = from
        .keys()
        .filter(|name| !to.contains_key(*name))
        .map(String::as_str)
        .collect();
    if !reset.is_empty() {
        sql.push(format!("{statement} RESET ({})", reset.join(", ")));
    }
    sql
}

pub(super) fn create_index(table: &ObjectName, index: &Index) -> Vec<String> {
    let mut sql = format!(
        "CREATE {}INDEX {} ON {} ",
        if index.unique { "UNIQUE " } else { "" },
        quote::name(&index.name),
        quote::object(table)
    );
    if index.method != "btree" {
        sql.push_str("USING ");
        sql.push_str(&quote::name(&index.method));
        sql.push(' ');
    }
    let keys: Vec<String> = index.keys.iter().map(index_key).collect();
    sql.push('(');
    sql.push_str(&keys.join(", "));
    sql.push(')');
    if !index.include.is_empty() {
        sql.push_str(" INCLUDE (");
        sql.push_str(&quote::names(&index.include));
        sql.push(')');
    }
    if index.nulls_not_distinct {
        sql.push_str(" NULLS NOT DISTINCT");
    }
    if !index.options.is_empty() {
        sql.push_str(" WITH (");
        sql.push_str(&settings(&index.options));
        sql.push(')');
    }
    if let Some(predicate) = &index.predicate {
        sql.push_str(" WHERE ");
        sql.push_str(predicate);
    }
    let mut statements = vec![sql];
    if let Some(comment) = &index.comment {
        let target = CommentTarget::Index(table.clone(), index.name.clone());
        statements.push(comment_sql(&target, Some(comment)));
    }
    statements
}

fn index_key(key: &crate::schema::IndexKey) -> String {
    let mut sql = match (&key.column, &key.expression) {
        (Some(column), _) => quote::name(column),
        (None, Some(expression)) => format!("({expression})"),
        (None, None) => String::new(),
    };
    if let Some(collation) = &key.collation {
        sql.push_str(" COLLATE ");
        sql.push_str(collation);
    }
    if let Some(class) = &key.operator_class {
        sql.push(' ');
        sql.push_str(class);
    }
    if key.descending {
        sql.push_str(" DESC");
    }
    match key.nulls_first {
        Some(true) => sql.push_str(" NULLS FIRST"),
        Some(false) => sql.push_str(" NULLS LAST"),
        None => {}
    }
    sql
}

pub(super) fn create_trigger(table: &ObjectName, trigger: &Trigger) -> Vec<String> {
    let mut sql = vec![trigger.definition.clone()];
    if trigger.firing.is_some() {
        sql.push(trigger_firing(table, trigger));
    }
    if let Some(comment) = &trigger.comment {
        let target = CommentTarget::Trigger(table.clone(), trigger.name.clone());
        sql.push(comment_sql(&target, Some(comment)));
    }
    sql
}

pub(super) fn trigger_firing(table: &ObjectName, trigger: &Trigger) -> String {
    let how = match trigger.firing.as_deref() {
        Some("disabled") => "DISABLE",
        Some("replica") => "ENABLE REPLICA",
        Some("always") => "ENABLE ALWAYS",
        _ => "ENABLE",
    };
    format!(
        "ALTER TABLE {} {how} TRIGGER {}",
        quote::object(table),
        quote::name(&trigger.name)
    )
}

fn roles(policy: &Policy) -> String {
    let roles: Vec<String> = policy
        .roles
        .iter()
        .map(|role| {
            if role == "PUBLIC" {
                role.clone()
            } else {
                quote::name(role)
            }
        })
        .collect();
    roles.join(", ")
}

fn conditions(policy: &Policy) -> String {
    let mut sql = String::new();
    if let Some(using) = &policy.using {
        sql.push_str(" USING (");
        sql.push_str(using);
        sql.push(')');
    }
    if let Some(check) = &policy.check {
        sql.push_str(" WITH CHECK (");
        sql.push_str(check);
        sql.push(')');
    }
    sql
}

pub(super) fn create_policy(table: &ObjectName, policy: &Policy) -> Vec<String> {
    let mut sql = vec![format!(
        "CREATE POLICY {} ON {} AS {} FOR {} TO {}{}",
        quote::name(&policy.name),
        quote::object(table),
        if policy.permissive {
            "PERMISSIVE"
        } else {
            "RESTRICTIVE"
        },
        policy.command,
        roles(policy),
        conditions(policy)
    )];
    if let Some(comment) = &policy.comment {
        let target = CommentTarget::Policy(table.clone(), policy.name.clone());
        sql.push(comment_sql(&target, Some(comment)));
    }
    sql
}

pub(super) fn alter_policy(table: &ObjectName, policy: &Policy) -> String {
    format!(
        "ALTER POLICY {} ON {} TO {}{}",
        quote::name(&policy.name),
        quote::object(table),
        roles(policy),
        conditions(policy)
    )
}
