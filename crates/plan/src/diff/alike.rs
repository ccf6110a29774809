//! Which tables look like one another.
//!
//! Of a thousand tables that go and a thousand that come, most pairs have little in common. They are
//! not looked at: two tables that share most of their columns share one of the rarest columns of each
//! (the prefix filter of a set similarity join), and tables of one form are compared as one.

use std::collections::{BTreeMap, BTreeSet};

use super::renames::{PLAUSIBLE, letter_pairs, ratio, shared_letter_pairs};
use crate::dialect::Rules;
use crate::schema::{ColumnType, Table};

/// The columns of a table, by name, and the schema that it is in.
type Form<'a> = (Option<&'a str>, Vec<(&'a str, &'a ColumnType)>);

/// Two tables that look alike, by their places in the lists.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pair {
    pub(super) old: usize,
    pub(super) new: usize,
    pub(super) likeness: f64,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Alike {
    pub(super) pairs: Vec<Pair>,
    /// How often the columns of two forms were compared for it.
    pub(super) comparisons: usize,
}

/// The pairs of an old and a new table of one schema that are plausible renames.
pub(super) fn find(old: &[&Table], new: &[&Table], rules: &dyn Rules) -> Alike {
    let old_forms = forms(old);
    let new_forms = forms(new);
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, columns) in old_forms.keys().chain(new_forms.keys()) {
        for (name, _) in columns {
            *uses.entry(name).or_default() += 1;
        }
    }
    let mut index: BTreeMap<(Option<&str>, &str), Vec<&Form<'_>>> = BTreeMap::new();
    for form in new_forms.keys() {
        for name in rarest(form, &uses) {
            index.entry((form.0, name)).or_default().push(form);
        }
    }
    let letters = |tables: &[&Table]| -> Vec<_> {
        let names = tables.iter().map(|table| letter_pairs(&table.name.name));
        names.collect()
    };
    let (old_letters, new_letters) = (letters(old), letters(new));
    let mut alike = Alike::default();
    for (form, old_tables) in &old_forms {
        let candidates: BTreeSet<&Form<'_>> = rarest(form, &uses)
            .into_iter()
            .filter_map(|name| index.get(&(form.0, name)))
            .flatten()
            .copied()
            .collect();
        for candidate in candidates {
            alike.comparisons += 1;
            let columns = Columns::of(&form.1, &candidate.1, rules);
            if columns.likeness(1.0) < PLAUSIBLE {
                continue;
            }
            for new in &new_forms[candidate] {
                for old in old_tables {
                    let names = shared_letter_pairs(&old_letters[*old], &new_letters[*new]);
                    let likeness = columns.likeness(names);
                    if likeness >= PLAUSIBLE {
                        alike.pairs.push(Pair {
                            old: *old,
                            new: *new,
                            likeness,
                        });
                    }
                }
            }
        }
    }
    alike
}

/// How much two tables have in common, from 0 to 1: the share of columns that are the same.
pub(super) fn likeness(old: &Table, new: &Table, rules: &dyn Rules) -> f64 {
    let names = shared_letter_pairs(&letter_pairs(&old.name.name), &letter_pairs(&new.name.name));
    Columns::of(&form(old).1, &form(new).1, rules).likeness(names)
}

/// What the columns of two tables have in common.
struct Columns {
    same: usize,
    all: usize,
}

impl Columns {
    fn of(old: &[(&str, &ColumnType)], new: &[(&str, &ColumnType)], rules: &dyn Rules) -> Self {
        let is_same = |(name, old_type): &&(&str, &ColumnType)| {
            let at = new.binary_search_by_key(name, |(name, _)| *name);
            at.is_ok_and(|at| rules.same_type(old_type, new[at].1))
        };
        let same = old.iter().filter(is_same).count();
        Self {
            same,
            all: old.len() + new.len() - same,
        }
    }

    /// With names that are so much alike.
    fn likeness(&self, names: f64) -> f64 {
        // Two tables with nothing but an id are alike by chance.
        let weight = if self.same <= 1 { 0.6 } else { 0.9 };
        ratio(self.same, self.all) * weight + (1.0 - weight) * names
    }
}

fn form(table: &Table) -> Form<'_> {
    let columns = table.columns.iter();
    let mut columns: Vec<(&str, &ColumnType)> = columns
        .map(|column| (column.name.as_str(), &column.column_type))
        .collect();
    columns.sort_unstable();
    (table.name.schema.as_deref(), columns)
}

fn forms<'a>(tables: &[&'a Table]) -> BTreeMap<Form<'a>, Vec<usize>> {
    let mut forms: BTreeMap<Form<'a>, Vec<usize>> = BTreeMap::new();
    for (position, table) in tables.iter().enumerate() {
        forms.entry(form(table)).or_default().push(position);
    }
    forms
}

