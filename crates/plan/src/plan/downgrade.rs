//! The way down: what was applied decides, never the list in the code alone.

use std::collections::BTreeSet;

use super::{Direction, Notice, Plan, PlanError, PlanOptions, heads, step};
use crate::graph::{Links, RevisionGraph, Selection};
use crate::history::{History, Standing};
use crate::revision::RevisionId;
use crate::target::{Branch, Destination, Place, Resolver, Steps, Target, TargetError};

pub(super) fn plan(
    graph: &RevisionGraph,
    history: &History,
    target: &Target,
    options: PlanOptions,
) -> Result<Plan, PlanError> {
    let standing = Standing::new(graph, history);
    let resolver = Resolver::new(graph, standing.known());
    let way = Way {
        graph,
        standing: &standing,
        target,
    };

    let reading = resolver.read(target.as_str())?;
    let (branch, to_drop) = match reading.steps_alone() {
        Some(Steps::Up(_)) => {
            return Err(PlanError::WrongDirection {
                target: target.to_string(),
                direction: Direction::Downgrade,
            });
        }
        Some(Steps::Down(count)) => {
            let branch = reading
                .branch
                .map(|name| resolver.branch(name))
                .transpose()?;
            let to_drop = way.steps_back(count, branch.as_ref())?;
            (branch, to_drop)
        }
        None => {
            let Destination { branch, place } = resolver.destination(target.as_str(), reading)?;
            let to_drop = way.above(&place, branch.as_ref())?;
            (branch, to_drop)
        }
    };
    let to_drop = way.without_unknown(to_drop, options)?;

    let applied = standing.known();
    let mut after = applied.clone();
    after.remove_all(&Selection::of(graph.len(), to_drop.iter().copied()));
    Ok(Plan {
        direction: Direction::Downgrade,
        target: target.to_string(),
        from: heads(graph, applied),
        to: heads(graph, &after),
        notices: way.notices(branch.as_ref(), &to_drop),
        steps: to_drop
            .into_iter()
            .map(|at| step(graph, at, Direction::Downgrade, false))
            .collect(),
    })
}

struct Way<'a> {
    graph: &'a RevisionGraph,
    standing: &'a Standing<'a>,
    target: &'a Target,
}

/// Entries of a [`Standing`].
type Entries = BTreeSet<usize>;

