//! Changing the text of a `CREATE TABLE` statement so that it makes another table, leaving every
//! part that does not change as its author wrote it.

use std::collections::{BTreeMap, BTreeSet};

use crate::schema::{Check, Column, ForeignKey, ObjectName, PrimaryKey, Table, Unique};
use crate::sql::lexer::Span;

use super::ddl::{self, ClauseKind, ColumnDefinition, CreateTable, DdlError};
use super::read::{self, Constraint, Place, PlacedConstraint};
use super::write;

/// The statement `sql`, changed so that it makes `target`. Clauses that the model does not know
/// (conflict clauses of `NOT NULL`, directions in a primary key, comments) stay. `tables` are the
/// tables that foreign keys can refer to.
pub(crate) fn edit_table(
    sql: &str,
    target: &Table,
    tables: &BTreeMap<ObjectName, Table>,
) -> Result<String, DdlError> {
    let parsed = ddl::parse_table(sql)?;
    let mut editor = Editor::new(sql, &parsed, target);
    if editor.kept_columns.is_empty() {
        return Ok(write::create_table(target));
    }
    editor.name();
    let placed = read::constraints(sql, &parsed);
    let missing = editor.constraints(placed, tables);
    editor.columns();
    editor.removals();
    editor.additions(missing);
    editor.options();
    Ok(apply(sql, editor.edits))
}

/// The statement with another name for the table, there and in its references to itself.
pub(crate) fn rename_table(sql: &str, from: &str, to: &str) -> Result<String, DdlError> {
    let parsed = ddl::parse_table(sql)?;
    let mut edits = Vec::new();
    if parsed.name.name.eq_ignore_ascii_case(from) {
        edits.push((parsed.name.span, write::quoted(to)));
    }
    for references in references(&parsed) {
        if references.table.name.eq_ignore_ascii_case(from) {
            edits.push((references.table.span, write::quoted(to)));
        }
    }
    Ok(apply(sql, edits))
}

/// The statement after the column of `table`, which need not be the one that it makes, got another
/// name.
pub(crate) fn rename_column(
    sql: &str,
    table: &str,
    from: &str,
    to: &str,
) -> Result<String, DdlError> {
    let parsed = ddl::parse_table(sql)?;
    let own = parsed.name.name.eq_ignore_ascii_case(table);
    let mut edits = Vec::new();
    let mut rename = |identifier: &ddl::Identifier| {
        if identifier.name.eq_ignore_ascii_case(from) {
            edits.push((identifier.span, write::quoted(to)));
        }
    };
    for references in references(&parsed) {
        if references.table.name.eq_ignore_ascii_case(table) {
            references.columns.iter().for_each(&mut rename);
        }
    }
    if own {
        for column in &parsed.columns {
            rename(&column.name);
        }
        for constraint in &parsed.constraints {
            match &constraint.kind {
                ddl::ConstraintKind::PrimaryKey { columns, .. }
                | ddl::ConstraintKind::Unique { columns, .. }
                | ddl::ConstraintKind::ForeignKey { columns, .. } => {
                    columns.iter().for_each(&mut rename);
                }
                ddl::ConstraintKind::Check(_) => {}
            }
        }
        for span in expressions(&parsed) {
            let renamed = super::canonical::rename_identifier(span.text(sql), from, to);
            if renamed != span.text(sql) {
                edits.push((span, renamed));
            }
        }
    }
    Ok(apply(sql, edits))
}

/// The statement with checks that do not spell out the table's name, if one does: `t.x > 0` becomes
/// `x > 0`, which means the same. SQLite does not rename the table in them.
pub(crate) fn without_qualified_checks(sql: &str) -> Option<String> {
    let parsed = ddl::parse_table(sql).ok()?;
    let mut edits = Vec::new();
    for span in expressions(&parsed) {
        let offset = span.start;
        for qualifier in super::canonical::qualifiers(span.text(sql), &parsed.name.name) {
            let span = Span {
                start: offset + qualifier.start,
                end: offset + qualifier.end,
            };
            edits.push((span, String::new()));
        }
    }
    (!edits.is_empty()).then(|| apply(sql, edits))
}

fn references(parsed: &CreateTable) -> impl Iterator<Item = &ddl::References> {
    let inline = parsed
        .columns
        .iter()
        .flat_map(|column| &column.clauses)
        .filter_map(|clause| match &clause.kind {
            ClauseKind::References(references) => Some(references),
            _ => None,
        });
    let beside = parsed
        .constraints
        .iter()
        .filter_map(|constraint| match &constraint.kind {
            ddl::ConstraintKind::ForeignKey { references, .. } => Some(references),
            _ => None,
        });
    inline.chain(beside)
}

