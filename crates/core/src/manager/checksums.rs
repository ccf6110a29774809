//! Whether revisions were edited after they were applied.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use stairway_plan::history::{Checksum, History};
use stairway_plan::position::ChecksumComparison;
use stairway_plan::revision::RevisionId;
use stairway_plan::sql::{Comparison, Rendering, compare};

use super::Manager;
use crate::render;

/// What the revisions send, worked out once: the code does not change while the process lives.
#[derive(Clone, Debug, Default)]
pub(super) struct Renderings(Arc<Mutex<HashMap<RevisionId, Rendering>>>);

impl Manager {
    /// Compares what each applied revision sent with what its code sends now.
    pub(super) async fn compare_checksums(&self, history: &History) -> ChecksumComparison {
        let mut comparison = ChecksumComparison::default();
        for applied in &history.applied {
            let Some(entry) = &applied.ledger else {
                continue;
            };
            let Some(migration) = self.migrations.migration(&applied.id) else {
                continue;
            };
            if let Checksum::NotComparable { .. } = entry.checksum {
                comparison.not_comparable.push(applied.id.clone());
                continue;
            }
            let rendering = if let Some(known) = self.renderings.get(&applied.id) {
                known
            } else {
                let made = render::render_for_comparison(&*migration, self.config.dialect()).await;
                self.renderings.keep(applied.id.clone(), made)
            };
            match compare(&entry.checksum, &rendering, self.config.dialect()) {
                Comparison::Same => {}
                Comparison::Edited => comparison.edited.push(applied.id.clone()),
                Comparison::NotComparable(_) => comparison.not_comparable.push(applied.id.clone()),
            }
        }
        comparison
    }
}

impl Renderings {
    fn get(&self, id: &RevisionId) -> Option<Rendering> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .cloned()
    }

    fn keep(&self, id: RevisionId, rendering: Rendering) -> Rendering {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, rendering.clone());
        rendering
    }
}
