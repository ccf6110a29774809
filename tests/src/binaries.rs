use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;

use serde_json::Value;
use stairway_test_servers::cargo;

/// The path of a binary of this workspace, built from the sources as they are now.
///
/// `cargo test` builds the binary of another package only by chance, and does not say where it is.
/// So cargo is asked once in each test process, in the one form that chooses the same features as
/// `cargo test --workspace`: what it has built already is not built again (measured: 0.3 s).
///
/// # Panics
/// There is no such binary, or it does not compile.
pub(crate) fn binary(name: &str) -> &'static Path {
    static BINARIES: LazyLock<BTreeMap<String, PathBuf>> = LazyLock::new(build);
    BINARIES
        .get(name)
        .unwrap_or_else(|| panic!("the workspace has no binary named {name}"))
}

fn build() -> BTreeMap<String, PathBuf> {
    let output = cargo::command()
        .args([
            "build",
            "--quiet",
            "--workspace",
            "--bins",
            "--message-format=json-render-diagnostics",
        ])
        .args(profile())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo can be run");
    assert!(output.status.success(), "the binaries do not compile");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(executable)
        .collect()
}

/// The profile that this test was compiled in, as arguments: it names the directory above `deps`.
fn profile() -> Vec<String> {
    let test = env::current_exe().unwrap_or_default();
    let directory = test
        .ancestors()
        .nth(2)
        .and_then(Path::file_name)
        .and_then(|name| name.to_str());
    match directory {
        None | Some("debug") => Vec::new(),
        Some(profile) => vec!["--profile".to_owned(), profile.to_owned()],
    }
}

/// The name and path in cargo's message about a binary.
fn executable(message: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(message).ok()?;
    let name = message.pointer("/target/name")?.as_str()?;
    let path = message.get("executable")?.as_str()?;
    Some((name.to_owned(), PathBuf::from(path)))
}
