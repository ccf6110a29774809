//! From a heap of revisions to a graph: every check, then the order.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::RevisionGraph;
use super::error::{GraphError, UnknownLink};
use crate::listing::most_like;
use crate::revision::{Revision, RevisionId};
use crate::target;

/// For so many broken links a similar name is looked for; each search compares with every id.
const SUGGESTIONS: usize = 10;

/// For each revision, in the order given, the places of those it leads to.
type Edges = Vec<Vec<usize>>;

pub(super) fn build(revisions: Vec<Revision>) -> Result<RevisionGraph, GraphError> {
    let places = places(&revisions)?;
    let labels = labels(&revisions, &places)?;
    let parents = parents(&revisions, &places)?;
    let dependencies = dependencies(&revisions, &places, &labels, &parents)?;
    check_bases(&parents).map_err(|cycle| GraphError::NoBase {
        cycle: named(&revisions, &cycle),
    })?;
    let order = order(&parents, &dependencies).map_err(|leftover| {
        let followed = circle(&leftover, &parents, &[]);
        let linked = circle(&leftover, &parents, &dependencies);
        match followed {
            Some(cycle) => GraphError::Cycle {
                revisions: named(&revisions, &cycle),
            },
            None => GraphError::DependencyCycle {
                revisions: named(&revisions, &linked.unwrap_or_default()),
            },
        }
    })?;
    Ok(arrange(revisions, labels, &parents, &dependencies, &order))
}

fn named(revisions: &[Revision], places: &[usize]) -> Vec<RevisionId> {
    places
        .iter()
        .map(|&place| revisions[place].id.clone())
        .collect()
}

fn places(revisions: &[Revision]) -> Result<HashMap<RevisionId, usize>, GraphError> {
    let mut places = HashMap::with_capacity(revisions.len());
    let mut duplicates = Vec::new();
    for (place, revision) in revisions.iter().enumerate() {
        if let Some(reason) = target::reserved(revision.id.as_str()) {
            return Err(GraphError::ReservedName {
                revision: revision.id.clone(),
                name: revision.id.to_string(),
                reason,
            });
        }
        if places.insert(revision.id.clone(), place).is_some() {
            duplicates.push(revision.id.clone());
        }
    }
    if duplicates.is_empty() {
        return Ok(places);
    }
    duplicates.sort();
    duplicates.dedup();
    Err(GraphError::DuplicateId { ids: duplicates })
}

fn labels(
    revisions: &[Revision],
    places: &HashMap<RevisionId, usize>,
) -> Result<BTreeMap<String, usize>, GraphError> {
    let mut declared: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, revision) in revisions.iter().enumerate() {
        for label in &revision.branch_labels {
            let by = declared.entry(label).or_default();
            if by.last() != Some(&place) {
                by.push(place);
            }
        }
    }
    let mut labels = BTreeMap::new();
    for (label, by) in declared {
        let first = &revisions[by[0]];
        if let Some(reason) = target::unusable_label(label) {
            return Err(GraphError::ReservedName {
                revision: first.id.clone(),
                name: label.to_owned(),
                reason,
            });
        }
        if places.contains_key(label) {
            return Err(GraphError::LabelIsRevision {
                label: label.to_owned(),
                declared_by: first.id.clone(),
            });
        }
        if by.len() > 1 {
            return Err(GraphError::LabelDeclaredTwice {
                label: label.to_owned(),
                revisions: named(revisions, &by),
            });
        }
        labels.insert(label.to_owned(), by[0]);
    }
    Ok(labels)
}

fn parents(
    revisions: &[Revision],
    places: &HashMap<RevisionId, usize>,
) -> Result<Edges, GraphError> {
    let find = |parent: &RevisionId| places.get(parent).copied();
    resolve(revisions, |revision| &revision.parents, find)
        .map_err(|links| GraphError::UnknownParent { links })
}

/// What each revision depends on beyond its parents.
fn dependencies(
    revisions: &[Revision],
    places: &HashMap<RevisionId, usize>,
    labels: &BTreeMap<String, usize>,
    parents: &Edges,
) -> Result<Edges, GraphError> {
    let find = |named: &RevisionId| {
        places
            .get(named)
            .or_else(|| labels.get(named.as_str()))
            .copied()
    };
    let mut dependencies = resolve(revisions, |revision| &revision.depends_on, find)
        .map_err(|links| GraphError::UnknownDependency { links })?;
    for (dependencies, parents) in dependencies.iter_mut().zip(parents) {
        dependencies.retain(|place| !parents.contains(place));
    }
    Ok(dependencies)
}

fn resolve<'a>(
    revisions: &'a [Revision],
    names: impl Fn(&'a Revision) -> &'a [RevisionId],
    find: impl Fn(&RevisionId) -> Option<usize>,
) -> Result<Edges, Vec<UnknownLink>> {
    let mut unknown = Vec::new();
    let mut edges = Edges::with_capacity(revisions.len());
    for revision in revisions {
        let mut found = Vec::new();
        for name in names(revision) {
            match find(name) {
                Some(place) if found.contains(&place) => {}
                Some(place) => found.push(place),
                None => unknown.push(UnknownLink {
                    revision: revision.id.clone(),
                    named: name.clone(),
                    did_you_mean: None,
                }),
            }
        }
        edges.push(found);
    }
    if unknown.is_empty() {
        return Ok(edges);
    }
    for link in unknown.iter_mut().take(SUGGESTIONS) {
        let others = revisions
            .iter()
            .map(|r| r.id.as_str())
            .filter(|&id| id != link.revision.as_str());
        link.did_you_mean = most_like(link.named.as_str(), others)
            .first()
            .map(|&id| id.into());
    }
    Err(unknown)
}

