//! Schemas before and after, as numbers that mean something on every kind of database: whatever is
//! drawn is a schema, so that a failing one can be made smaller piece by piece.

use proptest::collection::vec;
use proptest::prelude::*;

/// Something before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pair<T> {
    Same(T),
    Changed(T, T),
    Added(T),
    Dropped(T),
}

impl<T> Pair<T> {
    pub(super) fn at(&self, after: bool) -> Option<&T> {
        match self {
            Self::Same(value) => Some(value),
            Self::Changed(before, now) => Some(if after { now } else { before }),
            Self::Added(value) => after.then_some(value),
            Self::Dropped(value) => (!after).then_some(value),
        }
    }
}

fn pair<S>(value: S) -> impl Strategy<Value = Pair<S::Value>>
where
    S: Strategy + Clone,
    S::Value: Clone,
{
    prop_oneof![
        5 => value.clone().prop_map(Pair::Same),
        2 => (value.clone(), value.clone()).prop_map(|(before, after)| Pair::Changed(before, after)),
        2 => value.clone().prop_map(Pair::Added),
        2 => value.prop_map(Pair::Dropped),
    ]
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) kind: u8,
    pub(super) nullable: bool,
    pub(super) default: Option<u8>,
    pub(super) comment: Option<u8>,
    pub(super) extra: u8,
    pub(super) renamed: bool,
}

fn column() -> impl Strategy<Value = Column> + Clone {
    (
        // The first types are drawn more often: more can be said about them.
        prop_oneof![2 => 0..4_u8, 3 => any::<u8>()],
        any::<bool>(),
        proptest::option::of(any::<u8>()),
        proptest::option::weighted(0.2, any::<u8>()),
        0..16_u8,
        proptest::bool::weighted(0.2),
    )
        .prop_map(
            |(kind, nullable, default, comment, extra, renamed)| Column {
                kind,
                nullable,
                default,
                comment,
                extra,
                renamed,
            },
        )
}

/// An index or a unique constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) columns: Vec<u8>,
    pub(super) unique: bool,
    pub(super) form: u8,
}

fn index() -> impl Strategy<Value = Index> + Clone {
    (vec(any::<u8>(), 1..3), any::<bool>(), 0..12_u8).prop_map(|(columns, unique, form)| Index {
        columns,
        unique,
        form,
    })
}

/// A foreign key with a column of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ForeignKey {
    pub(super) target: u8,
    pub(super) nullable: bool,
    pub(super) on_delete: u8,
    pub(super) on_update: u8,
    pub(super) deferrable: u8,
}

fn foreign_key() -> impl Strategy<Value = ForeignKey> + Clone {
    (any::<u8>(), any::<bool>(), 0..5_u8, 0..5_u8, 0..4_u8).prop_map(
        |(target, nullable, on_delete, on_update, deferrable)| ForeignKey {
            target,
            nullable,
            on_delete,
            on_update,
            deferrable,
        },
    )
}

/// The key of a table, its comment and its options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// How the column `id` is made.
    pub(super) id: u8,
    pub(super) key: u8,
    pub(super) comment: Option<u8>,
    pub(super) options: u8,
    pub(super) trigger: Option<u8>,
}

fn frame() -> impl Strategy<Value = Frame> + Clone {
    (
        0..5_u8,
        prop_oneof![3 => Just(0_u8), 1 => 0..4_u8],
        proptest::option::weighted(0.2, any::<u8>()),
        prop_oneof![3 => Just(0_u8), 1 => 0..4_u8],
        proptest::option::weighted(0.15, any::<u8>()),
    )
        .prop_map(|(id, key, comment, options, trigger)| Frame {
            id,
            key,
            comment,
            options,
            trigger,
        })
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) frame: Pair<Frame>,
    pub(super) columns: Vec<Pair<Column>>,
    pub(super) indexes: Vec<Pair<Index>>,
    pub(super) foreign_keys: Vec<Pair<ForeignKey>>,
    pub(super) checks: Vec<Pair<(u8, u8)>>,
}

fn table() -> impl Strategy<Value = Table> {
    (
        prop_oneof![
            6 => frame().prop_map(Pair::Same),
            2 => (frame(), frame()).prop_map(|(before, after)| Pair::Changed(before, after)),
            1 => frame().prop_map(Pair::Added),
            1 => frame().prop_map(Pair::Dropped),
        ],
        vec(pair(column()), 0..5),
        vec(pair(index()), 0..3),
        vec(pair(foreign_key()), 0..2),
        vec(pair((any::<u8>(), any::<u8>())), 0..2),
    )
        .prop_map(|(frame, columns, indexes, foreign_keys, checks)| Table {
            frame,
            columns,
            indexes,
            foreign_keys,
            checks,
        })
}

/// Everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(super) tables: Vec<Table>,
    /// Values of enums, as the places of their words.
    pub(super) enums: Vec<Pair<Vec<u8>>>,
    /// What views look at, and how.
    pub(super) views: Vec<Pair<(u8, u8)>>,
}

/// Any two schemas.
pub(crate) fn spec() -> impl Strategy<Value = Spec> {
    (
        vec(table(), 1..4),
        vec(pair(vec(0..6_u8, 1..4)), 0..2),
        vec(pair((any::<u8>(), any::<u8>())), 0..2),
    )
        .prop_map(|(tables, enums, views)| Spec {
            tables,
            enums,
            views,
        })
}
