//! A set of revisions of one graph.

/// A set of positions, iterated in topological order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selection(Vec<bool>);

impl Selection {
    /// The given positions out of `len`.
    pub(crate) fn of(len: usize, positions: impl IntoIterator<Item = usize>) -> Self {
        let mut selection = Self(vec![false; len]);
        for position in positions {
            selection.insert(position);
        }
        selection
    }

    pub(crate) fn insert(&mut self, position: usize) {
        self.0[position] = true;
    }

    pub(crate) fn remove(&mut self, position: usize) {
        self.0[position] = false;
    }

    pub(crate) fn insert_all(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine |= theirs;
        }
    }

    pub(crate) fn remove_all(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine &= !theirs;
        }
    }

    pub(crate) fn retain_all(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine &= theirs;
        }
    }

    pub(crate) fn contains(&self, position: usize) -> bool {
        self.0[position]
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.0
            .iter()
            .enumerate()
            .filter_map(|(position, &member)| member.then_some(position))
    }
}
