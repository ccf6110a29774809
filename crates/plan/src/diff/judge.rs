//! Whether two texts mean the same, where only a server can tell.
//!
//! Comparing is pure and a server is not, so the two take turns: the comparison notes what it would
//! like to know ([`Verdicts`]), someone asks a server, and the comparison is made again with the
//! answers. A pair of schemas that is alike asks nothing.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::schema::ObjectName;

/// What two texts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The default of `column`.
    Default,
    /// The expression of the generated `column`.
    Generated,
    /// The condition of a check constraint of `table`.
    Check,
    /// The condition of a partial index of `table`.
    Predicate,
    /// An expression in an index of `table`.
    IndexKey,
    /// A condition of a policy of `table`.
    Policy,
    /// The query of the view `table`.
    View,
    /// The default of the domain `table`.
    DomainDefault,
    /// A condition of the domain `table`.
    DomainCheck,
}

/// Two texts that look different and may mean the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Question {
    /// What the texts are.
    pub subject: Subject,
    /// The table, view or domain in the schema that is compared to, where both texts are read.
    pub table: ObjectName,
    /// The column, where the subject has one.
    pub column: Option<String>,
    /// The text of the schema that is compared from.
    pub from: String,
    /// The text of the schema that is compared to.
    pub to: String,
}

/// Knows whether two texts mean the same.
pub trait Judge {
    /// The answer, or nothing when it is not known (yet).
    fn same(&self, question: &Question) -> Option<bool>;
}

/// Knows nothing: text decides.
#[derive(Clone, Copy, Debug, Default)]
pub struct PureJudge;

impl Judge for PureJudge {
    fn same(&self, _question: &Question) -> Option<bool> {
        None
    }
}

/// The answers given so far, and the questions that had none.
#[derive(Debug, Default)]
pub struct Verdicts {
    answers: BTreeMap<Question, bool>,
    open: RefCell<BTreeSet<Question>>,
}

impl Verdicts {
    /// Takes the questions that were asked and had no answer.
    pub fn take_open(&mut self) -> BTreeSet<Question> {
        std::mem::take(self.open.get_mut())
    }

    /// Notes an answer.
    pub fn answer(&mut self, question: Question, same: bool) {
        self.answers.insert(question, same);
    }
}

impl Judge for Verdicts {
    fn same(&self, question: &Question) -> Option<bool> {
        let answer = self.answers.get(question).copied();
        if answer.is_none() {
            self.open.borrow_mut().insert(question.clone());
        }
        answer
    }
}
