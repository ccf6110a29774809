//! Clients that are slow, greedy, many or malformed: the probe next to them gets its answer.

use std::time::{Duration, Instant};

use stairway_server::{ConnectionLimits, ServerSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::scene::{DEADLINE, Scene, Unusual, open_gate, parse, send};

fn limits(change: impl FnOnce(&mut ConnectionLimits)) -> Unusual {
    let mut settings = ServerSettings::default();
    change(&mut settings.connections);
    Unusual {
        settings,
        ..Unusual::default()
    }
}

async fn ready(test: &str, unusual: Unusual) -> Scene {
    open_gate(test, 3);
    let scene = Scene::start(test, unusual).await;
    scene.until("/health/ready", 200).await;
    scene
}

/// Resolves when the server has closed the connection. Returns what it had sent.
async fn closed(stream: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    let closing = timeout(DEADLINE, stream.read_to_end(&mut rest)).await;
    let _reset_or_closed = closing.expect("the server closes the connection");
    String::from_utf8_lossy(&rest).into_owned()
}

#[tokio::test]
async fn clients_that_send_a_byte_now_and_then_are_cut_off_and_keep_nobody_waiting() {
    let scene = ready(
        "slow_loris",
        limits(|limits| limits.header_read_timeout = Duration::from_secs(1)),
    )
    .await;
    let address = scene.address;
    let began = Instant::now();
    let slow: Vec<_> = (0..100)
        .map(|_| {
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.expect("there is room");
                for byte in b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: "
                    .iter()
                    .cycle()
                {
                    if stream.write_all(&[*byte]).await.is_err() {
                        break;
                    }
                    sleep(Duration::from_millis(100)).await;
                }
            })
        })
        .collect();
    while slow.iter().any(|task| !task.is_finished()) {
        let asked = Instant::now();
        assert_eq!(scene.get("/health/live").await.status, 200);
        assert!(
            asked.elapsed() < Duration::from_secs(1),
            "{:?}",
            asked.elapsed()
        );
        assert!(began.elapsed() < DEADLINE, "slow clients are cut off");
        sleep(Duration::from_millis(50)).await;
    }
    scene.end().await.expect("asked to end");
}

#[tokio::test]
async fn a_connection_that_stays_silent_is_closed() {
    let scene = ready(
        "silent",
        limits(|limits| limits.header_read_timeout = Duration::from_millis(500)),
    )
    .await;
    let mut silent = TcpStream::connect(scene.address)
        .await
        .expect("there is room");
    assert_eq!(closed(&mut silent).await, "");
    let mut kept = TcpStream::connect(scene.address)
        .await
        .expect("there is room");
    kept.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("it is open");
    assert!(
        closed(&mut kept).await.starts_with("HTTP/1.1 200"),
        "answered, then closed for being idle"
    );
    scene.end().await.expect("asked to end");
}

