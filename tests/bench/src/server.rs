//! How fast the server's status is, and how often it asks the database for it.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use stairway_core::{Config, Manager, MigrationSet};
use stairway_server::{Server, ServerSettings, ServerState};
use stairway_test_servers::{ServerOptions, postgres};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::report::Report;
use crate::world::Outcome;

const CONNECTIONS: usize = 200;
const ROUND: Duration = Duration::from_secs(3);
const ROUNDS: usize = 3;

/// At least this much of what the constant body gives, in hundredths.
const BAR: u128 = 50;

/// Requests a second, and the time within which 99 of 100 are answered.
#[derive(Clone, Copy, Debug, Default)]
struct Measured {
    per_second: u128,
    p99: Duration,
}

pub(crate) async fn measure(report: &mut Report) -> Outcome {
    report.section(
        "The server's status, 200 connections",
        "`GET /health/migrations` of a server over PostgreSQL, and a constant JSON body of the same size from a bare \
         axum server in the same process; clients on the same machine. Best of three rounds of 3 s in turns. Reads of the database \
         counted in PostgreSQL's log over all rounds. Bars: 50 % of the constant body; one read a second.",
        &["answer", "requests/s", "p99", "of the constant body", "reads a second"],
    );
    let options = ServerOptions::new().setting("log_connections", "on");
    let database = postgres::start(&options)?;
    let url = database.url().with_database("postgres").reveal();
    let migrations =
        MigrationSet::from_sources::<stairway_migration::Migrator>(stairway_migration::SOURCES)?;
    let state = ServerState::new(
        [Manager::new(migrations, Config::new(&url)?)],
        ServerSettings::default(),
    )?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let ours = listener.local_addr()?;
    let server = tokio::spawn(Server::new(state.clone()).run(listener, std::future::pending()));
    while !state.is_open().await {
        if server.is_finished() {
            return Err("the server has ended".into());
        }
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
    let constant = tokio::spawn(async move { axum::serve(listener, constant).await });

    let (mut best_constant, mut best_status) = (Measured::default(), Measured::default());
    let (log, began) = (database.log().len(), Instant::now());
    let mut asked = Duration::ZERO;
    for _ in 0..ROUNDS {
        best_constant = better(best_constant, load(bare, "/constant").await?);
        let round = Instant::now();
        best_status = better(best_status, load(ours, "/health/migrations").await?);
        asked += round.elapsed();
    }
    let log = &database.log()[log..];
    let reads = log.matches("connection authorized").count();
    if began.elapsed() < asked || reads == 0 {
        return Err("the database's log tells of no read".into());
    }
    server.abort();
    constant.abort();

    report.row([
        "constant JSON, bare axum".to_owned(),
        best_constant.per_second.to_string(),
        shown(best_constant.p99),
        String::new(),
        String::new(),
    ]);
    let percent = best_status.per_second * 100 / best_constant.per_second.max(1);
    let verdict = |within| if within { "within" } else { "**outside**" };
    #[expect(
        clippy::cast_precision_loss,
        reason = "a handful, shown with two digits"
    )]
    let a_second = reads as f64 / asked.as_secs_f64();
    report.row([
        "`/health/migrations`".to_owned(),
        best_status.per_second.to_string(),
        shown(best_status.p99),
        format!("{percent} % ({} {BAR} %)", verdict(percent >= BAR)),
        // Each round begins with a read of its own.
        format!(
            "{a_second:.2} ({} 1, and one more for each round)",
            verdict(a_second <= 1.0 + 1.0 / ROUND.as_secs_f64())
        ),
    ]);
    Ok(())
}

fn shown(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1000.0)
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

async fn load(address: SocketAddr, path: &'static str) -> Outcome<Measured> {
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
