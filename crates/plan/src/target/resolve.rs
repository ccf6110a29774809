//! From the words of a target to revisions.

use super::error::TargetError;
use super::reading::{Reading, Steps};
use super::reserved;
use crate::graph::{RevisionGraph, Selection};
use crate::listing::most_like;
use crate::revision::without_stamp;

/// A beginning of an id must have so many characters to stand for it.
const SHORTEST_PREFIX: usize = 3;

/// Finds revisions by what a person wrote.
pub(crate) struct Resolver<'a> {
    graph: &'a RevisionGraph,
    applied: &'a Selection,
}

/// What a target means.
pub(crate) struct Destination {
    /// The branch in front of it.
    pub(crate) branch: Option<Branch>,
    /// The place.
    pub(crate) place: Place,
}

/// A branch as it was named.
pub(crate) struct Branch {
    /// What was written.
    pub(crate) name: String,
    /// Everything on it.
    pub(crate) lineage: Selection,
    /// Where it begins: the bases at or below the revision that stands for it.
    pub(crate) roots: Vec<usize>,
}

/// A place in the graph.
#[derive(Clone)]
pub(crate) enum Place {
    /// Below everything: no revision at all.
    Base,
    /// Below these bases, with other branches as they are.
    BaseOf(Vec<usize>),
    /// At these revisions, in order; several for `heads` and `current` alone.
    Revisions(Vec<usize>),
}

impl Place {
    /// The revisions that the database is at there; none at a base.
    pub(crate) fn positions(&self) -> &[usize] {
        match self {
            Self::Base | Self::BaseOf(_) => &[],
            Self::Revisions(positions) => positions,
        }
    }
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(graph: &'a RevisionGraph, applied: &'a Selection) -> Self {
        Self { graph, applied }
    }

