//! Whether an answer that does not come is still to be expected.
//!
//! A statement may run for hours, so how long it takes says nothing. But a router that has forgotten
//! a connection, or a network that has gone, would have us wait for ever: nothing is sent that could
//! fail. So after a while the server is asked over another connection what the session does.

use std::time::{Duration, Instant};

use stairway_plan::sql::Dialect;

use super::{Access, Session, connect};
use crate::config::{Config, DatabaseSource};

/// How to find out whether the server still works for a session.
#[derive(Clone, Debug)]
pub(crate) struct Vigil {
    source: DatabaseSource,
    /// How long the server may give no sign of working for the session.
    limit: Duration,
    /// The server's number for the session. Until it is known only short questions are asked.
    session: Option<i64>,
    /// The server session is ours alone, so that it can be ended.
    is_own: bool,
}

/// The longest time between two looks.
const INTERVAL: Duration = Duration::from_secs(20);

/// What the server says of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// It works for it, or does not tell.
    Working,
    /// It has done all that it was asked to: the question or the answer was lost on the way.
    Idle,
    /// It knows no such session.
    Gone,
    /// It gives no answer.
    Silent,
}

impl Vigil {
    /// For sessions of servers; nothing where no other connection can be opened.
    pub(crate) fn of(config: &Config) -> Option<Self> {
        let is_local = config.dialect() == Dialect::Sqlite;
        (!is_local && super::can_open_another(&config.database)).then(|| Self {
            source: config.database.clone(),
            limit: config.answer_timeout,
            session: None,
            is_own: false,
        })
    }

    /// The same for the server session of this number, which is ours alone or a pooler's.
    pub(crate) fn for_session(self, number: i64, is_own: bool) -> Self {
        Self {
            session: Some(number),
            is_own,
            ..self
        }
    }

    /// Waits for the answer to a short question of our own; without a vigil, however long it takes.
    /// Nothing if it was given up.
    pub(crate) async fn over_question<T>(
        vigil: Option<&Self>,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Option<Result<T, sqlx::Error>> {
        match vigil {
            Some(vigil) if vigil.session.is_none() => {
                tokio::time::timeout(vigil.limit, work).await.ok()
            }
            vigil => Self::over_statement(vigil, work).await,
        }
    }

    /// The same for the answer to a statement that may run for long.
    pub(crate) async fn over_statement<T>(
        vigil: Option<&Self>,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Option<Result<T, sqlx::Error>> {
        match vigil.and_then(|vigil| Some((vigil, vigil.session?))) {
            Some((vigil, number)) => vigil.over(number, work).await,
            None => Some(work.await),
        }
    }

    /// Why an answer is not waited for any longer.
    pub(crate) fn given_up(&self) -> sqlx::Error {
        sqlx::Error::Io(std::io::Error::new(
            std::io::ErrorKind::ConnectionAborted,
            format!(
                "the server has not answered, and for {} s has given no sign that it works on an answer; the \
                 connection was given up",
                self.limit.as_secs_f32()
            ),
        ))
    }

    /// Waits for an answer as long as the server works on it. Nothing if it does not for too long; a
    /// session that the server still has is ended then, so that its lock and its transaction are not
    /// left behind.
    async fn over<T>(
        &self,
        number: i64,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Option<Result<T, sqlx::Error>> {
        let interval = (self.limit / 3).min(INTERVAL);
        tokio::pin!(work);
        let mut last_sign = Instant::now();
        let mut other: Option<Session> = None;
        loop {
            if let Ok(result) = tokio::time::timeout(interval, &mut work).await {
                if let Some(other) = other {
                    Box::pin(other.close()).await;
                }
                return Some(result);
            }
            let sign = tokio::select! {
                result = &mut work => return Some(result),
                // Boxed: every statement would carry it otherwise.
                sign = Box::pin(self.look(number, &mut other, interval)) => sign,
            };
            tracing::debug!(?sign, session = number, "an answer has not come yet");
            if sign == Sign::Working {
                last_sign = Instant::now();
            } else if last_sign.elapsed() >= self.limit {
                if sign == Sign::Idle && self.is_own {
                    Box::pin(self.end_session(number, other, interval)).await;
                }
                return None;
            }
        }
    }

    /// Asks over another connection, which is kept for the next time.
    async fn look(&self, number: i64, other: &mut Option<Session>, patience: Duration) -> Sign {
        // The link itself: sessions wait by this very function.
        let asked = async {
            let mut session = match other.take() {
                Some(session) => session,
                None => connect(&self.source, Access::Read, "stairway-vigil", patience).await?,
            };
            let question = match session.dialect() {
                Dialect::Postgres => format!(
                    "SELECT coalesce(state, 'unknown') FROM pg_stat_activity WHERE pid = {number}"
                ),
                _ => format!(
                    "SELECT COMMAND FROM information_schema.PROCESSLIST WHERE ID = {number}"
                ),
            };
            let answer = session.link.rows(question).await?;
            *other = Some(session);
            Ok::<_, sqlx::Error>(answer.into_iter().flatten().flatten().next())
        };
        match tokio::time::timeout(patience, asked).await {
            Ok(Ok(Some(state))) if state.starts_with("idle") || state == "Sleep" => Sign::Idle,
            Ok(Ok(Some(_))) => Sign::Working,
            Ok(Ok(None)) => Sign::Gone,
            Ok(Err(error)) => {
                tracing::debug!(%error, "the server can't be asked what the session does");
                Sign::Silent
            }
            Err(_) => Sign::Silent,
        }
    }

    async fn end_session(&self, number: i64, other: Option<Session>, patience: Duration) {
        let Some(mut other) = other else {
            return;
        };
        let end = match other.dialect() {
            Dialect::Postgres => format!("SELECT pg_terminate_backend({number})"),
            _ => format!("KILL {number}"),
        };
        match tokio::time::timeout(patience, other.link.run(end)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the dead session could not be ended"),
            Err(_) => other.abandon(),
        }
        other.close().await;
    }
}