/// Without a base there is a circle, which is the error.
fn check_bases(parents: &Edges) -> Result<(), Vec<usize>> {
    if parents.is_empty() || parents.iter().any(Vec::is_empty) {
        return Ok(());
    }
    let everything: Vec<usize> = (0..parents.len()).collect();
    Err(circle(&everything, parents, &[]).unwrap_or(everything))
}

/// The places in topological order, or those that are in or above a circle.
///
/// What has just become possible goes first, so that a branch is followed to its end; among equals
/// the smaller place.
fn order(parents: &Edges, dependencies: &Edges) -> Result<Vec<usize>, Vec<usize>> {
    let count = parents.len();
    let mut missing = vec![0_usize; count];
    let mut above: Edges = vec![Vec::new(); count];
    for place in 0..count {
        for &below in parents[place].iter().chain(&dependencies[place]) {
            missing[place] += 1;
            above[below].push(place);
        }
    }
    let mut ready: Vec<usize> = (0..count)
        .rev()
        .filter(|&place| missing[place] == 0)
        .collect();
    let mut order = Vec::with_capacity(count);
    while let Some(place) = ready.pop() {
        order.push(place);
        // `above` lists smaller places first; the last one pushed is the next one taken.
        for &next in above[place].iter().rev() {
            missing[next] -= 1;
            if missing[next] == 0 {
                ready.push(next);
            }
        }
    }
    if order.len() == count {
        Ok(order)
    } else {
        Err((0..count).filter(|&place| missing[place] > 0).collect())
    }
}

/// A circle among `places` along these edges, beginning with its smallest place.
fn circle(places: &[usize], parents: &Edges, dependencies: &[Vec<usize>]) -> Option<Vec<usize>> {
    let within: HashSet<usize> = places.iter().copied().collect();
    let below = |place: usize| {
        let dependencies = dependencies.get(place).map_or(&[][..], Vec::as_slice);
        parents[place]
            .iter()
            .chain(dependencies)
            .copied()
            .filter(|p| within.contains(p))
    };
    let mut left_without_circle = HashSet::new();
    for &start in places {
        // A walk downwards that remembers its way; a place met again on the way closes a circle.
        let mut way: Vec<usize> = Vec::new();
        let mut on_way: HashMap<usize, usize> = HashMap::new();
        let mut open: Vec<(usize, usize)> = vec![(start, 0)];
        while let Some((place, depth)) = open.pop() {
            for left in way.drain(depth..) {
                on_way.remove(&left);
                left_without_circle.insert(left);
            }
            if let Some(&since) = on_way.get(&place) {
                return Some(from_smallest(way.split_off(since)));
            }
            if left_without_circle.contains(&place) {
                continue;
            }
            on_way.insert(place, way.len());
            way.push(place);
            open.extend(below(place).map(|next| (next, way.len())));
        }
        left_without_circle.extend(way);
    }
    None
}

fn from_smallest(mut circle: Vec<usize>) -> Vec<usize> {
    let smallest = (0..circle.len())
        .min_by_key(|&index| circle[index])
        .unwrap_or_default();
    circle.rotate_left(smallest);
    circle
}

/// Puts everything in topological order, so that places become positions.
fn arrange(
    revisions: Vec<Revision>,
    labels: BTreeMap<String, usize>,
    parents: &Edges,
    dependencies: &Edges,
    order: &[usize],
) -> RevisionGraph {
    let mut positions = vec![0; order.len()];
    for (position, &place) in order.iter().enumerate() {
        positions[place] = position;
    }
    let moved = |edges: &Edges| -> Edges {
        order
            .iter()
            .map(|&place| edges[place].iter().map(|&below| positions[below]).collect())
            .collect()
    };
    let parents = moved(parents);
    let dependencies = moved(dependencies);
    let mut unsorted: Vec<(usize, Revision)> = positions.iter().copied().zip(revisions).collect();
    unsorted.sort_by_key(|&(position, _)| position);
    let revisions: Vec<Revision> = unsorted.into_iter().map(|(_, revision)| revision).collect();
    RevisionGraph {
        positions: revisions
            .iter()
            .enumerate()
            .map(|(position, revision)| (revision.id.clone(), position))
            .collect(),
        labels: labels
            .into_iter()
            .map(|(label, place)| (label, positions[place]))
            .collect(),
        children: reversed(&parents),
        dependents: reversed(&dependencies),
        parents,
        dependencies,
        revisions,
    }
}

fn reversed(edges: &Edges) -> Edges {
    let mut reversed: Edges = vec![Vec::new(); edges.len()];
    for (above, below) in edges.iter().enumerate() {
        for &position in below {
            reversed[position].push(above);
        }
    }
    reversed
}
