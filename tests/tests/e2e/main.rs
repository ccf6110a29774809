//! End-to-end tests: the real binaries, scripts and servers. One test binary, one module for each
//! subject.

#[cfg(unix)]
mod deploy;
mod first_steps;
mod harness;
#[cfg(unix)]
mod migrate_script;
#[cfg(unix)]
mod servers;
#[cfg(unix)]
mod xtask;
