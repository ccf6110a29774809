//! PostgreSQL as the judge: it plans queries with either text, in a read-only transaction that is
//! rolled back, and runs none of them.

use std::collections::BTreeSet;

use sqlx::PgConnection;
use stairway_plan::dialect::postgres::judge;
use stairway_plan::diff::Question;
use stairway_plan::schema::Schema;

use super::Answers;
use crate::inspect::{InspectError, execute, fetch_text};

pub(super) async fn answer(
    connection: &mut PgConnection,
    schema: &Schema,
    questions: BTreeSet<Question>,
) -> Answers {
    let mut answers = Answers::default();
    let asked = ask(connection, schema, questions, &mut answers).await;
    let ended = run(connection, judge::END).await;
    if let Err(error) = asked.and(ended) {
        answers.complaint = Some(format!(
            "the server could not be asked whether what looks different means the same ({error}): \
             only the texts were compared"
        ));
    }
    answers
}

async fn ask(
    connection: &mut PgConnection,
    schema: &Schema,
    questions: BTreeSet<Question>,
    answers: &mut Answers,
) -> Result<(), InspectError> {
    for statement in judge::BEGIN {
        run(connection, statement).await?;
    }
    for question in questions {
        let Some([from, to]) = judge::statements(&question, schema) else {
            continue;
        };
        run(connection, judge::BEFORE_EACH).await?;
        let from = fetch_text(&mut *connection, "question", from).await;
        let plans = match from {
            Ok(from) => fetch_text(&mut *connection, "question", to)
                .await
                .map(|to| (from, to)),
            Err(error) => Err(error),
        };
        run(connection, judge::AFTER_EACH).await?;
        match plans {
            Ok((from, to)) => answers.given.push((question, from == to)),
            // A text that means nothing here is not the same as one that does.
            Err(InspectError::Query {
                source: sqlx::Error::Database(error),
                ..
            }) => {
                tracing::debug!(%error, ?question, "the server does not understand a text");
                answers.given.push((question, false));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn run(connection: &mut PgConnection, statement: &str) -> Result<(), InspectError> {
    execute(connection, "question", statement.to_owned()).await
}
