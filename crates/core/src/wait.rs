//! Waiting for a database that does not answer yet.

use std::time::{Duration, Instant};

use stairway_plan::event::EventKind;

use crate::config::Config;
use crate::connection::{Access, Failure, Session, Vigil, classify, connect, said};
use crate::error::Error;
use crate::observer::Observers;
use crate::stop::Stop;

/// Opens a session, or says at once why not.
pub(crate) async fn connect_once(config: &Config, access: Access) -> Result<Session, Error> {
    let began = Instant::now();
    match connect(
        &config.database,
        access,
        &config.application_name(),
        config.connect_timeout,
    )
    .await
    {
        Ok(mut session) => {
            session.keep_vigil(Vigil::of(config));
            Ok(session)
        }
        Err(error) => Err(connection_error(config, &error, began.elapsed(), 1)),
    }
}

/// Opens a session; where the database does not answer, tries again with growing pauses.
/// A refusal that waiting does not cure (password, unknown database) is returned at once.
pub(crate) async fn connect_waiting(
    config: &Config,
    access: Access,
    timeout: Duration,
    observers: &Observers,
    stop: &Stop,
) -> Result<Session, Error> {
    let began = Instant::now();
    let mut pause = Duration::from_millis(100);
    let mut attempts = 0;
    loop {
        attempts += 1;
        let left = timeout.saturating_sub(began.elapsed());
        let connect_timeout = config
            .connect_timeout
            .min(left.max(Duration::from_millis(500)));
        let application = config.application_name();
        let connecting = connect(&config.database, access, &application, connect_timeout);
        let error = match connecting.await {
            Ok(mut session) => {
                session.keep_vigil(Vigil::of(config));
                return Ok(session);
            }
            Err(error) => error,
        };
        let left = timeout.saturating_sub(began.elapsed());
        let failure = classify(config.dialect(), &error);
        if !failure.is_worth_waiting_for() || left.is_zero() {
            return Err(connection_error(config, &error, began.elapsed(), attempts));
        }
        let this_pause = pause.mul_f64(1.0 + fastrand::f64() * 0.25).min(left);
        observers.emit(EventKind::WaitingForDatabase {
            attempt: attempts,
            error: config.redact(&said(&error)),
            retry_in_ms: crate::milliseconds(this_pause),
            time_left_ms: crate::milliseconds(left),
        });
        stop.sleep(this_pause).await?;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

pub(crate) fn connection_error(
    config: &Config,
    error: &sqlx::Error,
    waited: Duration,
    attempts: u32,
) -> Error {
    let failure = classify(config.dialect(), error);
    let message = config.redact(&said(error));
    match failure {
        Failure::Unreachable
        | Failure::ConnectionLost
        | Failure::ServerStarting
        | Failure::TooManyConnections
        | Failure::Busy => Error::Unreachable {
            location: config.location(),
            waited,
            attempts,
            failure,
            last_error: message,
        },
        _ => Error::Refused {
            location: config.location(),
            failure,
            message,
        },
    }
}
