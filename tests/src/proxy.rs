use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use stairway_test_servers::{Backend, ServerUrl};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

/// A proxy in front of a database server that does to its clients what networks do: it cuts
/// connections within and between messages, loses answers, goes silent, and sends reads elsewhere.
///
/// It understands where a client's messages begin and end, and nothing else.
pub struct Proxy {
    url: ServerUrl,
    shared: Arc<Shared>,
    /// Stops all that runs in it when dropped.
    _runtime: Runtime,
}

/// One whole message of a client.
#[derive(Debug)]
pub struct Message<'a> {
    /// Which connection through the proxy it came on, from 0.
    pub connection: usize,
    /// Which message of all connections it is, from 0.
    pub number: usize,
    /// The statement in it, or whatever text there is.
    pub text: &'a str,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It reaches the server.
    Pass,
    /// It reaches the other server, where there is one.
    PassToOther,
    /// The connection is cut before it reaches the server.
    Cut,
    /// The connection is cut when half of it has reached the server.
    CutHalfway,
    /// It reaches the server, and the connection is cut when the answer begins to come.
    CutAtAnswer,
    /// It reaches the server, and no byte of the answer reaches the client: until [`Proxy::cut`].
    LoseAnswer,
    /// It reaches nobody, and nothing that follows does, in either direction; the connection stays.
    Silence,
}

type Judge = Box<dyn FnMut(&Message<'_>) -> Verdict + Send>;

struct Shared {
    backend: Backend,
    server: SocketAddr,
    /// Where [`Verdict::PassToOther`] leads.
    other: Option<SocketAddr>,
    judge: Mutex<Judge>,
    connections: AtomicUsize,
    messages: AtomicUsize,
    /// Counts [`Proxy::cut`]s: those who see it change end.
    cuts: watch::Sender<u64>,
    silent: watch::Sender<bool>,
}

impl Proxy {
    /// A proxy in front of the server of this URL. Everything passes until [`Proxy::judge`].
    ///
    /// # Panics
    /// No port is free.
    pub fn start(backend: Backend, url: &str) -> Self {
        Self::in_front_of(backend, url, None)
    }

    /// As [`Proxy::start`], with another server that speaks the same protocol, lets the same user in
    /// without a password and has a database of the same name.
    ///
    /// # Panics
    /// No port is free.
    pub fn in_front_of(backend: Backend, url: &str, other: Option<&ServerUrl>) -> Self {
        let url = ServerUrl::parse(url).expect("the harness makes good URLs");
        let address = |url: &ServerUrl| {
            let port = url.port().expect("test servers have ports");
            SocketAddr::from(([127, 0, 0, 1], port))
        };
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime can be built");
        let shared = Arc::new(Shared {
            backend,
            server: address(&url),
            other: other.map(address),
            judge: Mutex::new(Box::new(|_| Verdict::Pass)),
            connections: AtomicUsize::new(0),
            messages: AtomicUsize::new(0),
            cuts: watch::Sender::new(0),
            silent: watch::Sender::new(false),
        });
        let listener = runtime
            .block_on(TcpListener::bind(("127.0.0.1", 0)))
            .expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let accepting = Arc::clone(&shared);
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(Arc::clone(&accepting), client));
            }
        });
        Self {
            url: url.with_port(port),
            shared,
            _runtime: runtime,
        }
    }

    /// The database's URL through the proxy.
    pub fn url(&self) -> String {
        self.url.reveal()
    }

    /// From now on this decides what becomes of each message.
    pub fn judge(&self, judge: impl FnMut(&Message<'_>) -> Verdict + Send + 'static) {
        *self.lock_judge() = Box::new(judge);
    }

    /// From now on everything passes.
    pub fn pass(&self) {
        self.judge(|_| Verdict::Pass);
    }

    /// Cuts every connection that is open now.
    pub fn cut(&self) {
        self.shared.cuts.send_modify(|count| *count += 1);
    }

    /// Nothing is forwarded any more, in either direction, on old connections and on new ones, which
    /// are accepted; or, with `false`, everything that has been waiting is.
    pub fn silence(&self, silent: bool) {
        self.shared.silent.send_replace(silent);
    }

    /// How many messages of clients have come so far.
    pub fn messages(&self) -> usize {
        self.shared.messages.load(Ordering::SeqCst)
    }

    fn lock_judge(&self) -> std::sync::MutexGuard<'_, Judge> {
        self.shared
            .judge
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Proxy")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// What has become of a connection's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answers {
    Pass,
    Lost,
    /// The next one cuts the connection.
    Cut,
}

/// Serves one connection until one side ends it or it is cut.
async fn serve(shared: Arc<Shared>, client: TcpStream) {
    let mut cuts = shared.cuts.subscribe();
    cuts.mark_unchanged();
    tokio::select! {
        // Both sides are closed with this task.
        result = forward(&shared, client) => drop(result),
        _ = cuts.changed() => {}
    }
}