/// Where the conditions and generated expressions stand.
fn expressions(parsed: &CreateTable) -> Vec<Span> {
    let inline = parsed
        .columns
        .iter()
        .flat_map(|column| &column.clauses)
        .filter_map(|clause| match &clause.kind {
            ClauseKind::Check(span)
            | ClauseKind::Generated {
                expression: span, ..
            } => Some(*span),
            _ => None,
        });
    let beside = parsed
        .constraints
        .iter()
        .filter_map(|constraint| match &constraint.kind {
            ddl::ConstraintKind::Check(span) => Some(*span),
            _ => None,
        });
    inline.chain(beside).collect()
}

/// The text with each span replaced. Spans do not overlap; insertions at one place keep their order.
fn apply(sql: &str, mut edits: Vec<(Span, String)>) -> String {
    edits.sort_by_key(|(span, _)| (span.start, span.end));
    let mut text = String::with_capacity(sql.len() + 64);
    let mut at = 0;
    for (span, replacement) in edits {
        text.push_str(sql.get(at..span.start).unwrap_or_default());
        text.push_str(&replacement);
        at = span.end.max(at);
    }
    text.push_str(sql.get(at..).unwrap_or_default());
    text
}

struct Editor<'a> {
    sql: &'a str,
    parsed: &'a CreateTable,
    target: &'a Table,
    /// Positions of the columns that stay.
    kept_columns: Vec<usize>,
    /// Positions of the constraints beside the columns that go.
    dropped_constraints: BTreeSet<usize>,
    /// Positions of the columns and their clauses that go.
    dropped_clauses: BTreeSet<(usize, usize)>,
    edits: Vec<(Span, String)>,
}

impl<'a> Editor<'a> {
    fn new(sql: &'a str, parsed: &'a CreateTable, target: &'a Table) -> Self {
        let kept_columns = (0..parsed.columns.len())
            .filter(|at| target.column(&parsed.columns[*at].name.name).is_some())
            .collect();
        Self {
            sql,
            parsed,
            target,
            kept_columns,
            dropped_constraints: BTreeSet::new(),
            dropped_clauses: BTreeSet::new(),
            edits: Vec::new(),
        }
    }

    fn replace(&mut self, span: Span, text: impl Into<String>) {
        self.edits.push((span, text.into()));
    }

    fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.replace(Span { start: at, end: at }, text);
    }

    fn name(&mut self) {
        let name = &self.target.name.name;
        if self.parsed.name.name != *name {
            self.replace(self.parsed.name.span, write::quoted(name));
        }
    }

    fn options(&mut self) {
        let options = &self.target.options;
        if (options.strict, options.without_rowid)
            != (self.parsed.strict, self.parsed.without_rowid)
        {
            let text = write::options(options.strict, options.without_rowid);
            self.replace(self.parsed.options, text);
        }
    }

    /// Takes out the constraints that the target does not have, and gives the ones that it has
    /// besides.
    fn constraints(
        &mut self,
        placed: Vec<PlacedConstraint>,
        tables: &BTreeMap<ObjectName, Table>,
    ) -> Missing {
        let target = self.target;
        let mut missing = Missing {
            primary_key: target.primary_key.clone(),
            uniques: target.uniques.clone(),
            checks: target.checks.clone(),
            foreign_keys: target.foreign_keys.clone(),
        };
        for PlacedConstraint { place, constraint } in placed {
            let is_on_dropped_column = matches!(
                place,
                Place::Column(column, _) if !self.kept_columns.contains(&column)
            );
            if is_on_dropped_column {
                continue;
            }
            let stays = match constraint {
                Constraint::PrimaryKey(key) => {
                    let stays = missing.primary_key.as_ref() == Some(&key)
                        && self.numbering_can_stay(place, &key);
                    if stays {
                        missing.primary_key = None;
                    }
                    stays
                }
                Constraint::Unique(unique) => {
                    take(&mut missing.uniques, &unique)
                    // The second of two over the same columns says nothing more.
                    || target.uniques.iter().any(|other| other.columns == unique.columns)
                        && !is_missing(&missing.uniques, &unique)
                }
                Constraint::Check(check) => take(&mut missing.checks, &check),
                Constraint::ForeignKey(mut foreign_key) => {
                    read::resolve_reference(&mut foreign_key, tables);
                    take(&mut missing.foreign_keys, &foreign_key)
                }
            };
            if !stays {
                self.drop_constraint(place);
            }
        }
        missing
    }

    /// A key beside the columns has to move to its column to get `AUTOINCREMENT`, or to lose it.
    fn numbering_can_stay(&self, place: Place, key: &PrimaryKey) -> bool {
        let Place::Table(at) = place else {
            return true;
        };
        let numbers = matches!(
            self.parsed.constraints[at].kind,
            ddl::ConstraintKind::PrimaryKey {
                autoincrement: Some(_),
                ..
            }
        );
        let wanted = key
            .columns
            .first()
            .and_then(|name| self.target.column(name))
            .is_some_and(|column| column.identity.is_some());
        numbers == wanted
    }

    fn drop_constraint(&mut self, place: Place) {
        match place {
            Place::Column(column, clause) => {
                let definition = &self.parsed.columns[column];
                self.dropped_clauses.insert((column, clause));
                self.drop_clause(definition, clause);
            }
            Place::Table(at) => {
                self.dropped_constraints.insert(at);
            }
        }
    }

    fn drop_clause(&mut self, definition: &ColumnDefinition, clause: usize) {
        let start = match clause.checked_sub(1) {
            Some(before) => definition.clauses[before].span.end,
            None => definition.type_span.end,
        };
        let end = definition.clauses[clause].span.end;
        self.replace(Span { start, end }, "");
    }

    /// Changes the columns that stay.
    fn columns(&mut self) {
        for at in self.kept_columns.clone() {
            if let Some(column) = self.target.column(&self.parsed.columns[at].name.name) {
                self.column(at, column);
            }
        }
    }

    fn column(&mut self, position: usize, column: &Column) {
        let definition = &self.parsed.columns[position];
        let declared = definition.type_span.text(self.sql);
        if read::column_type(declared).text != column.column_type.text {
            let blank = if declared.is_empty() { " " } else { "" };
            self.replace(
                definition.type_span,
                format!("{blank}{}", column.column_type.text),
            );
        }
        let mut says = Says::default();
        for (at, clause) in definition.clauses.iter().enumerate() {
            if self.dropped_clauses.contains(&(position, at)) {
                continue;
            }
            match &clause.kind {
                ClauseKind::NotNull => {
                    says.not_null = true;
                    if column.nullable {
                        self.drop_clause(definition, at);
                    }
                }
                ClauseKind::Default(value) => {
                    says.default = true;
                    match &column.default {
                        None if read::default_value(value.text(self.sql)).is_some() => {
                            self.drop_clause(definition, at);
                        }
                        Some(default)
                            if read::default_value(value.text(self.sql)).as_ref()
                                != Some(default) =>
                        {
                            self.replace(*value, write::default_clause(default));
                        }
                        _ => {}
                    }
                }
                ClauseKind::Collate(collation) => {
                    says.collation = true;
                    if read::collation_name(collation) != column.collation {
                        match &column.collation {
                            None => self.drop_clause(definition, at),
                            Some(wanted) => {
                                let text = format!("COLLATE {}", write::quoted(wanted));
                                self.replace(clause.span, text);
                            }
                        }
                    }
                }
                ClauseKind::Generated { expression, stored } => {
                    says.generated = true;
                    let expression = super::tidy(expression.text(self.sql));
                    match &column.generated {
                        None => self.drop_clause(definition, at),
                        Some(wanted)
                            if wanted.expression != expression || wanted.stored != *stored =>
                        {
                            let text = write::generated_clause(&wanted.expression, wanted.stored);
                            self.replace(clause.span, text);
                        }
                        Some(_) => {}
                    }
                }
                ClauseKind::PrimaryKey {
                    autoincrement: Some(span),
                    ..
                } if column.identity.is_none() => {
                    let start = self.sql[..span.start].trim_end().len();
                    self.replace(
                        Span {
                            start,
                            end: span.end,
                        },
                        "",
                    );
                }
                ClauseKind::PrimaryKey {
                    autoincrement: None,
                    ..
                } if column.identity.is_some() => {
                    self.insert(clause.span.end, " AUTOINCREMENT");
                }
                ClauseKind::PrimaryKey { .. }
                | ClauseKind::Null
                | ClauseKind::Unique { .. }
                | ClauseKind::Check(_)
                | ClauseKind::References(_) => {}
            }
        }
        let says_itself = read::implies_not_null(self.target, &column.name);
        let mut add = |missing: bool, text: String| {
            if missing {
                self.insert(definition.span.end, format!(" {text}"));
            }
        };
        add(
            !says.not_null && !column.nullable && !says_itself,
            "NOT NULL".to_owned(),
        );
        if let Some(default) = &column.default {
            let text = format!("DEFAULT {}", write::default_clause(default));
            add(!says.default, text);
        }
        if let Some(collation) = &column.collation {
            let text = format!("COLLATE {}", write::quoted(collation));
            add(!says.collation, text);
        }
        if let Some(generated) = &column.generated {
            let text = write::generated_clause(&generated.expression, generated.stored);
            add(!says.generated, text);
        }
    }

    /// Takes out the columns and constraints that go, each with the comma before it.
    fn removals(&mut self) {
        let columns = self
            .parsed
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| (column.span, self.kept_columns.contains(&at)));
        let constraints = self
            .parsed
            .constraints
            .iter()
            .enumerate()
            .map(|(at, constraint)| (constraint.span, !self.dropped_constraints.contains(&at)));
        let items: Vec<(Span, bool)> = columns.chain(constraints).collect();
        let Some(first_kept) = items.iter().position(|(_, stays)| *stays) else {
            return;
        };
        if first_kept > 0 {
            let span = Span {
                start: items[0].0.start,
                end: items[first_kept].0.start,
            };
            self.replace(span, "");
        }
        for (at, (span, stays)) in items.iter().enumerate().skip(first_kept + 1) {
            if !stays {
                let span = Span {
                    start: items[at - 1].0.end,
                    end: span.end,
                };
                self.replace(span, "");
            }
        }
    }

    /// Puts in the columns and constraints that the statement does not have yet.
    fn additions(&mut self, mut missing: Missing) {
        let Some(last_column) = self.kept_columns.last() else {
            return;
        };
        let last_column = self.parsed.columns[*last_column].span.end;
        // With AUTOINCREMENT, the key stands with its column.
        let inline_key = missing.primary_key.take_if(|key| {
            let column = key.columns.first().and_then(|n| self.target.column(n));
            key.columns.len() == 1 && column.is_some_and(|column| column.identity.is_some())
        });
        if let Some(key) = &inline_key {
            let definition = self
                .kept_columns
                .iter()
                .map(|at| &self.parsed.columns[*at])
                .find(|definition| key.columns.contains(&definition.name.name));
            if let Some(definition) = definition {
                let text = format!(" {}", write::inline_primary_key(key, true));
                self.insert(definition.span.end, text);
            }
        }
        for column in &self.target.columns {
            let known = &self.parsed.columns;
            if known.iter().any(|known| known.name.name == column.name) {
                continue;
            }
            let key = inline_key
                .as_ref()
                .filter(|key| key.columns.contains(&column.name));
            let text = write::column_definition(column, key);
            self.insert(last_column, format!(", {text}"));
        }
        let last_item = self
            .parsed
            .constraints
            .iter()
            .enumerate()
            .filter(|(at, _)| !self.dropped_constraints.contains(at))
            .map(|(_, constraint)| constraint.span.end)
            .next_back()
            .unwrap_or(last_column);
        for text in missing.statements() {
            self.insert(last_item, format!(", {text}"));
        }
    }
}

/// Which clauses a column has.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each stands for a clause that can be there or not"
)]
struct Says {
    not_null: bool,
    default: bool,
    collation: bool,
    generated: bool,
}

/// Constraints that the target has and the statement does not.
struct Missing {
    primary_key: Option<PrimaryKey>,
    uniques: Vec<Unique>,
    checks: Vec<Check>,
    foreign_keys: Vec<ForeignKey>,
}

impl Missing {
    fn statements(&self) -> Vec<String> {
        let key = self.primary_key.iter().map(write::primary_key);
        let uniques = self.uniques.iter().map(write::unique);
        let checks = self.checks.iter().map(write::check);
        let foreign_keys = self.foreign_keys.iter().map(write::foreign_key);
        key.chain(uniques)
            .chain(checks)
            .chain(foreign_keys)
            .collect()
    }
}

/// Takes one value that is equal out of the list, and says whether there was one.
fn take<T: PartialEq>(list: &mut Vec<T>, value: &T) -> bool {
    let position = list.iter().position(|other| other == value);
    if let Some(position) = position {
        list.remove(position);
    }
    position.is_some()
}

fn is_missing(missing: &[Unique], unique: &Unique) -> bool {
    missing.iter().any(|other| other.columns == unique.columns)
}
