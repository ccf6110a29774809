//! Chance that can be repeated.

use std::env;

/// Where a test's chance comes from.
pub(super) struct Dice {
    seed: u64,
    random: fastrand::Rng,
}

impl Dice {
    /// From `STAIRWAY_FAULT_SEED`, else another one each time.
    pub(super) fn new() -> Self {
        let seed = env::var("STAIRWAY_FAULT_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok())
            .unwrap_or_else(|| fastrand::u64(..1_000_000_000));
        Self {
            seed,
            random: fastrand::Rng::with_seed(seed),
        }
    }

    /// What repeats this.
    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// From 1 to `most`.
    pub(super) fn up_to(&mut self, most: u64) -> u64 {
        self.random.u64(1..=most.max(1))
    }

    pub(super) fn shuffle<T>(&mut self, values: &mut [T]) {
        self.random.shuffle(values);
    }
}

/// How many rounds, unless `STAIRWAY_FAULT_ROUNDS` says otherwise.
pub(super) fn rounds(usual: usize) -> usize {
    env::var("STAIRWAY_FAULT_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(usual)
}
