//! Asking a server whether two texts mean the same.

mod postgres;

use std::collections::BTreeSet;

use stairway_plan::diff::Question;
use stairway_plan::schema::Schema;

use crate::inspect::Connection;

/// What the server said.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// The questions that it answered.
    pub(super) given: Vec<(Question, bool)>,
    /// Why it could not be asked, for people.
    pub(super) complaint: Option<String>,
}

/// Puts the questions to the server. `schema` is the one that the connection sees.
pub(super) async fn answer(
    connection: &mut Connection,
    schema: &Schema,
    questions: BTreeSet<Question>,
) -> Answers {
    match connection {
        Connection::Postgres(connection) => postgres::answer(connection, schema, questions).await,
        Connection::Mysql(_) | Connection::Sqlite(_) => Answers::default(),
    }
}