/// So many of the rarest names of columns that a table which is alike has one of them.
///
/// Tables with two columns in common or more are alike from five ninths of all columns on; those with
/// only one, if they have four together at most.
fn rarest<'a>(form: &Form<'a>, uses: &BTreeMap<&str, usize>) -> Vec<&'a str> {
    let mut names: Vec<&str> = form.1.iter().map(|(name, _)| *name).collect();
    names.sort_by_key(|name| (uses.get(name).copied().unwrap_or_default(), *name));
    if names.len() > 3 {
        // A little less than five ninths, since what is compared are fractions.
        let shared = (names.len() * 11).div_ceil(20);
        names.truncate(names.len() - shared + 1);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{Dialect, rules};
    use crate::schema::{Column, ObjectName};

    fn table(name: &str, columns: &[(&str, &str)]) -> Table {
        let mut table = Table::new(ObjectName::new("public", name));
        for (name, column_type) in columns {
            let column_type = ColumnType::builtin(*column_type);
            table.columns.push(Column::new(*name, column_type));
        }
        table
    }

    /// Every table has an id and two moments, as all do, and some columns of its own.
    fn product(prefix: &str, count: usize) -> Vec<Table> {
        let tables = (0..count).map(|number| {
            let own: Vec<String> = (0..3 + number % 5)
                .map(|column| format!("c{number}_{column}"))
                .collect();
            let mut columns = vec![
                ("id", "bigint"),
                ("created_at", "timestamptz"),
                ("updated_at", "timestamptz"),
            ];
            columns.extend(own.iter().map(|name| (name.as_str(), "text")));
            table(&format!("{prefix}{number}"), &columns)
        });
        tables.collect()
    }

    fn all_pairs(old: &[&Table], new: &[&Table], rules: &dyn Rules) -> Vec<(usize, usize, u64)> {
        let mut pairs = Vec::new();
        for (at, left) in old.iter().enumerate() {
            for (other, right) in new.iter().enumerate() {
                let likeness = likeness(left, right, rules);
                if left.name.schema == right.name.schema && likeness >= PLAUSIBLE {
                    pairs.push((at, other, likeness.to_bits()));
                }
            }
        }
        pairs
    }

    fn found(alike: &Alike) -> Vec<(usize, usize, u64)> {
        let pairs = alike.pairs.iter();
        let mut pairs: Vec<_> = pairs
            .map(|pair| (pair.old, pair.new, pair.likeness.to_bits()))
            .collect();
        pairs.sort_unstable();
        pairs
    }

    #[test]
    fn a_thousand_tables_are_not_compared_with_a_thousand_each() {
        let (old, new) = (product("old_", 1000), product("new_", 1000));
        let (old, new): (Vec<&Table>, Vec<&Table>) = (old.iter().collect(), new.iter().collect());
        let alike = find(&old, &new, rules(Dialect::Postgres));
        assert_eq!(alike.pairs.len(), 1000, "each has its counterpart");
        assert!(alike.pairs.iter().all(|pair| pair.old == pair.new));
        assert!(alike.comparisons <= 2000, "{}", alike.comparisons);
    }

    #[test]
    fn tables_of_one_form_are_compared_once() {
        let columns = [("id", "bigint"), ("name", "text"), ("at", "timestamptz")];
        let tables = |prefix: &str| -> Vec<Table> {
            let names = (0..300).map(|number| format!("{prefix}_{number}"));
            names.map(|name| table(&name, &columns)).collect()
        };
        let (old, new) = (tables("old"), tables("new"));
        let (old, new): (Vec<&Table>, Vec<&Table>) = (old.iter().collect(), new.iter().collect());
        let alike = find(&old, &new, rules(Dialect::Postgres));
        assert_eq!(alike.comparisons, 1);
        assert_eq!(alike.pairs.len(), 300 * 300);
    }

    /// Small numbers without a pattern, the same in every run.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, limit: usize) -> usize {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let limit = u64::try_from(limit).expect("a small number");
            usize::try_from((self.0 >> 33) % limit).expect("a small number")
        }
    }

    #[test]
    fn nothing_that_is_alike_is_overlooked() {
        const NAMES: [&str; 9] = ["id", "a", "b", "c", "d", "e", "f", "g", "h"];
        const TYPES: [&str; 3] = ["text", "varchar", "integer"];
        const TABLES: [&str; 4] = ["users", "USERS", "user", "orders"];
        let mut numbers = Numbers(7);
        let mut total = 0;
        for _ in 0..60 {
            let mut tables = || -> Vec<Table> {
                let tables = (0..25).map(|number| {
                    let many = 1 + numbers.below(NAMES.len());
                    let mut columns: Vec<(&str, &str)> = Vec::new();
                    for name in NAMES.iter().take(many) {
                        if numbers.below(5) > 0 {
                            columns.push((name, TYPES[numbers.below(TYPES.len())]));
                        }
                    }
                    let name = TABLES[numbers.below(TABLES.len())];
                    let name = if number < 12 {
                        name.to_owned()
                    } else {
                        format!("{name}{number}")
                    };
                    let mut made = table(&name, &columns);
                    if numbers.below(8) == 0 {
                        made.name.schema = Some("other".to_owned());
                    }
                    made
                });
                tables.collect()
            };
            let (old, new) = (tables(), tables());
            let (old, new): (Vec<&Table>, Vec<&Table>) =
                (old.iter().collect(), new.iter().collect());
            for dialect in [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite] {
                let alike = find(&old, &new, rules(dialect));
                let expected = all_pairs(&old, &new, rules(dialect));
                total += expected.len();
                assert_eq!(found(&alike), expected);
            }
        }
        assert!(total > 1000, "{total} pairs are too few to say anything");
    }
}
