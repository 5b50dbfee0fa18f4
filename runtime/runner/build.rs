//! Gathers the files that `runner pack new` writes: the template of a pack, the SDK and the contract.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Where they are, relative to this crate, which is where cargo runs this, and below which path they are known in the binary.
const TEMPLATE: &str = "templates/rust";
const SDK: [(&str, &str); 5] = [
    ("../../sdk/rust/Cargo.toml", "sdk/rust/Cargo.toml"),
    ("../../sdk/rust/README.md", "sdk/rust/README.md"),
    ("../../sdk/rust/src", "sdk/rust/src"),
    ("../../sdk/rust/macros", "sdk/rust/macros"),
    ("../../wit/0.1.0", "wit/0.1.0"),
];

fn main() -> io::Result<()> {
    let mut code = String::new();
    write_list(&mut code, "TEMPLATE", "The template of a Rust pack.", &gather(Path::new(TEMPLATE), "")?)?;
    let mut sdk = Vec::new();
    for (from, to) in SDK {
        sdk.extend(gather(Path::new(from), to)?);
    }
    write_list(&mut code, "SDK", "The Rust SDK and the contract, in the layout of the repository.", &sdk)?;
    fs::write(Path::new(&variable("OUT_DIR")?).join("embedded.rs"), code)
}

#[allow(clippy::disallowed_methods, reason = "cargo tells a build script by its environment what it has to know")]
fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(io::Error::other)
}

/// The files below `path`, sorted, with the names they have in the binary.
fn gather(path: &Path, name: &str) -> io::Result<Vec<(String, PathBuf)>> {
    println!("cargo::rerun-if-changed={}", path.display());
    if path.is_file() {
        return Ok(vec![(name.to_owned(), path.to_owned())]);
    }
    let mut found = Vec::new();
    let mut entries = fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let own = entry.file_name().to_string_lossy().into_owned();
        if own == "target" || own == "Cargo.lock" {
            continue;
        }
        let below = if name.is_empty() { own } else { format!("{name}/{own}") };
        found.extend(gather(&entry.path(), &below)?);
    }
    Ok(found)
}

/// The texts themselves, not where they lie: what is built must not depend on the place of the checkout.
fn write_list(code: &mut String, constant: &str, doc: &str, files: &[(String, PathBuf)]) -> io::Result<()> {
    // Writing to a string cannot fail.
    let _ = writeln!(code, "/// {doc}\npub(crate) const {constant}: &[File] = &[");
    for (name, path) in files {
        let text = fs::read_to_string(path)?;
        let _ = writeln!(code, "    ({name:?}, {text:?}),");
    }
    let _ = writeln!(code, "];");
    Ok(())
}
