//! Which objects take part in a comparison: what belongs to someone else is left out on both sides.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::schema::{ObjectName, Schema};

/// Which objects take part in a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// If any are given, only what one of them names takes part, among the kinds that they name.
    pub include: Vec<Pattern>,
    /// What one of these names takes no part, even if it is included.
    pub exclude: Vec<Pattern>,
}

/// What names objects: `users`, `audit.*`, `view:report_*`, `index:users.idx_*`.
///
/// Without a kind in front it names tables and views. The name may have its PostgreSQL schema or its
/// table in front of it, with a dot; `*` stands for any characters, `?` for one. Upper and lower case
/// count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    kind: Option<Kind>,
    glob: String,
}

/// A kind of object that a pattern can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A PostgreSQL schema and everything in it.
    Schema,
    /// An extension.
    Extension,
    /// An enum type.
    Enum,
    /// A domain.
    Domain,
    /// A composite or range type.
    Type,
    /// A sequence.
    Sequence,
    /// A function or procedure.
    Function,
    /// A table.
    Table,
    /// A view or materialised view.
    View,
    /// An index; its name has its table in front.
    Index,
    /// A check constraint; its name has its table in front.
    Check,
    /// A foreign key; its name has its table in front.
    ForeignKey,
    /// A trigger; its name has its table in front.
    Trigger,
    /// A policy; its name has its table in front.
    Policy,
}

/// Every kind with its word.
const KINDS: [(Kind, &str); 14] = [
    (Kind::Schema, "schema"),
    (Kind::Extension, "extension"),
    (Kind::Enum, "enum"),
    (Kind::Domain, "domain"),
    (Kind::Type, "type"),
    (Kind::Sequence, "sequence"),
    (Kind::Function, "function"),
    (Kind::Table, "table"),
    (Kind::View, "view"),
    (Kind::Index, "index"),
    (Kind::Check, "check"),
    (Kind::ForeignKey, "foreign_key"),
    (Kind::Trigger, "trigger"),
    (Kind::Policy, "policy"),
];

/// A pattern that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{text}` names no objects: write NAME, SCHEMA.NAME or KIND:NAME, where KIND is one of {}",
    words()
)]
pub struct InvalidPattern {
    /// The pattern as it was given.
    pub text: String,
}

fn words() -> String {
    KINDS.map(|(_, word)| word).join(", ")
}

impl FromStr for Pattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let invalid = || InvalidPattern {
            text: text.to_owned(),
        };
        let (kind, glob) = match text.trim().split_once(':') {
            None => (None, text.trim()),
            Some((word, glob)) => {
                let known = KINDS.iter().find(|(_, known)| *known == word.trim());
                (Some(known.ok_or_else(invalid)?.0), glob.trim())
            }
        };
        if glob.is_empty() {
            return Err(invalid());
        }
        Ok(Self {
            kind,
            glob: glob.to_owned(),
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((_, word)) = KINDS.iter().find(|(kind, _)| Some(*kind) == self.kind) {
            write!(f, "{word}:")?;
        }
        f.write_str(&self.glob)
    }
}

impl Pattern {
    fn is_about(&self, kind: Kind) -> bool {
        match self.kind {
            Some(named) => named == kind,
            None => matches!(kind, Kind::Table | Kind::View),
        }
    }

    fn names(&self, kind: Kind, names: &[String]) -> bool {
        self.is_about(kind) && names.iter().any(|name| matches(&self.glob, name))
    }
}

impl Filter {
    /// Reads patterns.
    ///
    /// # Errors
    /// The first one that cannot be read.
    pub fn parse<'a>(
        include: impl IntoIterator<Item = &'a str>,
        exclude: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidPattern> {
        Ok(Self {
            include: include
                .into_iter()
                .map(str::parse)
                .collect::<Result<_, _>>()?,
            exclude: exclude
                .into_iter()
                .map(str::parse)
                .collect::<Result<_, _>>()?,
        })
    }

    /// Whether everything takes part.
    pub fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// Takes out of a schema what takes no part.
    pub fn apply(&self, schema: &mut Schema) {
        if self.is_empty() {
            return;
        }
        let default = schema.default_schema.clone();
        let keeps_namespace = |name: &ObjectName| {
            name.schema
                .as_ref()
                .is_none_or(|namespace| self.takes(Kind::Schema, std::slice::from_ref(namespace)))
        };
        let keeps = |kind, name: &ObjectName| {
            keeps_namespace(name) && self.takes(kind, &spellings(name, default.as_deref()))
        };
        let keeps_part = |kind, table: &ObjectName, part: &str| {
            let mut names = spellings(table, default.as_deref());
            for name in &mut names {
                name.push('.');
                name.push_str(part);
            }
            names.push(part.to_owned());
            self.takes(kind, &names)
        };
        schema
            .namespaces
            .retain(|name, _| self.takes(Kind::Schema, std::slice::from_ref(name)));
        schema
            .extensions
            .retain(|name, _| self.takes(Kind::Extension, std::slice::from_ref(name)));
        schema.enums.retain(|name, _| keeps(Kind::Enum, name));
        schema.domains.retain(|name, _| keeps(Kind::Domain, name));
        // What needs one of these still has to say so.
        let others = &mut schema.other_types;
        schema.composites.retain(|name, _| {
            let is_kept = keeps(Kind::Type, name);
            if !is_kept {
                others.insert(name.clone());
            }
            is_kept
        });
        schema.ranges.retain(|name, range| {
            let is_kept = keeps(Kind::Type, name);
            if !is_kept {
                others.extend(range.multirange.iter().chain([name]).cloned());
            }
            is_kept
        });
        schema
            .sequences
            .retain(|name, _| keeps(Kind::Sequence, name));
        schema.functions.retain(|name, function| {
            // With the types of its arguments or without.
            let mut names = spellings(name, default.as_deref());
            names.extend(spellings(&function.name, default.as_deref()));
            keeps_namespace(name) && self.takes(Kind::Function, &names)
        });
        schema.views.retain(|name, _| keeps(Kind::View, name));
        schema.tables.retain(|name, _| keeps(Kind::Table, name));
        for (name, table) in &mut schema.tables {
            table
                .indexes
                .retain(|index, _| keeps_part(Kind::Index, name, index));
            table
                .triggers
                .retain(|trigger, _| keeps_part(Kind::Trigger, name, trigger));
            table
                .policies
                .retain(|policy, _| keeps_part(Kind::Policy, name, policy));
            table.checks.retain(|check| {
                keeps_part(Kind::Check, name, check.name.as_deref().unwrap_or_default())
            });
            table.foreign_keys.retain(|key| {
                keeps_part(
                    Kind::ForeignKey,
                    name,
                    key.name.as_deref().unwrap_or_default(),
                )
            });
        }
        for (name, view) in &mut schema.views {
            view.indexes
                .retain(|index, _| keeps_part(Kind::Index, name, index));
            view.triggers
                .retain(|trigger, _| keeps_part(Kind::Trigger, name, trigger));
        }
    }

