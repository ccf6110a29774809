//! Counting what a process sends to a server, through a proxy that reads the protocol's framing.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use stairway_test_servers::ServerUrl;

use crate::process::command;
use crate::world::{Kind, Outcome};

/// Runs a child through a counting proxy. Returns `statements / requests`, over all its connections.
pub(crate) fn of_child(kind: Kind, who: &str, url: &str, revisions: usize) -> Outcome<String> {
    let server = ServerUrl::parse(url)?;
    let upstream = format!("{}:{}", server.host(), server.port().unwrap_or(0));
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let through = server.with_port(listener.local_addr()?.port()).reveal();
    let (counted, counts) = mpsc::channel();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (upstream, counted) = (upstream.clone(), counted.clone());
            thread::spawn(move || {
                // Nobody listens any more once the child has ended.
                let _ = counted.send(forward(kind, client, &upstream));
            });
        }
    });
    // Without TLS: what is counted must be readable.
    let separator = if through.contains('?') { '&' } else { '?' };
    let off = match kind {
        Kind::Postgres => "sslmode=disable",
        Kind::MariaDb | Kind::Sqlite => "ssl-mode=disabled",
    };
    let status = command(who, &format!("{through}{separator}{off}"), revisions)?.status()?;
    if !status.success() {
        return Err(format!("{who} through the proxy ended with {status}").into());
    }
    let (mut statements, mut requests) = (0, 0);
    while let Ok(count) = counts.recv_timeout(std::time::Duration::from_millis(500)) {
        statements += count.0;
        requests += count.1;
    }
    Ok(format!("{statements} / {requests}"))
}

/// Passes bytes both ways; counts the client's messages.
fn forward(kind: Kind, mut client: TcpStream, upstream: &str) -> (u32, u32) {
    let Ok(mut server) = TcpStream::connect(upstream) else {
        return (0, 0);
    };
    drop(client.set_nodelay(true));
    drop(server.set_nodelay(true));
    let (Ok(mut back_from), Ok(mut back_to)) = (server.try_clone(), client.try_clone()) else {
        return (0, 0);
    };
    thread::spawn(move || std::io::copy(&mut back_from, &mut back_to));
    let mut sent = Vec::new();
    let mut buffer = [0_u8; 16 * 1024];
    while let Ok(read) = client.read(&mut buffer) {
        if read == 0 || server.write_all(&buffer[..read]).is_err() {
            break;
        }
        sent.extend_from_slice(&buffer[..read]);
    }
    match kind {
        Kind::MariaDb => count_mysql(&sent),
        Kind::Postgres | Kind::Sqlite => count_postgres(&sent),
    }
}

/// PostgreSQL's frontend messages (manual, chapter "Frontend/Backend Protocol"): a start-up message
/// without a type, then type, length, content. Password messages belong to the start.
fn count_postgres(sent: &[u8]) -> (u32, u32) {
    let length = |at: usize| -> Option<usize> {
        Some(u32::from_be_bytes(sent.get(at..at + 4)?.try_into().ok()?) as usize)
    };
    let (mut statements, mut requests) = (0, 0);
    let mut at = length(0).unwrap_or(sent.len());
    while let (Some(kind), Some(size)) = (sent.get(at), length(at + 1)) {
        match kind {
            b'p' | b'X' => {}
            b'Q' | b'E' => {
                let text = sent.get(at + 5..at + size).unwrap_or_default();
                let several = if *kind == b'Q' {
                    text.split(|byte| *byte == b';')
                        .filter(|part| part.len() > 1)
                        .count()
                } else {
                    1
                };
                statements += u32::try_from(several).unwrap_or(u32::MAX);
                requests += 1;
            }
            _ => requests += 1,
        }
        at += 1 + size;
    }
    (statements, requests)
}

/// MySQL's packets: three bytes of length, a sequence number, and the command in the first byte of
/// each packet numbered 0. The packets of the handshake have other numbers.
fn count_mysql(sent: &[u8]) -> (u32, u32) {
    let (mut statements, mut requests, mut at) = (0, 0, 0);
    while let Some(header) = sent.get(at..at + 4) {
        let size =
            usize::from(header[0]) | usize::from(header[1]) << 8 | usize::from(header[2]) << 16;
        let command = sent.get(at + 4).copied().unwrap_or_default();
        if header[3] == 0 && command != 0x01 {
            requests += 1;
            // COM_QUERY and COM_STMT_EXECUTE
            if command == 0x03 || command == 0x17 {
                statements += 1;
            }
        }
        at += 4 + size;
    }
    (statements, requests)
}