impl Way<'_> {
    /// Everything applied above a place.
    fn above(&self, place: &Place, branch: Option<&Branch>) -> Result<Entries, PlanError> {
        match place {
            Place::Base => Ok((0..self.standing.entries().len()).collect()),
            Place::BaseOf(roots) => Ok(self.applied_from(roots)),
            Place::Revisions(positions) => match positions.as_slice() {
                // The head of a graph without revisions, above which there is nothing.
                [] => Ok(Entries::new()),
                &[position] => self.above_revision(position, branch),
                several => Err(self.several_heads(several)),
            },
        }
    }

    /// Everything applied above a revision, on one branch if it is given.
    fn above_revision(
        &self,
        position: usize,
        branch: Option<&Branch>,
    ) -> Result<Entries, PlanError> {
        let Self {
            graph, standing, ..
        } = *self;
        let revision = graph.id(position).clone();
        let current = || heads(graph, standing.known());
        if !standing.known().contains(position) {
            return Err(PlanError::NotApplied {
                revision,
                current: current(),
            });
        }
        let on_branch = |at: usize| branch.is_none_or(|branch| branch.lineage.contains(at));
        let children = graph.children_at(position).iter().copied();
        let children: Vec<usize> = children.filter(|&child| on_branch(child)).collect();
        let recorded = standing
            .recorded_children(&revision)
            .into_iter()
            .filter(|&entry| standing.entries()[entry].position.is_none_or(on_branch));

        let mut above = self.applied_from(&children);
        above.extend(standing.with_above(recorded.collect()));
        // The target and what it stands on stay, whatever a ledger says.
        let staying = graph.with_ancestors([position], Links::ParentsAndDependencies);
        let staying = standing.entries_at(&staying);
        above.retain(|entry| !staying.contains(entry));
        match branch {
            Some(branch) if above.is_empty() && !current().contains(&revision) => {
                Err(PlanError::NothingAbove {
                    revision,
                    branch: branch.name.clone(),
                    current: current(),
                })
            }
            _ => Ok(above),
        }
    }

    /// What is applied of these revisions and everything above them.
    fn applied_from(&self, positions: &[usize]) -> Entries {
        let positions = positions.iter().copied();
        let from_there = self
            .graph
            .with_descendants(positions, Links::ParentsAndDependencies);
        self.standing
            .with_above(self.standing.entries_at(&from_there))
    }

    /// The last `count` revisions, on one branch if it is given: each time the head, and where a late
    /// merge stands below the head, whichever of them was applied last.
    fn steps_back(&self, count: usize, branch: Option<&Branch>) -> Result<Entries, PlanError> {
        let Self {
            graph, standing, ..
        } = *self;
        let mut left = standing.known().clone();
        if let Some(branch) = branch {
            left.retain_all(&branch.lineage);
        }
        let in_scope = standing.entries_at(&left);
        let applied_on = standing.applied_on();
        let mut holding: Vec<usize> = applied_on
            .iter()
            .map(|above| {
                above
                    .iter()
                    .filter(|entry| in_scope.contains(entry))
                    .count()
            })
            .collect();
        let mut tips: Entries = in_scope
            .iter()
            .copied()
            .filter(|&e| holding[e] == 0)
            .collect();

        let mut to_drop = Entries::new();
        while to_drop.len() < count {
            let heads = if tips.len() > 1 {
                graph.tips_of(&left)
            } else {
                Vec::new()
            };
            if heads.len() > 1 {
                return Err(self.several_heads(&heads));
            }
            let Some(last) = tips.pop_last() else {
                return Err(PlanError::Target(TargetError::TooFar {
                    target: self.target.to_string(),
                    asked: count,
                    possible: to_drop.len(),
                }));
            };
            self.check_not_needed(last, &applied_on[last], &to_drop)?;
            to_drop.insert(last);
            let entry = &standing.entries()[last];
            if let Some(position) = entry.position {
                left.remove(position);
            }
            for below in entry.below.iter().filter(|link| !link.came_later) {
                holding[below.to] -= 1;
                if holding[below.to] == 0 && in_scope.contains(&below.to) {
                    tips.insert(below.to);
                }
            }
        }
        Ok(to_drop)
    }

    /// Refuses to take back an entry on which others stand that stay.
    fn check_not_needed(
        &self,
        entry: usize,
        above: &[usize],
        to_drop: &Entries,
    ) -> Result<(), PlanError> {
        let staying = above.iter().filter(|above| !to_drop.contains(above));
        let known = staying.filter(|&&above| self.standing.entries()[above].position.is_some());
        let needed_by: Vec<RevisionId> = known.map(|&above| self.id(above)).collect();
        if needed_by.is_empty() {
            return Ok(());
        }
        Err(PlanError::StillNeeded {
            target: self.target.to_string(),
            revision: self.id(entry),
            needed_by,
        })
    }

    /// The positions to take back, in order. Revisions that the code does not know can't be taken
    /// back: in the way are those that stand on one to be taken back, and, if no ledger says what
    /// they stand on, those applied after one.
    fn without_unknown(
        &self,
        to_drop: Entries,
        options: PlanOptions,
    ) -> Result<Vec<usize>, PlanError> {
        let entries = self.standing.entries();
        let earliest = to_drop.first().copied();
        let above = self.standing.with_above(to_drop.clone());
        let in_the_way: Vec<RevisionId> = (0..entries.len())
            .filter(|&entry| entries[entry].position.is_none())
            .filter(|&entry| {
                let came_after = earliest.is_some_and(|earliest| earliest < entry);
                above.contains(&entry) || (came_after && entries[entry].applied.ledger.is_none())
            })
            .map(|entry| self.id(entry))
            .collect();
        let latest_first = to_drop.into_iter().rev();
        let positions: Vec<usize> = latest_first
            .filter_map(|entry| entries[entry].position)
            .collect();
        if in_the_way.is_empty() || options.allow_unknown {
            return Ok(positions);
        }
        Err(PlanError::UnknownInTheWay {
            unknown: in_the_way,
            revisions: self.graph.ids(positions),
        })
    }

    fn notices(&self, branch: Option<&Branch>, to_drop: &[usize]) -> Vec<Notice> {
        let mut notices = Vec::new();
        if let Some(branch) = branch {
            let elsewhere = to_drop
                .iter()
                .copied()
                .filter(|&at| !branch.lineage.contains(at));
            let revisions = self.graph.ids(elsewhere);
            if !revisions.is_empty() {
                notices.push(Notice::OtherBranches {
                    branch: branch.name.clone(),
                    revisions,
                });
            }
        }
        let unknown = self.standing.unknown();
        if !unknown.is_empty() {
            notices.push(Notice::UnknownRevisions { revisions: unknown });
        }
        notices
    }

    fn id(&self, entry: usize) -> RevisionId {
        self.standing.entries()[entry].applied.id.clone()
    }

    fn several_heads(&self, heads: &[usize]) -> PlanError {
        PlanError::Target(TargetError::SeveralHeads {
            target: self.target.to_string(),
            heads: self.graph.ids(heads.iter().copied()),
        })
    }
}
