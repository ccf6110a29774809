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
    BUILT
        .binaries
        .get(name)
        .unwrap_or_else(|| panic!("the workspace has no binary named {name}"))
}

/// The path of a library that the binaries of this workspace are made of, for the compiler.
///
/// # Panics
/// There is no such library, or it does not compile.
pub(crate) fn library(name: &str) -> &'static Path {
    BUILT
        .libraries
        .get(name)
        .unwrap_or_else(|| panic!("no binary is made of a library named {name}"))
}

/// What cargo has built, by name.
#[derive(Default)]
struct Built {
    binaries: BTreeMap<String, PathBuf>,
    libraries: BTreeMap<String, PathBuf>,
}

static BUILT: LazyLock<Built> = LazyLock::new(build);

fn build() -> Built {
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
    let mut built = Built::default();
    for message in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(message) = serde_json::from_str::<Value>(message) else {
            continue;
        };
        built.binaries.extend(executable(&message));
        built.libraries.extend(rlib(&message));
    }
    built
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
fn executable(message: &Value) -> Option<(String, PathBuf)> {
    let name = message.pointer("/target/name")?.as_str()?;
    let path = message.get("executable")?.as_str()?;
    Some((name.to_owned(), PathBuf::from(path)))
}

/// The name, as code writes it, and path in cargo's message about a library.
fn rlib(message: &Value) -> Option<(String, PathBuf)> {
    let name = message.pointer("/target/name")?.as_str()?;
    let files = message.get("filenames")?.as_array()?;
    let path = files
        .iter()
        .filter_map(Value::as_str)
        .map(PathBuf::from)
        .find(|path| {
            path.extension()
                .is_some_and(|extension| extension == "rlib")
        })?;
    Some((name.replace('-', "_"), path))
}
