//! A server over a database of its own, migrations that wait until the test lets them go, and a
//! client that can misbehave.

use std::io;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use sea_orm_migration::MigratorTraitSelf;
use sea_orm_migration::async_trait::async_trait;
use sea_orm_migration::prelude::*;
use serde_json::Value;
use stairway_core::{Config, Manager, MigrationSet};
use stairway_server::{RunError, Server, ServerSettings, ServerState};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

/// Whatever has not happened by then does not happen.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Lets gated migrations of one database go on, by the database's name.
static GATES: LazyLock<watch::Sender<Vec<(String, u32)>>> =
    LazyLock::new(|| watch::Sender::new(Vec::new()));

/// Lets the first so many gated steps of this test go on.
pub(crate) fn open_gate(test: &str, steps: u32) {
    GATES.send_modify(|gates| {
        gates.retain(|(name, _)| name != test);
        gates.push((test.to_owned(), steps));
    });
}

/// A migration that makes a table after its gate was opened.
struct Gated {
    test: String,
    number: u32,
    fails: bool,
}

impl MigrationName for Gated {
    fn name(&self) -> &str {
        NAMES[self.number as usize - 1]
    }
}

const NAMES: [&str; 3] = [
    "m20260101_000001_first",
    "m20260101_000002_second",
    "m20260101_000003_third",
];

#[async_trait]
impl MigrationTrait for Gated {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = |suffix: &str| format!("CREATE TABLE made_{}_{suffix} (id int)", self.number);
        manager
            .get_connection()
            .execute_unprepared(&table("before"))
            .await?;
        let mut gates = GATES.subscribe();
        let opened = gates.wait_for(|gates| {
            gates
                .iter()
                .any(|(test, steps)| *test == self.test && *steps >= self.number)
        });
        opened
            .await
            .map_err(|_| DbErr::Custom("the gate is gone".to_owned()))?;
        if self.fails {
            manager
                .get_connection()
                .execute_unprepared("THIS IS NO SQL")
                .await?;
        }
        manager
            .get_connection()
            .execute_unprepared(&table("after"))
            .await?;
        Ok(())
    }
}

struct GatedMigrations {
    test: String,
    fails_at: Option<u32>,
}

impl MigratorTraitSelf for GatedMigrations {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        (1..=3)
            .map(|number| {
                let gated = Gated {
                    test: self.test.clone(),
                    number,
                    fails: self.fails_at == Some(number),
                };
                Box::new(gated) as Box<dyn MigrationTrait>
            })
            .collect()
    }
}

/// Three migrations, of which each waits at a gate of this name.
pub(crate) fn gated_migrations(test: &str, fails_at: Option<u32>) -> MigrationSet {
    let migrations = GatedMigrations {
        test: test.to_owned(),
        fails_at,
    };
    MigrationSet::from_migrator_self(&migrations).expect("a sound chain")
}

/// A server that runs.
pub(crate) struct Scene {
    pub(crate) address: SocketAddr,
    pub(crate) internal: Option<SocketAddr>,
    pub(crate) state: ServerState,
    shutdown: Option<oneshot::Sender<()>>,
    pub(crate) ended: JoinHandle<Result<(), RunError>>,
    _directory: Option<TempDir>,
}

/// What is unusual about a server.
#[derive(Default)]
pub(crate) struct Unusual {
    pub(crate) settings: ServerSettings,
    pub(crate) internal: bool,
    pub(crate) fails_at: Option<u32>,
}

impl Scene {
    /// Over an SQLite file of its own, with migrations that wait at the gate of this test.
    pub(crate) async fn start(test: &str, unusual: Unusual) -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let url = format!(
            "sqlite://{}?mode=rwc",
            directory.path().join("app.db").display()
        );
        let config = Config::new(&url).expect("a sound URL");
        let manager = Manager::new(gated_migrations(test, unusual.fails_at), config);
        Self::over(vec![manager], unusual, Some(directory)).await
    }

    pub(crate) async fn over(
        managers: Vec<Manager>,
        unusual: Unusual,
        directory: Option<TempDir>,
    ) -> Self {
        let bind = async || {
            TcpListener::bind("127.0.0.1:0")
                .await
                .expect("a port is free")
        };
        let listener = bind().await;
        let address = listener.local_addr().expect("it is bound");
        let state = ServerState::new(managers, unusual.settings).expect("a sound state");
        let mut server = Server::new(state.clone());
        let mut internal = None;
        if unusual.internal {
            let listener = bind().await;
            internal = Some(listener.local_addr().expect("it is bound"));
            server = server.with_internal_listener(listener);
        }
        let (shutdown, asked) = oneshot::channel::<()>();
        let ended = tokio::spawn(server.run(listener, async { drop(asked.await) }));
        Self {
            address,
            internal,
            state,
            shutdown: Some(shutdown),
            ended,
            _directory: directory,
        }
    }

    /// Asks the server to end.
    pub(crate) fn shut_down(&mut self) {
        if let Some(shutdown) = self.shutdown.take() {
            // It may have ended by itself.
            let _ = shutdown.send(());
        }
    }

    /// Waits until the server has ended.
    pub(crate) async fn end(mut self) -> Result<(), RunError> {
        self.shut_down();
        timeout(DEADLINE, &mut self.ended)
            .await
            .expect("it ends in time")
            .expect("it does not panic")
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        get(self.address, path).await
    }

    /// Waits until an endpoint has this status. Returns its answer.
    pub(crate) async fn until(&self, path: &str, status: u16) -> Answer {
        until(&format!("{path} is {status}"), async || {
            let answer = self.get(path).await;
            (answer.status == status).then_some(answer)
        })
        .await
    }
}

/// Waits until something holds.
pub(crate) async fn until<T>(what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(began.elapsed() < DEADLINE, "in vain: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.body))
    }
}

/// One request on a connection of its own.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let answer = timeout(DEADLINE, send(address, request.as_bytes())).await;
    let answer = answer.unwrap_or_else(|_| panic!("{path} is not answered"));
    let answer = answer.unwrap_or_else(|error| panic!("{path}: {error}"));
    parse(&answer).unwrap_or_else(|| panic!("{path}: not an answer: {answer:?}"))
}

/// Sends these bytes and reads until the server closes the connection.
pub(crate) async fn send(address: SocketAddr, bytes: &[u8]) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    // The server may have closed the connection in the middle of it, having answered.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer).await {
        Err(error) if answer.is_empty() => Err(error),
        _ => Ok(String::from_utf8_lossy(&answer).into_owned()),
    }
}

pub(crate) fn parse(answer: &str) -> Option<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some(Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}
