//! `build-components`: builds every committed component from its source, and writes it or compares it.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use runner_sdk_build::{BuildError, Built, Options, Places, Source, TARGET, Toolchain, build, find};

use crate::guests::{self, Group};
use crate::lock::{Lock, Made};
use crate::place;

/// What a component may import: the interfaces of the contract, and nothing of WASI.
const CONTRACT: &str = "runner:plugin/";

pub(crate) fn run(check: bool, only: Option<&str>) -> Result<()> {
    let toolchain = find(&Places::from_environment(place::variable)).map_err(with_hint)?;
    let rustc = toolchain.version().map_err(with_hint)?;
    println!("{rustc}");
    let mut differences = 0;
    for group in guests::all(&place::root())? {
        differences += run_group(&toolchain, &rustc, &group, check, only)?;
    }
    ensure!(differences == 0, "{differences} components differ from their source: run `cargo xtask build-components`");
    Ok(())
}

/// Builds one directory of components; counts those that differ.
fn run_group(toolchain: &Toolchain, rustc: &str, group: &Group, check: bool, only: Option<&str>) -> Result<usize> {
    let mut lock = Lock::read(&group.components)?;
    let mut differences = 0;
    let wanted = |source: &&Source| only.is_none_or(|text| source.component.contains(text));
    for source in group.sources.iter().filter(wanted) {
        let options = Options { target_dir: Some(place::components_dir()), locked: check, verbose: false };
        let built = build(toolchain, source, &options).map_err(with_hint)?;
        let foreign = built.imports.iter().find(|import| !import.starts_with(CONTRACT));
        if let Some(foreign) = foreign.filter(|_| group.contract_only) {
            bail!("{} imports {foreign}, which is not part of the contract", source.component);
        }
        let made = Made { sha256: built.sha256(), rustc: rustc.to_owned(), target: TARGET.to_owned() };
        let path = group.components.join(format!("{}.wasm", source.component));
        let size = built.wasm.len().div_ceil(1024);
        let verdict = if check {
            let verdict = compare(&path, &built, &made, lock.0.get(&source.component))?;
            differences += usize::from(verdict.is_err());
            verdict.unwrap_or_else(|difference| difference)
        } else {
            std::fs::create_dir_all(&group.components)?;
            std::fs::write(&path, &built.wasm).with_context(|| path.display().to_string())?;
            lock.0.insert(source.component.clone(), made);
            "written"
        };
        println!("{:<20} {size:>5} KiB  {verdict}", source.component);
    }
    if !check && only.is_none() {
        lock.0.retain(|name, _| group.sources.iter().any(|source| source.component == *name));
    }
    if !check {
        lock.write(&group.components)?;
    }
    Ok(differences)
}

/// Compares a committed component with what its source makes now: what is to be said of it, as an error if it differs.
fn compare(
    path: &Path,
    built: &Built,
    made: &Made,
    locked: Option<&Made>,
) -> Result<Result<&'static str, &'static str>> {
    let Some(locked) = locked else { return Ok(Err("DIFFERS: not in build.lock")) };
    if !path.is_file() {
        return Ok(Err("DIFFERS: not committed"));
    }
    let committed =
        Built { wasm: std::fs::read(path).with_context(|| path.display().to_string())?, imports: Vec::new() };
    if committed.sha256() != locked.sha256 {
        return Ok(Err("DIFFERS: the committed file is not the one in build.lock"));
    }
    Ok(match (built.sha256() == locked.sha256, made.rustc == locked.rustc) {
        (true, _) => Ok("the same"),
        (false, true) => Err("DIFFERS from what its source makes"),
        (false, false) => Ok("builds; made by another compiler, so the bytes are not compared"),
    })
}

/// The error with what can be done about it, and with what the compiler said.
fn with_hint(error: BuildError) -> anyhow::Error {
    let hint = error.hint();
    let output = if let BuildError::Compile { output, .. } = &error { Some(output.clone()) } else { None };
    let error = anyhow::Error::new(error);
    match hint.or(output) {
        Some(more) => anyhow::anyhow!("{error:#}\n{more}"),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(committed: &str, locked: Option<(&str, &str)>) -> Result<&'static str, &'static str> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.wasm");
        std::fs::write(&path, committed).unwrap();
        let of = |bytes: &str| Built { wasm: bytes.as_bytes().to_vec(), imports: Vec::new() };
        let made = |bytes: &str, rustc: &str| Made {
            sha256: of(bytes).sha256(),
            rustc: rustc.to_owned(),
            target: TARGET.to_owned(),
        };
        let locked = locked.map(|(bytes, rustc)| made(bytes, rustc));
        compare(&path, &of("new"), &made("new", "1.96"), locked.as_ref()).unwrap()
    }

    #[test]
    fn a_component_must_be_what_its_source_makes() {
        assert_eq!(verdict("new", Some(("new", "1.96"))), Ok("the same"));
        assert_eq!(verdict("old", Some(("old", "1.96"))), Err("DIFFERS from what its source makes"));
    }

    #[test]
    fn another_compiler_makes_other_bytes_and_is_forgiven() {
        assert!(verdict("old", Some(("old", "1.95"))).unwrap().starts_with("builds"));
    }

    #[test]
    fn a_file_that_nobody_recorded_is_a_difference_whoever_compiled() {
        assert!(verdict("new", None).is_err());
        assert!(verdict("tampered", Some(("old", "1.95"))).is_err());
    }
}
