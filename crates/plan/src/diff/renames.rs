//! Finding out what only got another name.
//!
//! A rename is never guessed: it is one when it was stated beforehand or confirmed. What merely looks
//! like one stays a removal and an addition, and both say so.

use std::collections::{BTreeMap, BTreeSet};

use super::alike::{self, Pair};
use super::{Questioner, RenameSubject};
use crate::dialect::Rules;
use crate::op::{Op, Rename, RenameCandidate};
use crate::schema::{Column, ObjectName, Schema, Table};

/// How alike two things must be to be called a possible rename.
pub(super) const PLAUSIBLE: f64 = 0.6;

/// The renames and the pairs that may be some.
#[derive(Debug, Default)]
pub(super) struct Renames {
    /// In an order in which they can be done.
    pub(super) ops: Vec<Op>,
    /// Tables that disappear and appear, by both names.
    pub(super) tables: BTreeMap<ObjectName, RenameCandidate>,
    /// Columns that disappear and appear, by table and both names.
    pub(super) columns: BTreeMap<(ObjectName, String), RenameCandidate>,
    /// Enum values that disappear and appear, by type and both names.
    pub(super) enum_values: BTreeMap<(ObjectName, String), RenameCandidate>,
}

impl Renames {
    /// The rename for whose sake this one only moves a column out of the way.
    pub(super) fn moved_aside_for(&self, op: &Op) -> Option<&Op> {
        let Op::Rename(Rename::Column { table, to, .. }) = op else {
            return None;
        };
        self.ops.iter().find(|other| {
            matches!(other, Op::Rename(Rename::Column {
                table: other_table,
                from,
                known_as: Some(_),
                ..
            }) if other_table == table && from == to)
        })
    }
}

/// Finds the renames that lead from `from` towards `to`, and applies them to `from`.
pub(super) fn find(
    from: &mut Schema,
    to: &Schema,
    rules: &dyn Rules,
    questioner: &dyn Questioner,
) -> Renames {
    let mut renames = Renames::default();
    find_tables(from, to, rules, questioner, &mut renames);
    find_columns(from, to, rules, questioner, &mut renames);
    find_enum_values(from, to, questioner, &mut renames);
    renames
}

