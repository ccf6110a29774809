//! The message to the webhook after `run` and `upgrade`.

use std::time::Instant;

use stairway_core::Error;
use stairway_core::notify::RunError;

use crate::error::CommandError;
use crate::report::RunView;
use crate::session::Session;

/// Tells the webhook, if there is one, how a run ended. A dry run changed nothing and is not told of.
/// Whatever becomes of the message, the command's result stays what it is.
pub(crate) async fn tell(
    session: &Session<'_>,
    command: &str,
    began: Instant,
    result: &Result<RunView, CommandError>,
) {
    let Ok(manager) = &session.manager else {
        return;
    };
    if session.policy.dry_run || result.as_ref().is_ok_and(|view| view.report.dry_run) {
        return;
    }
    let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let error = result.as_ref().err().map(run_error);
    let notification = session
        .run_log
        .notification(command, manager.config(), elapsed_ms, error);
    manager.config().webhook.send(&notification).await;
}

fn run_error(error: &CommandError) -> RunError {
    RunError {
        stopped: matches!(
            error,
            CommandError::Interrupted | CommandError::Core(Error::Stopped { .. })
        ),
        message: error.sentence(),
        hint: error.hint(None),
        revision: match error {
            CommandError::Core(Error::Step(step)) => Some(step.revision.clone()),
            _ => None,
        },
    }
}
