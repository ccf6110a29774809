//! A relay between a program and its server that counts what the program sends, and kills it at a
//! given message: before the server has it, when it is on its way, or when the answer is there and
//! the program does not have it yet.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use stairway_tests::servers::ServerUrl;
use stairway_tests::servers::process::{self, Signal};

/// When, around a message, the program dies.
#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    /// The server never gets it.
    Before,
    /// The server gets it, and the program dies while it works.
    OnTheWay,
    /// The server has answered, and the answer is lost.
    Answered,
}

/// What the threads share.
#[derive(Default)]
struct State {
    sent: AtomicU64,
    /// The program to kill, at which message.
    victim: Mutex<Option<(u32, u64, When)>>,
}

/// A running relay.
pub(super) struct Relay {
    url: String,
    state: Arc<State>,
}

impl Relay {
    /// In front of the server of this URL.
    pub(super) fn start(url: &str) -> Self {
        let server = ServerUrl::parse(url).expect("the URL of a test database");
        let default_port = if url.starts_with("postgres") {
            5432
        } else {
            3306
        };
        let address = (
            server.host().to_owned(),
            server.port().unwrap_or(default_port),
        );
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let relay = Self {
            url: server.with_port(port).reveal().replacen(
                &format!("@{}:", server.host()),
                "@127.0.0.1:",
                1,
            ),
            state: Arc::default(),
        };
        let state = Arc::clone(&relay.state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect((address.0.as_str(), address.1)) else {
                    continue;
                };
                pass_on(&client, &server, &state);
            }
        });
        relay
    }

    /// The URL that leads through it.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// How many messages have been sent through it.
    pub(super) fn sent(&self) -> u64 {
        self.state.sent.load(Ordering::SeqCst)
    }

    /// Kills the program when so many messages have been sent.
    pub(super) fn kill(&self, program: u32, at: u64, when: When) {
        *self
            .state
            .victim
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some((program, at, when));
    }
}

fn pass_on(client: &TcpStream, server: &TcpStream, state: &Arc<State>) {
    let answered = Arc::new(AtomicU64::new(0));
    let (Ok(mut from_client), Ok(mut to_server)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    let (Ok(mut from_server), Ok(mut to_client)) = (server.try_clone(), client.try_clone()) else {
        return;
    };
    // Answers are held back from here on.
    let silent = Arc::new(AtomicU64::new(0));
    {
        let (answered, silent) = (Arc::clone(&answered), Arc::clone(&silent));
        thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(read @ 1..) = from_server.read(&mut buffer) {
                answered.fetch_add(1, Ordering::SeqCst);
                if silent.load(Ordering::SeqCst) == 0
                    && to_client.write_all(&buffer[..read]).is_err()
                {
                    break;
                }
            }
            let _ = to_client.shutdown(Shutdown::Both);
        });
    }
    let state = Arc::clone(state);
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from_client.read(&mut buffer) {
            let number = state.sent.fetch_add(1, Ordering::SeqCst) + 1;
            let victim = *state.victim.lock().unwrap_or_else(PoisonError::into_inner);
            let Some((program, _, when)) = victim.filter(|(_, at, _)| *at == number) else {
                if to_server.write_all(&buffer[..read]).is_err() {
                    break;
                }
                continue;
            };
            let kill = || {
                let _ = process::send(Signal::Kill, &[program]);
            };
            match when {
                When::Before => kill(),
                When::OnTheWay => {
                    let _ = to_server.write_all(&buffer[..read]);
                    kill();
                }
                When::Answered => {
                    silent.store(1, Ordering::SeqCst);
                    let before = answered.load(Ordering::SeqCst);
                    let _ = to_server.write_all(&buffer[..read]);
                    // A farewell is not answered: the connection ends.
                    for _ in 0..2_000 {
                        if answered.load(Ordering::SeqCst) > before {
                            break;
                        }
                        thread::sleep(Duration::from_millis(1));
                    }
                    kill();
                }
            }
            break;
        }
        let _ = to_server.shutdown(Shutdown::Both);
    });
}