    /// Takes the words apart.
    pub(crate) fn read<'t>(&self, text: &'t str) -> Result<Reading<'t>, TargetError> {
        if let Some(reading) = self.read_exactly(text) {
            return reading.check(text);
        }
        let reading = Reading::usual(text).check(text)?;
        // `m20260102-12` is two things if ids contain dashes.
        let unbranched = reading
            .branch
            .map_or(text, |branch| &text[branch.len() + 1..]);
        let alternatives = match (reading.anchor, reading.steps) {
            (Some(_), Some(_)) => self.partial(unbranched),
            _ => Vec::new(),
        };
        if alternatives.is_empty() {
            return Ok(reading);
        }
        Err(TargetError::Ambiguous {
            name: text.to_owned(),
            candidates: self.graph.ids(alternatives),
        })
    }

    /// The words taken apart, if every name in them is written out.
    pub(crate) fn read_exactly<'t>(&self, text: &'t str) -> Option<Reading<'t>> {
        let is_symbol = |name: &str| !name.is_empty() && reserved(name).is_some();
        Reading::exact(text, |name| is_symbol(name) || self.exact(name).is_some())
    }

    /// The place that a target means. Steps alone count from what is applied.
    pub(crate) fn resolve(&self, text: &str) -> Result<Destination, TargetError> {
        self.destination(text, self.read(text)?)
    }

    pub(crate) fn destination(
        &self,
        text: &str,
        reading: Reading<'_>,
    ) -> Result<Destination, TargetError> {
        let branch = reading.branch.map(|name| self.branch(name)).transpose()?;
        let anchor = self.anchor(text, reading.anchor.unwrap_or("current"), branch.as_ref())?;
        let place = match reading.steps {
            None => anchor,
            Some(steps) => self.walk(text, &anchor, steps, branch.as_ref())?,
        };
        Ok(Destination { branch, place })
    }

    /// The place that steps lead to from another place.
    pub(crate) fn destination_from(
        &self,
        text: &str,
        reading: Reading<'_>,
        place: &Place,
    ) -> Result<Destination, TargetError> {
        let branch = reading.branch.map(|name| self.branch(name)).transpose()?;
        let place = match reading.steps {
            None => place.clone(),
            Some(steps) => self.walk(text, place, steps, branch.as_ref())?,
        };
        Ok(Destination { branch, place })
    }

    pub(crate) fn branch(&self, name: &str) -> Result<Branch, TargetError> {
        let at = self.named(name, None)?;
        let lineage = self.graph.lineage(at);
        let roots = (0..=at)
            .filter(|&root| lineage.contains(root) && self.graph.parents_at(root).is_empty())
            .collect();
        Ok(Branch {
            name: name.to_owned(),
            lineage,
            roots,
        })
    }

    /// The applied revisions on a branch that no other applied one there follows.
    fn current(&self, branch: Option<&Branch>) -> Vec<usize> {
        let mut applied = self.applied.clone();
        if let Some(branch) = branch {
            applied.retain_all(&branch.lineage);
        }
        self.graph.tips_of(&applied)
    }

    fn anchor(
        &self,
        text: &str,
        symbol: &str,
        branch: Option<&Branch>,
    ) -> Result<Place, TargetError> {
        let heads = || on_branch(self.graph.head_positions(), branch);
        let base = || branch.map_or(Place::Base, |branch| Place::BaseOf(branch.roots.clone()));
        Ok(match symbol {
            "base" => base(),
            "heads" => Place::Revisions(heads()),
            "head" => match heads() {
                heads if heads.len() > 1 => return Err(self.several_heads(text, &heads)),
                heads => Place::Revisions(heads),
            },
            "current" => match self.current(branch) {
                current if current.is_empty() => base(),
                current => Place::Revisions(current),
            },
            name => Place::Revisions(vec![self.named(name, branch)?]),
        })
    }

    fn walk(
        &self,
        text: &str,
        start: &Place,
        steps: Steps,
        branch: Option<&Branch>,
    ) -> Result<Place, TargetError> {
        let start = match start {
            Place::Base | Place::BaseOf(_) => None,
            Place::Revisions(positions) => match positions.as_slice() {
                &[position] => Some(position),
                // Only the head of a graph without revisions is nothing at all.
                [] => None,
                several => return Err(self.several_heads(text, several)),
            },
        };
        match steps {
            Steps::Up(count) => self.walk_up(text, start, count, branch),
            Steps::Down(count) => self.walk_down(text, start, count, branch),
        }
    }

    fn walk_up(
        &self,
        text: &str,
        start: Option<usize>,
        count: usize,
        branch: Option<&Branch>,
    ) -> Result<Place, TargetError> {
        let mut at = start;
        for walked in 0..count {
            let above = match at {
                Some(position) => self.graph.children_at(position).to_vec(),
                None => self.graph.base_positions(),
            };
            match on_branch(above, branch).as_slice() {
                &[next] => at = Some(next),
                [] => return Err(too_far(text, count, walked)),
                several => return Err(self.ambiguous_walk(text, at, several)),
            }
        }
        Ok(Place::Revisions(at.into_iter().collect()))
    }

    fn walk_down(
        &self,
        text: &str,
        start: Option<usize>,
        count: usize,
        branch: Option<&Branch>,
    ) -> Result<Place, TargetError> {
        let Some(mut at) = start else {
            return Err(too_far(text, count, 0));
        };
        for walked in 0..count {
            let below = on_branch(self.graph.parents_at(at).to_vec(), branch);
            match below.as_slice() {
                &[next] => at = next,
                [] if walked + 1 == count => return Ok(Place::BaseOf(vec![at])),
                [] => return Err(too_far(text, count, walked + 1)),
                several => return Err(self.ambiguous_walk(text, Some(at), several)),
            }
        }
        Ok(Place::Revisions(vec![at]))
    }

    /// The one revision with this id or label, or of whose id this is a part.
    fn named(&self, name: &str, branch: Option<&Branch>) -> Result<usize, TargetError> {
        let inside = |position: &usize| branch.is_none_or(|b| b.lineage.contains(*position));
        let found = match self.exact(name) {
            Some(position) => vec![position],
            None => self.partial(name),
        };
        let candidates: Vec<usize> = found.iter().copied().filter(inside).collect();
        match (candidates.as_slice(), found.as_slice()) {
            (&[position], _) => Ok(position),
            ([], &[outside]) => Err(TargetError::NotOnBranch {
                revision: self.graph.id(outside).clone(),
                branch: branch.map_or_else(String::new, |b| b.name.clone()),
            }),
            ([], []) => Err(self.unknown(name)),
            ([], several) | (several, _) => Err(TargetError::Ambiguous {
                name: name.to_owned(),
                candidates: self.graph.ids(several.iter().copied()),
            }),
        }
    }

    fn exact(&self, name: &str) -> Option<usize> {
        self.graph
            .position(name)
            .or_else(|| self.graph.label_position(name))
    }

    /// The revisions of whose ids this is all that a person chose, or else a part.
    fn partial(&self, name: &str) -> Vec<usize> {
        let matching = |matches: &dyn Fn(&str) -> bool| -> Vec<usize> {
            (0..self.graph.len())
                .filter(|&position| matches(self.graph.id(position).as_str()))
                .collect()
        };
        let full = matching(&|id| without_stamp(id) == name);
        if full.is_empty() {
            matching(&|id| is_part(name, id))
        } else {
            full
        }
    }

    fn unknown(&self, name: &str) -> TargetError {
        if let Some(by) = self.graph.replaced_by(name) {
            return TargetError::Replaced {
                replaced: name.into(),
                by: by.clone(),
            };
        }
        let ids = self.graph.iter().map(|revision| revision.id.as_str());
        let labels = self.graph.labels().map(|(label, _)| label);
        let symbols = ["head", "heads", "base", "current"];
        let alike = most_like(name, ids.chain(labels).chain(symbols));
        TargetError::Unknown {
            name: name.to_owned(),
            did_you_mean: alike.into_iter().map(str::to_owned).collect(),
        }
    }

    fn several_heads(&self, text: &str, heads: &[usize]) -> TargetError {
        TargetError::SeveralHeads {
            target: text.to_owned(),
            heads: self.graph.ids(heads.iter().copied()),
        }
    }

    fn ambiguous_walk(&self, text: &str, from: Option<usize>, to: &[usize]) -> TargetError {
        TargetError::AmbiguousWalk {
            target: text.to_owned(),
            from: from.map(|position| self.graph.id(position).clone()),
            candidates: self.graph.ids(to.iter().copied()),
        }
    }
}

fn on_branch(mut positions: Vec<usize>, branch: Option<&Branch>) -> Vec<usize> {
    if let Some(branch) = branch {
        positions.retain(|&position| branch.lineage.contains(position));
    }
    positions
}

fn too_far(text: &str, asked: usize, possible: usize) -> TargetError {
    TargetError::TooFar {
        target: text.to_owned(),
        asked,
        possible,
    }
}

/// Whether `part` is the beginning of `id` or whole words of it.
fn is_part(part: &str, id: &str) -> bool {
    if id.starts_with(part) && part.chars().count() >= SHORTEST_PREFIX {
        return true;
    }
    let separates = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    id.match_indices(part).any(|(at, _)| {
        separates(id[..at].chars().next_back()) && separates(id[at + part.len()..].chars().next())
    })
}
