//! The server on real sockets and over real databases: how it starts, what it survives, how it ends.

#[cfg(unix)]
mod browser;
mod connections;
mod lifecycle;
#[cfg(unix)]
mod outage;
#[cfg(unix)]
mod program;
mod scene;
