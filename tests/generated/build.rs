//! Makes a module of every generated revision under `cases`, so that a new case needs no code.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    println!("cargo::rerun-if-changed={}", cases.display());
    let mut modules = String::new();
    let mut list = String::new();
    for case in sorted(&cases)? {
        let expected = case.join("expected");
        println!("cargo::rerun-if-changed={}", case.display());
        if !expected.is_dir() {
            continue;
        }
        for file in sorted(&expected)? {
            let (Some(case), Some(stem)) = (name(&case), name(&file)) else {
                continue;
            };
            if file.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            println!("cargo::rerun-if-changed={}", file.display());
            // Writing to a string can't fail.
            let _ = writeln!(
                modules,
                "#[allow(unreachable_pub, reason = \"a migration is public as in every project\")]\n#[path = {:?}]\nmod {case}_{stem};",
                file.display().to_string()
            );
            let _ = writeln!(
                list,
                "({case:?}, {stem:?}, Box::new({case}_{stem}::Migration)),"
            );
        }
    }
    let text = format!(
        "{modules}\n\
         /// Every generated revision: case, database, migration.\n\
         pub fn all() -> Vec<(&'static str, &'static str, Box<dyn sea_orm_migration::MigrationTrait>)> {{\n\
         vec![{list}]\n}}\n"
    );
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo names no OUT_DIR"))?;
    fs::write(PathBuf::from(out).join("cases.rs"), text)
}

fn sorted(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> Option<&str> {
    path.file_stem()?.to_str()
}