    /// Whether what has these names takes part.
    fn takes(&self, kind: Kind, names: &[String]) -> bool {
        let mut asked = self
            .include
            .iter()
            .filter(|pattern| pattern.is_about(kind))
            .peekable();
        let included = asked.peek().is_none() || asked.any(|pattern| pattern.names(kind, names));
        included
            && !self
                .exclude
                .iter()
                .any(|pattern| pattern.names(kind, names))
    }
}

/// The ways to write a name.
fn spellings(name: &ObjectName, default_schema: Option<&str>) -> Vec<String> {
    match &name.schema {
        None => vec![name.name.clone()],
        Some(schema) if Some(schema.as_str()) == default_schema => {
            vec![name.name.clone(), name.to_string()]
        }
        Some(_) => vec![name.to_string()],
    }
}

/// Whether a text has the form of a pattern with `*` and `?`.
fn matches(glob: &str, text: &str) -> bool {
    let (glob, text): (Vec<char>, Vec<char>) = (glob.chars().collect(), text.chars().collect());
    let (mut at_glob, mut at_text) = (0, 0);
    // Where the last star stands, and how far the text had been read when it was met.
    let mut star = None;
    while at_text < text.len() {
        match glob.get(at_glob) {
            Some('*') => {
                star = Some((at_glob, at_text));
                at_glob += 1;
            }
            Some(c) if *c == '?' || *c == text[at_text] => {
                at_glob += 1;
                at_text += 1;
            }
            _ => match star {
                Some((glob_star, read)) => {
                    at_glob = glob_star + 1;
                    at_text = read + 1;
                    star = Some((glob_star, read + 1));
                }
                None => return false,
            },
        }
    }
    glob[at_glob..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;
    use crate::schema::{Server, Table};

    fn schema(tables: &[&str]) -> Schema {
        let mut schema = Schema::empty(
            Dialect::Postgres,
            Server::default(),
            Some("public".to_owned()),
        );
        for name in tables {
            let (namespace, name) = name.split_once('.').unwrap();
            let name = ObjectName::new(namespace, name);
            schema.tables.insert(name.clone(), Table::new(name));
        }
        schema
    }

    fn left(include: &[&str], exclude: &[&str]) -> Vec<String> {
        let mut schema = schema(&[
            "public.users",
            "public.user_tags",
            "audit.log",
            "audit.users",
        ]);
        let filter = Filter::parse(include.iter().copied(), exclude.iter().copied()).unwrap();
        filter.apply(&mut schema);
        schema.tables.keys().map(ToString::to_string).collect()
    }

    #[test]
    fn a_bare_name_means_the_default_schema_and_a_star_means_anything() {
        assert_eq!(left(&["users"], &[]), ["public.users"]);
        assert_eq!(
            left(&["public.user*"], &[]),
            ["public.user_tags", "public.users"]
        );
        assert_eq!(left(&["*users"], &[]), ["audit.users", "public.users"]);
        assert_eq!(
            left(&["*"], &["audit.*"]),
            ["public.user_tags", "public.users"]
        );
    }

    #[test]
    fn a_schema_is_left_out_with_everything_in_it() {
        assert_eq!(
            left(&[], &["schema:audit"]),
            ["public.user_tags", "public.users"]
        );
        assert_eq!(left(&["schema:audit"], &[]), ["audit.log", "audit.users"]);
    }

    #[test]
    fn including_a_kind_says_nothing_about_other_kinds() {
        assert_eq!(left(&["view:x", "index:y"], &[]).len(), 4);
    }

    #[test]
    fn globs_match_whole_names() {
        for (glob, text, expected) in [
            ("a*c", "abbc", true),
            ("a*c", "abbcd", false),
            ("*a*b*", "xxaxxbxx", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
            ("", "", true),
            ("a*b*c", "abbbc", true),
        ] {
            assert_eq!(matches(glob, text), expected, "{glob} {text}");
        }
    }

    #[test]
    fn an_unknown_kind_is_an_error_that_lists_the_kinds() {
        let error = "tabel:users".parse::<Pattern>().unwrap_err();
        assert!(error.to_string().contains("table, view"), "{error}");
        "view:".parse::<Pattern>().unwrap_err();
        assert_eq!("view:a".parse::<Pattern>().unwrap().to_string(), "view:a");
    }
}