fn find_tables(
    from: &mut Schema,
    to: &Schema,
    rules: &dyn Rules,
    questioner: &dyn Questioner,
    renames: &mut Renames,
) {
    let gone: Vec<ObjectName> = only_in(from.tables.keys(), |n| to.tables.contains_key(n));
    let come: Vec<ObjectName> = only_in(to.tables.keys(), |n| from.tables.contains_key(n));
    let pairs = table_pairs(from, to, (&gone, &come), rules, questioner);
    let (mut left, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for (stated, pair) in pairs {
        if left.contains(&pair.old) || taken.contains(&pair.new) {
            continue;
        }
        let (old, new) = (&gone[pair.old], &come[pair.new]);
        if stated || questioner.is_rename(&table_subject(old, new), pair.likeness) {
            left.insert(pair.old);
            taken.insert(pair.new);
            let op = Op::Rename(Rename::Table {
                from: old.clone(),
                to: new.clone(),
            });
            op.apply(from);
            renames.ops.push(op);
            continue;
        }
        for name in [old, new] {
            if !renames.tables.contains_key(name) {
                let candidate = RenameCandidate {
                    from: to.short_name(old),
                    to: new.name.clone(),
                    likeness: rounded(pair.likeness),
                };
                renames.tables.insert(name.clone(), candidate);
            }
        }
    }
}

/// The pairs of tables that are renames for sure or may be some: stated ones first, then the most
/// alike; equal ones by name.
fn table_pairs(
    from: &Schema,
    to: &Schema,
    (gone, come): (&[ObjectName], &[ObjectName]),
    rules: &dyn Rules,
    questioner: &dyn Questioner,
) -> Vec<(bool, Pair)> {
    let old: Vec<&Table> = gone.iter().map(|name| &from.tables[name]).collect();
    let new: Vec<&Table> = come.iter().map(|name| &to.tables[name]).collect();
    let mut stated = Vec::new();
    if questioner.has_stated_renames() {
        for (at, old_table) in old.iter().enumerate() {
            for (other, new_table) in new.iter().enumerate() {
                let (old_name, new_name) = (&old_table.name, &new_table.name);
                if old_name.schema == new_name.schema
                    && questioner.is_stated_rename(&table_subject(old_name, new_name))
                {
                    stated.push(Pair {
                        old: at,
                        new: other,
                        likeness: alike::likeness(old_table, new_table, rules),
                    });
                }
            }
        }
    }
    let is_stated: BTreeSet<(usize, usize)> =
        stated.iter().map(|pair| (pair.old, pair.new)).collect();
    let likely = alike::find(&old, &new, rules).pairs.into_iter();
    let likely = likely.filter(|pair| !is_stated.contains(&(pair.old, pair.new)));
    let mut pairs: Vec<(bool, Pair)> = stated
        .into_iter()
        .map(|pair| (true, pair))
        .chain(likely.map(|pair| (false, pair)))
        .collect();
    // The lists are in the order of their names.
    pairs.sort_by(|(a_stated, a), (b_stated, b)| {
        b_stated
            .cmp(a_stated)
            .then(b.likeness.total_cmp(&a.likeness))
            .then((a.old, a.new).cmp(&(b.old, b.new)))
    });
    pairs
}

fn table_subject(old: &ObjectName, new: &ObjectName) -> RenameSubject {
    RenameSubject::Table {
        from: old.clone(),
        to: new.clone(),
    }
}

fn find_columns(
    from: &mut Schema,
    to: &Schema,
    rules: &dyn Rules,
    questioner: &dyn Questioner,
    renames: &mut Renames,
) {
    let shared: Vec<ObjectName> = from
        .tables
        .keys()
        .filter(|name| to.tables.contains_key(name))
        .cloned()
        .collect();
    for name in shared {
        let (old_table, new_table) = (&from.tables[&name], &to.tables[&name]);
        let subject = |old: &Column, new: &Column| RenameSubject::Column {
            table: name.clone(),
            from: old.name.clone(),
            to: new.name.clone(),
        };
        let mut confirmed: Vec<(String, String)> = Vec::new();
        // A stated rename may also exchange columns that both sides have.
        let asked: &[Column] = if questioner.has_stated_renames() {
            &old_table.columns
        } else {
            &[]
        };
        for old in asked {
            for new in &new_table.columns {
                if old.name != new.name && questioner.is_stated_rename(&subject(old, new)) {
                    confirmed.push((old.name.clone(), new.name.clone()));
                }
            }
        }
        drop_impossible(&mut confirmed, old_table);

        let is_old = |name: &str| confirmed.iter().any(|(old, _)| old == name);
        let is_new = |name: &str| confirmed.iter().any(|(_, new)| new == name);
        let gone = old_table
            .columns
            .iter()
            .filter(|c| new_table.column(&c.name).is_none() && !is_old(&c.name));
        let mut pairs = Vec::new();
        for old in gone {
            let come = new_table
                .columns
                .iter()
                .filter(|c| old_table.column(&c.name).is_none() && !is_new(&c.name));
            for new in come {
                let likeness = column_likeness(old, new, rules);
                if likeness >= PLAUSIBLE {
                    pairs.push((
                        false,
                        likeness,
                        old.name.clone(),
                        new.name.clone(),
                        subject(old, new),
                    ));
                }
            }
        }
        best_first(&mut pairs);
        for (_, likeness, old, new, subject) in pairs {
            if confirmed.iter().any(|(o, n)| *o == old || *n == new) {
                continue;
            }
            if questioner.is_rename(&subject, likeness) {
                confirmed.push((old, new));
            } else {
                let candidate = RenameCandidate {
                    from: format!("{}.{old}", to.short_name(&name)),
                    to: new.clone(),
                    likeness: rounded(likeness),
                };
                for column in [old, new] {
                    let key = (name.clone(), column);
                    renames.columns.entry(key).or_insert(candidate.clone());
                }
            }
        }
        for op in in_order(&name, confirmed) {
            op.apply(from);
            renames.ops.push(op);
        }
    }
}

/// Takes out renames to a name that another column has and keeps: they were done before.
fn drop_impossible(confirmed: &mut Vec<(String, String)>, table: &Table) {
    let mut seen = BTreeSet::new();
    confirmed.retain(|(old, new)| seen.insert(old.clone()) & seen.insert(format!("\u{0}{new}")));
    loop {
        let before = confirmed.len();
        let leaving: BTreeSet<String> = confirmed.iter().map(|(old, _)| old.clone()).collect();
        confirmed.retain(|(_, new)| table.column(new).is_none() || leaving.contains(new));
        if confirmed.len() == before {
            return;
        }
    }
}

/// Puts the renames of a table in an order in which each new name is free when its turn comes. A
/// circle is opened by moving one column to a name that nobody has.
fn in_order(table: &ObjectName, mut pairs: Vec<(String, String)>) -> Vec<Op> {
    let rename = |from: String, to: String, known_as: Option<String>| {
        Op::Rename(Rename::Column {
            table: table.clone(),
            from,
            to,
            known_as,
        })
    };
    let mut ops = Vec::new();
    let mut last = Vec::new();
    while !pairs.is_empty() {
        let free = pairs
            .iter()
            .position(|(_, new)| !pairs.iter().any(|(old, _)| old == new));
        if let Some(free) = free {
            let (old, new) = pairs.remove(free);
            ops.push(rename(old, new, None));
        } else {
            let (old, new) = pairs.remove(0);
            let parked = format!("{old}__renamed");
            ops.push(rename(old.clone(), parked.clone(), None));
            last.push(rename(parked, new, Some(old)));
        }
    }
    ops.extend(last);
    ops
}

fn find_enum_values(
    from: &mut Schema,
    to: &Schema,
    questioner: &dyn Questioner,
    renames: &mut Renames,
) {
    let shared: Vec<ObjectName> = from
        .enums
        .keys()
        .filter(|name| to.enums.contains_key(name))
        .cloned()
        .collect();
    for name in shared {
        let old_values = from.enums[&name].values.clone();
        let new_values = &to.enums[&name].values;
        let mut taken = BTreeSet::new();
        for (position, old) in old_values.iter().enumerate() {
            if new_values.contains(old) {
                continue;
            }
            for (new_position, new) in new_values.iter().enumerate() {
                if old_values.contains(new) || taken.contains(new) {
                    continue;
                }
                let subject = RenameSubject::EnumValue {
                    enum_type: name.clone(),
                    from: old.clone(),
                    to: new.clone(),
                };
                let in_place = position == new_position && old_values.len() == new_values.len();
                let likeness = if in_place { 0.9 } else { 0.0 };
                if questioner.is_stated_rename(&subject)
                    || (in_place && questioner.is_rename(&subject, likeness))
                {
                    taken.insert(new.clone());
                    let op = Op::Rename(Rename::EnumValue {
                        enum_type: name.clone(),
                        from: old.clone(),
                        to: new.clone(),
                    });
                    op.apply(from);
                    renames.ops.push(op);
                    break;
                } else if in_place {
                    let candidate = RenameCandidate {
                        from: format!("{}.{old}", to.short_name(&name)),
                        to: new.clone(),
                        likeness,
                    };
                    for value in [old, new] {
                        let key = (name.clone(), value.clone());
                        renames.enum_values.insert(key, candidate.clone());
                    }
                }
            }
        }
    }
}

fn only_in<'a>(
    names: impl Iterator<Item = &'a ObjectName>,
    is_in_other: impl Fn(&ObjectName) -> bool,
) -> Vec<ObjectName> {
    names.filter(|name| !is_in_other(name)).cloned().collect()
}