#[tokio::test]
async fn oversized_and_malformed_requests_are_refused_one_by_one() {
    let scene = ready("malformed", Unusual::default()).await;
    let field = |name: &str, length: usize| {
        format!(
            "GET /health HTTP/1.1\r\nHost: x\r\n{name}: {}\r\n\r\n",
            "x".repeat(length)
        )
    };
    let many = "x-y: z\r\n".repeat(200);
    let cases: Vec<(&str, Vec<u8>, &[u16])> = vec![
        ("a huge field", field("x-huge", 100_000).into_bytes(), &[431]),
        ("many fields", format!("GET /health HTTP/1.1\r\nHost: x\r\n{many}\r\n").into_bytes(), &[431]),
        ("a huge address", format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(100_000)).into_bytes(), &[414, 431]),
        ("a long address", format!("GET /health?{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "x".repeat(3_000)).into_bytes(), &[414]),
        ("a huge announced body", b"POST /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 999999999\r\n\r\nx".to_vec(), &[413]),
        ("a body that never ends", {
            let mut request = b"POST /health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n".to_vec();
            for _ in 0..200 {
                request.extend_from_slice(b"1000\r\n");
                request.extend_from_slice(&[b'x'; 0x1000]);
                request.extend_from_slice(b"\r\n");
            }
            request
        }, &[405]),
        ("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(), &[400]),
        ("no version", b"GET /health\r\n\r\n".to_vec(), &[400]),
        ("a bad field", b"GET /health HTTP/1.1\r\nHost: x\r\nbad field\x01: x\r\n\r\n".to_vec(), &[400]),
        ("two lengths", b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".to_vec(), &[400]),
        ("an unknown method", b"BREW /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_vec(), &[405]),
    ];
    for (name, request, expected) in cases {
        let answer = timeout(DEADLINE, send(scene.address, &request))
            .await
            .unwrap_or_else(|_| panic!("{name} hangs"));
        // Whoever goes on sending may find the connection reset instead of the answer.
        if let Some(answer) = answer.ok().as_deref().and_then(parse) {
            assert!(expected.contains(&answer.status), "{name}: {answer:?}");
        } else {
            assert!(request.len() > 16_000, "{name} gets an answer");
        }
        assert_eq!(scene.get("/health/live").await.status, 200, "after {name}");
    }
    scene.end().await.expect("asked to end");
}

#[tokio::test]
async fn a_client_that_never_reads_its_answers_is_cut_off() {
    let scene = ready(
        "never_reads",
        limits(|limits| limits.write_timeout = Duration::from_millis(500)),
    )
    .await;
    let mut stream = TcpStream::connect(scene.address)
        .await
        .expect("there is room");
    let request = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100);
    let cut_off = timeout(DEADLINE, async {
        while stream.write_all(&request).await.is_ok() {}
    });
    cut_off.await.expect("the server gives up on it");
    assert_eq!(scene.get("/health/live").await.status, 200);
    scene.end().await.expect("asked to end");
}

#[tokio::test]
async fn requests_that_are_sent_ahead_are_answered_in_order() {
    let scene = ready("pipelined", Unusual::default()).await;
    let one = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n".repeat(50);
    let last = "GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = send(scene.address, format!("{one}{last}").as_bytes())
        .await
        .expect("answers");
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 50);
    assert!(answer.rfind("HTTP/1.1 404") > answer.rfind("HTTP/1.1 200"));
    scene.end().await.expect("asked to end");
}

/// Resident memory of this process in KiB, where the system tells (Linux).
fn resident_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// How many files this process may have open, where the system tells (Linux).
fn open_files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(256)
}

/// Runs a test again in a process that may open as many files as the system lets it, where this one
/// may open too few. Returns whether it did.
fn ran_with_more_files(test: &str) -> bool {
    const RAISED: &str = "STAIRWAY_TEST_RAISED_FILES";
    if open_files() >= IDLE_CONNECTIONS + 1_000 || std::env::var_os(RAISED).is_some() {
        return false;
    }
    let program = std::env::current_exe().expect("this program has a path");
    let status = std::process::Command::new("sh")
        .args(["-c", "ulimit -n \"$(ulimit -Hn)\" && exec \"$@\"", "sh"])
        .arg(program)
        .args(["--exact", test, "--nocapture"])
        .env(RAISED, "1")
        .status();
    assert!(status.is_ok_and(|status| status.success()), "{test}");
    true
}

const IDLE_CONNECTIONS: usize = 10_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_idle_connections_take_neither_the_places_nor_the_memory() {
    let name = "connections::thousands_of_idle_connections_take_neither_the_places_nor_the_memory";
    if cfg!(unix) && ran_with_more_files(name) {
        return;
    }
    let scene = ready("idle", limits(|limits| limits.max_connections = 500)).await;
    // The client's ends count as files of this process, too.
    let wanted = IDLE_CONNECTIONS.min(open_files().saturating_sub(1_000));
    assert_eq!(scene.get("/health/live").await.status, 200);
    let before = resident_memory();
    let mut idle = Vec::with_capacity(wanted);
    for nth in 0..wanted {
        let stream = TcpStream::connect(scene.address)
            .await
            .expect("it is accepted");
        // Half of them begin a request.
        if nth % 2 == 0 {
            drop(stream.try_write(b"GET /health HTTP/1.1\r\n"));
        }
        idle.push(stream);
        if nth % 1_000 == 999 {
            let asked = Instant::now();
            assert_eq!(
                scene.get("/health/live").await.status,
                200,
                "beside {nth} idle connections"
            );
            assert_eq!(scene.get("/health/ready").await.status, 200);
            assert!(
                asked.elapsed() < Duration::from_secs(2),
                "{:?}",
                asked.elapsed()
            );
        }
    }
    if let (Some(before), Some(after)) = (before, resident_memory()) {
        let grown = after.saturating_sub(before) / 1024;
        assert!(grown < 64, "{wanted} idle connections took {grown} MiB");
    }
    // The oldest made way.
    closed(&mut idle[0]).await;
    drop(idle);
    assert_eq!(scene.get("/health/ready").await.status, 200);
    scene.end().await.expect("asked to end");
}

#[tokio::test]
async fn at_the_end_open_requests_are_answered_and_idle_connections_closed() {
    let mut scene = ready("drain", Unusual::default()).await;
    let mut idle = TcpStream::connect(scene.address)
        .await
        .expect("there is room");
    let mut kept = TcpStream::connect(scene.address)
        .await
        .expect("there is room");
    kept.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("it is open");
    let mut first = [0; 15];
    kept.read_exact(&mut first).await.expect("an answer");
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    let began = Instant::now();
    scene.shut_down();
    closed(&mut kept).await;
    closed(&mut idle).await;
    let address = scene.address;
    scene.end().await.expect("asked to end");
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "nobody had to be waited for: {:?}",
        began.elapsed()
    );
    assert!(
        TcpStream::connect(address).await.is_err(),
        "the port is free again"
    );
}
