//! End-to-end tests: the real binaries, scripts and servers. One test binary, one module for each
//! subject.

#[cfg(unix)]
mod autogenerate;
mod backups;
#[cfg(unix)]
mod bad_moments;
mod calls;
mod catalogue;
#[cfg(unix)]
mod deploy;
#[cfg(target_os = "linux")]
mod documentation;
mod environment;
#[cfg(unix)]
mod faults;
mod first_steps;
mod harness;
mod json_forms;
#[cfg(unix)]
mod migrate_script;
mod offline_sql;
#[cfg(target_os = "linux")]
mod pages;
#[cfg(unix)]
mod project;
mod races;
mod read_only;
#[cfg(unix)]
mod refusals;
mod schema_cases;
#[cfg(unix)]
mod servers;
mod several_databases;
mod upgrade_options;
#[cfg(unix)]
mod xtask;