/// Stated pairs first, then the most alike; equal ones by name.
fn best_first<N: Ord>(pairs: &mut [(bool, f64, N, N, RenameSubject)]) {
    pairs.sort_by(|a, b| {
        b.0.cmp(&a.0)
            .then(b.1.total_cmp(&a.1))
            .then_with(|| (&a.2, &a.3).cmp(&(&b.2, &b.3)))
    });
}

/// How much two columns have in common, from 0 to 1.
fn column_likeness(from: &Column, to: &Column, rules: &dyn Rules) -> f64 {
    if !rules.same_type(&from.column_type, &to.column_type) {
        return 0.0;
    }
    let mut likeness = 0.6;
    if from.nullable == to.nullable {
        likeness += 0.1;
    }
    if from.default == to.default && from.identity.is_some() == to.identity.is_some() {
        likeness += 0.1;
    }
    likeness + 0.2 * name_likeness(&from.name, &to.name)
}

/// The share of letter pairs that two names have in common.
fn name_likeness(from: &str, to: &str) -> f64 {
    shared_letter_pairs(&letter_pairs(from), &letter_pairs(to))
}

/// The letter pairs of a name, sorted, each once.
pub(super) fn letter_pairs(name: &str) -> Vec<(char, char)> {
    let lower: Vec<char> = name.to_lowercase().chars().collect();
    let mut pairs: Vec<(char, char)> = lower.windows(2).map(|pair| (pair[0], pair[1])).collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// The share of letter pairs that two lists of them have in common.
pub(super) fn shared_letter_pairs(from: &[(char, char)], to: &[(char, char)]) -> f64 {
    let (mut left, mut right, mut shared) = (0, 0, 0);
    while let (Some(a), Some(b)) = (from.get(left), to.get(right)) {
        left += usize::from(a <= b);
        right += usize::from(b <= a);
        shared += usize::from(a == b);
    }
    ratio(2 * shared, from.len() + to.len())
}

pub(super) fn ratio(part: usize, whole: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    if whole == 0 {
        0.0
    } else {
        number(part) / number(whole)
    }
}

/// Two decimals are enough for people and the same everywhere.
fn rounded(likeness: f64) -> f64 {
    (likeness * 100.0).round() / 100.0
}
