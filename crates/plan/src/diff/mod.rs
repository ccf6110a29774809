//! Comparing two schemas: from values to ordered changes.
//!
//! The comparison is written once for all databases, one file for each kind of object; what differs
//! between databases is asked of [`crate::dialect::Rules`], what text alone cannot tell of a
//! [`Judge`], and what only a person knows of a [`Questioner`].

mod judge;
mod options;
mod questioner;

pub use judge::{Judge, PureJudge, Question, Subject, Verdicts};
pub use options::{DiffOptions, Spelling, Unstated};
pub use questioner::{Answers, InvalidAnswer, Questioner, RenameSubject};
