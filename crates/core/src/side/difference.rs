//! Comparing two sides.

use stairway_plan::diff::{DiffOptions, Difference, Questioner, Unstated};
use stairway_plan::filter::Filter;
use stairway_plan::schema::Schema;

use super::renamed::WithRenames;
use super::{Opened, Side, SideError, Sources};
use crate::BoxFuture;
use crate::compare::{self, CompareError, CompareOptions};

/// Two schemas and what makes the first one like the second one.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The first schema, without what takes no part.
    pub from: Schema,
    /// The second schema, without what takes no part.
    pub to: Schema,
    /// How they were compared.
    pub options: DiffOptions,
    /// What makes the first one like the second one.
    pub difference: Difference,
    /// What was done in another way than usual, for people.
    pub remarks: Vec<String>,
}

impl Sources {
    /// Opens both sides: two live databases at the same time, otherwise one after the other. The side
    /// that is read first tells what stands around the other one, and what of it is not understood.
    async fn open_both(&self, from: &Side, to: &Side) -> Result<(Opened, Opened), SideError> {
        let is_live = |side: &Side| side.url().is_some();
        let (before, after) = if is_live(from) && is_live(to) {
            tokio::join!(self.open(from, None), self.open(to, None))
        } else if matches!(from, Side::Entities) || is_live(to) {
            let after = self.open(to, None).await?;
            let before = self.open(from, Some(&after.schema)).await;
            (before, Ok(after))
        } else {
            let before = self.open(from, None).await?;
            let after = self.open(to, Some(&before.schema)).await;
            (Ok(before), after)
        };
        match (before, after) {
            (Ok(before), Ok(after)) => Ok((before, after)),
            (Ok(opened), Err(error)) | (Err(error), Ok(opened)) => {
                Err(closed_after(opened, error).await)
            }
            (Err(error), Err(_)) => Err(error),
        }
    }

    /// Reads both sides and compares them. What only the first side has is to be removed, unless the
    /// second one is the entities, which have no words for it.
    ///
    /// # Errors
    /// When a side can't be read, or they are of different kinds of database.
    pub fn compare<'a>(
        &'a self,
        from: &'a Side,
        to: &'a Side,
        filter: &'a Filter,
        questioner: &'a (dyn Questioner + Sync),
    ) -> BoxFuture<'a, Result<Compared, SideError>> {
        Box::pin(async move {
            let (before, after) = self.open_both(from, to).await?;
            let options = DiffOptions {
                unstated: match to {
                    Side::Entities => Unstated::LeaveAlone,
                    Side::Database(_) | Side::SqlFile(_) | Side::Revisions => Unstated::Remove,
                },
                ..DiffOptions::default()
            };
            let remarks = [&before.remark, &after.remark];
            let remarks = remarks.into_iter().flatten().cloned().collect();
            let (mut before, before_scratch) = judged(before, filter);
            let (mut after, after_scratch) = judged(after, filter);
            let compare_options = CompareOptions {
                diff: options,
                inspect: self.inspect.clone(),
            };
            let renames = match (to, &self.entities) {
                (Side::Entities, Some(entities)) => entities.renames().await,
                _ => Vec::new(),
            };
            let questioner = WithRenames {
                inner: questioner,
                renames,
            };
            let difference =
                compare::turn_by_turn(&mut before, &mut after, &compare_options, &questioner).await;
            let (from, to) = (before.schema.clone(), after.schema.clone());
            before.close().await;
            after.close().await;
            for scratch in [before_scratch, after_scratch].into_iter().flatten() {
                scratch.remove().await;
            }
            Ok(Compared {
                from,
                to,
                options,
                difference: difference?,
                remarks,
            })
        })
    }
}

async fn closed_after(opened: Opened, error: SideError) -> SideError {
    opened.close().await;
    error
}

/// The side as the comparison takes it, and its scratch database.
fn judged(opened: Opened, filter: &Filter) -> (compare::Side, Option<super::Scratch>) {
    let mut schema = opened.schema;
    filter.apply(&mut schema);
    let side = compare::Side {
        label: opened.label,
        schema,
        connection: opened.connection,
    };
    (side, opened.scratch)
}

impl From<CompareError> for SideError {
    fn from(error: CompareError) -> Self {
        match error {
            CompareError::Inspect { location, source } => Self::Inspect {
                side: location,
                source,
            },
            CompareError::Diff(error) => Self::Different(error),
        }
    }
}
