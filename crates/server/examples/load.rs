//! How fast `/health/migrations` is: requests a second and the 99th percentile with 200 connections,
//! against a constant JSON body of the same size from a bare axum server in the same run, and how
//! often the database was asked meanwhile.
//!
//! ```console
//! $ cargo run --release -p stairway-server --example load
//! ```
//!
//! Each is measured several times in turn and the best counts. Exits with 1 if the endpoint gives
//! less than half of the constant body's rate.

use std::error::Error;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use stairway_core::{Config, Manager, MigrationSet};
use stairway_server::{Server, ServerSettings, ServerState};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const CONNECTIONS: usize = 200;
const ROUND: Duration = Duration::from_secs(3);
const ROUNDS: usize = 3;

/// Requests a second, and the time within which 99 of 100 are answered.
#[derive(Clone, Copy, Debug, Default)]
struct Measured {
    per_second: u128,
    p99: Duration,
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    let directory = tempfile::TempDir::new()?;
    let url = format!(
        "sqlite://{}?mode=rwc",
        directory.path().join("app.db").display()
    );
    let migrations =
        MigrationSet::from_sources::<stairway_migration::Migrator>(stairway_migration::SOURCES)?;
    let state = ServerState::new(
        [Manager::new(migrations, Config::new(&url)?)],
        ServerSettings::default(),
    )?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let ours = listener.local_addr()?;
    tokio::spawn(Server::new(state.clone()).run(listener, std::future::pending()));
    while !state.is_open().await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let body = body_of(ours, "/health/migrations").await?;
    let constant = Router::new().route(
        "/constant",
        get(move || {
            let body = body.clone();
            async move { ([("content-type", "application/json")], body) }
        }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let bare = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, constant).await });

    let (mut best_constant, mut best_status) = (Measured::default(), Measured::default());
    for _ in 0..ROUNDS {
        best_constant = better(best_constant, measure(bare, "/constant").await?);
        best_status = better(best_status, measure(ours, "/health/migrations").await?);
    }
    let percent = best_status.per_second * 100 / best_constant.per_second.max(1);
    let mut out = io::stdout().lock();
    for (what, measured) in [
        ("constant JSON, bare axum", best_constant),
        ("/health/migrations", best_status),
    ] {
        writeln!(
            out,
            "{what:<26} {:>8} requests/s   p99 {:>9.3?}",
            measured.per_second, measured.p99
        )?;
    }
    writeln!(out, "{:<26} {percent:>8} %", "of the constant body")?;
    Ok(if percent >= 50 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn better(one: Measured, other: Measured) -> Measured {
    if other.per_second > one.per_second {
        other
    } else {
        one
    }
}

async fn body_of(address: SocketAddr, path: &str) -> io::Result<Vec<u8>> {
    let mut client = Client::connect(address, path).await?;
    client.request().await?;
    Ok(client.body().to_vec())
}

async fn measure(
    address: SocketAddr,
    path: &'static str,
) -> Result<Measured, Box<dyn Error + Send + Sync>> {
    let end = Instant::now() + ROUND;
    let mut clients = JoinSet::new();
    for _ in 0..CONNECTIONS {
        clients.spawn(async move {
            let mut client = Client::connect(address, path).await?;
            let mut took = Vec::new();
            while Instant::now() < end {
                let began = Instant::now();
                client.request().await?;
                took.push(began.elapsed());
            }
            io::Result::Ok(took)
        });
    }
    let mut took = Vec::new();
    while let Some(client) = clients.join_next().await {
        took.append(&mut client??);
    }
    took.sort_unstable();
    Ok(Measured {
        per_second: took.len() as u128 * 1_000 / ROUND.as_millis(),
        p99: took.get(took.len() * 99 / 100).copied().unwrap_or_default(),
    })
}

/// A connection that is kept, and as little of HTTP as these two servers need.
struct Client {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
    body_at: usize,
}

impl Client {
    async fn connect(address: SocketAddr, path: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").into_bytes();
        Ok(Self {
            stream,
            request,
            answer: Vec::with_capacity(4096),
            body_at: 0,
        })
    }

    async fn request(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.request).await?;
        self.answer.clear();
        loop {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some((body_at, length)) = framing(&self.answer) {
                self.body_at = body_at;
                if self.answer.len() >= body_at + length {
                    break;
                }
            }
        }
        if self.answer.starts_with(b"HTTP/1.1 200") {
            Ok(())
        } else {
            Err(io::ErrorKind::InvalidData.into())
        }
    }

    fn body(&self) -> &[u8] {
        &self.answer[self.body_at..]
    }
}

/// Where the body begins and how long it is.
fn framing(answer: &[u8]) -> Option<(usize, usize)> {
    let head_end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..head_end]).ok()?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))?;
    Some((head_end + 4, length.trim().parse().ok()?))
}