async fn forward(shared: &Arc<Shared>, client: TcpStream) -> io::Result<()> {
    let connection = shared.connections.fetch_add(1, Ordering::SeqCst);
    wait_while_silent(shared).await;
    let server = TcpStream::connect(shared.server).await?;
    let other = match shared.other {
        Some(address) => Some(TcpStream::connect(address).await?),
        None => None,
    };
    for stream in [Some(&client), Some(&server), other.as_ref()]
        .into_iter()
        .flatten()
    {
        stream.set_nodelay(true)?;
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (from_other, to_other) = other.map(TcpStream::into_split).unzip();
    let answers = watch::Sender::new(Answers::Pass);
    let to_client = Arc::new(tokio::sync::Mutex::new(to_client));
    let is_logged_in = watch::Sender::new(false);
    tokio::select! {
        result = requests(shared, connection, from_client, &to_client, to_server, to_other, &answers, &is_logged_in) => result,
        result = pump(shared, from_server, &to_client, &answers) => result,
        result = pump_other(shared, from_other, &to_client, &is_logged_in) => result,
    }
}

async fn wait_while_silent(shared: &Shared) {
    // The sender lives as long as the proxy.
    drop(shared.silent.subscribe().wait_for(|silent| !silent).await);
}

/// Answers of the server.
async fn pump(
    shared: &Shared,
    mut from: OwnedReadHalf,
    to: &tokio::sync::Mutex<OwnedWriteHalf>,
    answers: &watch::Sender<Answers>,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        wait_while_silent(shared).await;
        let fate = *answers.borrow();
        match fate {
            Answers::Pass => to.lock().await.write_all(&buffer[..length]).await?,
            Answers::Lost => {}
            Answers::Cut => return Ok(()),
        }
    }
}

/// Answers of the other server, once its part of the login, which the client must not see, is over.
async fn pump_other(
    shared: &Shared,
    from: Option<OwnedReadHalf>,
    to: &tokio::sync::Mutex<OwnedWriteHalf>,
    is_logged_in: &watch::Sender<bool>,
) -> io::Result<()> {
    let Some(mut from) = from else {
        return std::future::pending().await;
    };
    let mut framing = Framing::answers(shared.backend);
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        if *is_logged_in.borrow() {
            to.lock().await.write_all(&buffer[..length]).await?;
            continue;
        }
        framing.add(&buffer[..length]);
        while let Some(frame) = framing.next() {
            let is_last = match shared.backend {
                // ReadyForQuery.
                Backend::Postgres => frame.first() == Some(&b'Z'),
                // OK.
                Backend::MySql | Backend::Sqlite => frame.get(4) == Some(&0),
            };
            if is_last {
                is_logged_in.send_replace(true);
            }
        }
    }
}

/// Messages of the client.
#[expect(
    clippy::too_many_arguments,
    reason = "each is one end of the connection"
)]
async fn requests(
    shared: &Shared,
    connection: usize,
    mut from: OwnedReadHalf,
    to_client: &tokio::sync::Mutex<OwnedWriteHalf>,
    mut to_server: OwnedWriteHalf,
    mut to_other: Option<OwnedWriteHalf>,
    answers: &watch::Sender<Answers>,
    is_logged_in: &watch::Sender<bool>,
) -> io::Result<()> {
    let mut framing = Framing::requests(shared.backend);
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        framing.add(&buffer[..length]);
        while let Some(frame) = framing.next() {
            wait_while_silent(shared).await;
            if framing.asks_for_encryption(&frame) {
                // What is encrypted could not be read here.
                to_client.lock().await.write_all(b"N").await?;
                continue;
            }
            let text = String::from_utf8_lossy(&frame);
            let message = Message {
                connection,
                number: shared.messages.fetch_add(1, Ordering::SeqCst),
                text: &text,
            };
            let verdict = (shared.judge.lock().unwrap_or_else(PoisonError::into_inner))(&message);
            match verdict {
                Verdict::Pass => {}
                Verdict::PassToOther => {
                    if let Some(other) = &mut to_other {
                        other.write_all(&frame).await?;
                        continue;
                    }
                }
                Verdict::Cut => return Ok(()),
                Verdict::CutHalfway => {
                    to_server.write_all(&frame[..frame.len() / 2]).await?;
                    return Ok(());
                }
                Verdict::CutAtAnswer => drop(answers.send_replace(Answers::Cut)),
                Verdict::LoseAnswer => drop(answers.send_replace(Answers::Lost)),
                Verdict::Silence => {
                    answers.send_replace(Answers::Lost);
                    return std::future::pending().await;
                }
            }
            to_server.write_all(&frame).await?;
            if let Some(other) = &mut to_other
                && !*is_logged_in.borrow()
            {
                other.write_all(&frame).await?;
                // What follows may be meant for it.
                drop(is_logged_in.subscribe().wait_for(|is| *is).await);
            }
        }
    }
}

/// Cuts a stream of bytes into the protocol's messages.
struct Framing {
    backend: Backend,
    /// PostgreSQL's first messages have no type.
    has_types: bool,
    bytes: VecDeque<u8>,
}

impl Framing {
    fn requests(backend: Backend) -> Self {
        Self {
            backend,
            has_types: false,
            bytes: VecDeque::new(),
        }
    }

    fn answers(backend: Backend) -> Self {
        Self {
            has_types: true,
            ..Self::requests(backend)
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    fn next(&mut self) -> Option<Vec<u8>> {
        let byte = |at: usize| self.bytes.get(at).map(|byte| usize::from(*byte));
        let length = match self.backend {
            Backend::Postgres => {
                let first = usize::from(self.has_types);
                let number = (first..first + 4)
                    .try_fold(0_usize, |number, at| Some((number << 8) | byte(at)?))?;
                first + number
            }
            Backend::MySql | Backend::Sqlite => 4 + (byte(0)? | (byte(1)? << 8) | (byte(2)? << 16)),
        };
        if self.bytes.len() < length {
            return None;
        }
        let frame: Vec<u8> = self.bytes.drain(..length).collect();
        // The request for encryption comes before the login.
        if self.backend == Backend::Postgres && !self.has_types && length != 8 {
            self.has_types = true;
        }
        Some(frame)
    }

    /// PostgreSQL: whether the client asks for encryption, before it logs in.
    fn asks_for_encryption(&self, frame: &[u8]) -> bool {
        self.backend == Backend::Postgres && !self.has_types && frame.len() == 8
    }
}
