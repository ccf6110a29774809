//! Where the programs of the database packages are.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// Directories that hold one directory per PostgreSQL major version: Debian's and Red Hat's.
/// Debian keeps the server's programs off `PATH`.
const POSTGRES_VERSIONS: &[(&str, &str)] = &[("/usr/lib/postgresql", ""), ("/usr", "pgsql-")];

/// Directories of servers' programs that an ordinary user's `PATH` lacks.
const SYSTEM_DIRECTORIES: &[&str] = &[
    "/usr/sbin",
    "/usr/local/sbin",
    "/sbin",
    "/opt/homebrew/bin",
    "/usr/local/bin",
];

/// The path of `program`, for instance `initdb` or `mariadbd`: of the newest PostgreSQL version
/// that is installed, else on `PATH`, else in one of the system's directories.
pub fn find(program: &str) -> Option<PathBuf> {
    let on_path = env::var_os("PATH").unwrap_or_default();
    postgres_directories()
        .into_iter()
        .chain(env::split_paths(&on_path))
        .chain(SYSTEM_DIRECTORIES.iter().map(PathBuf::from))
        .map(|directory| directory.join(format!("{program}{}", env::consts::EXE_SUFFIX)))
        .find(|path| is_executable(path))
}

/// The first of `programs` that is installed, where a program has had several names.
pub fn find_any(programs: &[&str]) -> Option<PathBuf> {
    programs.iter().find_map(|program| find(program))
}

/// The newest version first.
fn postgres_directories() -> Vec<PathBuf> {
    let mut versions = Vec::new();
    for (parent, prefix) in POSTGRES_VERSIONS {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let version = name
                .to_str()
                .and_then(|name| name.strip_prefix(prefix)?.parse::<u32>().ok());
            if let Some(version) = version {
                versions.push((version, entry.path().join("bin")));
            }
        }
    }
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions
        .into_iter()
        .map(|(_, directory)| directory)
        .collect()
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installed_program_is_found_and_an_unknown_one_is_not() {
        assert!(find("cargo").is_some());
        assert_eq!(find("no-such-program-anywhere"), None);
        assert_eq!(
            find_any(&["no-such-program-anywhere", "cargo"]),
            find("cargo")
        );
    }
}
