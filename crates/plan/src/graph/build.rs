//! From a heap of revisions to a graph: every check, then the order.

use std::collections::{BTreeMap, HashMap};

use super::RevisionGraph;
use super::error::{GraphError, UnknownLink};
use super::replacement::Replaced;
use crate::listing::most_like;
use crate::revision::{Revision, RevisionId};
use crate::target;

/// For so many broken links a similar name is looked for; each search compares with every id.
const SUGGESTIONS: usize = 10;

/// For each revision, in the order given, the places of those it leads to.
type Edges = Vec<Vec<usize>>;

pub(super) fn build(revisions: Vec<Revision>) -> Result<RevisionGraph, GraphError> {
    let given = places(&revisions)?;
    let count = revisions.len();
    let (revisions, replaced) = Replaced::take_out(revisions)?;
    let places = if revisions.len() == count {
        given
    } else {
        places(&revisions)?
    };
    let labels = labels(&revisions, &places)?;
    let parents = parents(&revisions, &places)?;
    let dependencies = dependencies(&revisions, &places, &labels, &parents)?;
    let by_parents = order(&parents).map_err(|circle| {
        let circle = named(&revisions, &circle);
        if parents.iter().any(Vec::is_empty) {
            GraphError::Cycle { revisions: circle }
        } else {
            GraphError::NoBase { cycle: circle }
        }
    })?;
    let order = if dependencies.iter().all(Vec::is_empty) {
        by_parents
    } else {
        let links: Edges = parents
            .iter()
            .zip(&dependencies)
            .map(|(a, b)| [&a[..], b].concat())
            .collect();
        order(&links).map_err(|circle| GraphError::DependencyCycle {
            revisions: named(&revisions, &circle),
        })?
    };
    let mut graph = arrange(revisions, places, labels, parents, dependencies, &order);
    graph.replaced = replaced;
    Ok(graph)
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

/// The places in topological order, or a circle among them.
///
/// What has just become possible goes first, so that a branch is followed to its end; among equals
/// the smaller place.
fn order(links: &Edges) -> Result<Vec<usize>, Vec<usize>> {
    let above = reversed(links);
    let mut missing: Vec<usize> = links.iter().map(Vec::len).collect();
    let on_nothing = (0..links.len()).filter(|&place| missing[place] == 0);
    // The last one is taken next.
    let mut ready: Vec<usize> = on_nothing.rev().collect();
    let mut order = Vec::with_capacity(links.len());
    while let Some(place) = ready.pop() {
        order.push(place);
        for &next in above[place].iter().rev() {
            missing[next] -= 1;
            if missing[next] == 0 {
                ready.push(next);
            }
        }
    }
    if order.len() == links.len() {
        Ok(order)
    } else {
        Err(circle(links, |place| missing[place] > 0))
    }
}

/// A circle among the places that are left, each of which leads to another one left; it begins with
/// its smallest place.
fn circle(links: &Edges, is_left: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut way: Vec<usize> = Vec::new();
    let mut on_way = HashMap::new();
    let mut next = (0..links.len()).find(|&place| is_left(place));
    while let Some(place) = next {
        if let Some(&since) = on_way.get(&place) {
            way.drain(..since);
            break;
        }
        on_way.insert(place, way.len());
        way.push(place);
        next = links[place].iter().copied().find(|&below| is_left(below));
    }
    let smallest = (0..way.len()).min_by_key(|&index| way[index]);
    way.rotate_left(smallest.unwrap_or_default());
    way
}

/// Puts everything in topological order, so that places become positions.
fn arrange(
    revisions: Vec<Revision>,
    mut places: HashMap<RevisionId, usize>,
    labels: BTreeMap<String, usize>,
    parents: Edges,
    dependencies: Edges,
    order: &[usize],
) -> RevisionGraph {
    let mut positions = vec![0; order.len()];
    for (position, &place) in order.iter().enumerate() {
        positions[place] = position;
    }
    for place in places.values_mut() {
        *place = positions[*place];
    }
    // A list that was written in order stays as it is.
    let stays = order.iter().enumerate().all(|(at, &place)| at == place);
    let moved = |edges: Edges| -> Edges {
        if stays {
            return edges;
        }
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
        positions: places,
        labels: labels
            .into_iter()
            .map(|(label, place)| (label, positions[place]))
            .collect(),
        children: reversed(&parents),
        dependents: reversed(&dependencies),
        parents,
        dependencies,
        revisions,
        replaced: Replaced::default(),
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
