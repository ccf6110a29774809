//! Asking a running server how it is, for images without a shell and without curl.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use super::arguments::{Arguments, HealthcheckArguments};
use super::{exit_code, tell};

/// More of an answer than this is not read.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// Asks, says on standard output what came back, and returns the exit code.
pub(super) fn run(arguments: &Arguments, check: &HealthcheckArguments) -> u8 {
    if !check.path.starts_with('/')
        || check
            .path
            .contains(|c: char| c.is_whitespace() || c.is_control())
    {
        tell("error: --path must begin with / and have no spaces");
        return exit_code::USAGE;
    }
    match ask(&arguments.listen, &check.path, check.timeout) {
        Ok((status, body)) => {
            drop(writeln!(io::stdout(), "{status} {body}"));
            if status == 200 {
                exit_code::DONE
            } else {
                exit_code::FAILED
            }
        }
        Err(error) => {
            tell(&format!(
                "error: {} does not answer: {error}",
                arguments.listen
            ));
            exit_code::FAILED
        }
    }
}

/// The status and the body of the answer.
fn ask(address: &str, path: &str, allowed: Duration) -> io::Result<(u16, String)> {
    let deadline = Instant::now() + allowed;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "it has no address");
    for address in address.to_socket_addrs()? {
        match ask_at(reachable(address), path, deadline) {
            Ok(answer) => return Ok(answer),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn ask_at(address: SocketAddr, path: &str, deadline: Instant) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, left(deadline)?)?;
    stream.set_write_timeout(Some(left(deadline)?))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    let mut rest = stream.try_clone()?.take(LONGEST_ANSWER);
    loop {
        stream.set_read_timeout(Some(left(deadline)?))?;
        match rest.read(&mut buffer)? {
            0 => break,
            count => answer.extend_from_slice(&buffer[..count]),
        }
    }
    parse(&answer)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP"))
}

fn left(deadline: Instant) -> io::Result<Duration> {
    match deadline.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
        left => Ok(left),
    }
}

/// What listens everywhere is asked on this machine.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

fn parse(answer: &[u8]) -> Option<(u16, String)> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some((status, body.trim_end().to_owned()))
}

#[cfg(test)]
mod tests {
    //! A container's health check neither hangs nor mistakes anything for health.

    use std::net::TcpListener;
    use std::thread;

    use super::*;

    const SOON: Duration = Duration::from_millis(300);

    /// A server that gives this answer, or none and keeps the connection.
    fn server(answer: Option<&'static str>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound").to_string();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                match answer {
                    Some(answer) => {
                        let mut request = Vec::new();
                        while !request.ends_with(b"\r\n\r\n") {
                            let mut byte = [0];
                            stream.read_exact(&mut byte).expect("a request");
                            request.extend_from_slice(&byte);
                        }
                        drop(stream.write_all(answer.as_bytes()));
                    }
                    None => thread::sleep(Duration::from_secs(5)),
                }
            }
        });
        address
    }

    #[test]
    fn the_status_and_the_body_of_the_answer_are_told() {
        let address = server(Some(
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\n{}",
        ));
        assert_eq!(
            ask(&address, "/health", Duration::from_secs(5)).expect("an answer"),
            (503, "{}".to_owned())
        );
    }

    #[test]
    fn a_server_that_hangs_or_talks_nonsense_is_not_healthy() {
        let began = Instant::now();
        assert!(ask(&server(None), "/", SOON).is_err());
        assert!(began.elapsed() < Duration::from_secs(4));
        for nonsense in ["", "SSH-2.0\r\n\r\n", "HTTP/1.1 2xx\r\n\r\n"] {
            assert!(
                ask(&server(Some(nonsense)), "/", Duration::from_secs(5)).is_err(),
                "{nonsense:?}"
            );
        }
        assert!(ask("127.0.0.1:1", "/", SOON).is_err());
        assert!(ask("nowhere", "/", SOON).is_err());
    }

    #[test]
    fn what_listens_everywhere_is_asked_on_this_machine() {
        let at = |address: &str| reachable(address.parse().expect("an address")).to_string();
        assert_eq!(at("0.0.0.0:8000"), "127.0.0.1:8000");
        assert_eq!(at("[::]:8000"), "[::1]:8000");
        assert_eq!(at("10.1.2.3:80"), "10.1.2.3:80");
    }
}
