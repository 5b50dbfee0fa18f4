//! `readme`: runs every command of the README, of the examples and of the packs, as a newcomer would: in order, in a fresh
//! copy of the repository, with what the commands print shown. `runner` is what the release profile builds.
//!
//! A command is a line of a block fenced as `sh` (a line that ends in `\` goes on). `sh exit=1` says how the commands of
//! a block end; `sh background` that its command serves until it is stopped, which is when the file's last command has ended.
//! A block fenced as `yaml FILE` shows that file: it has to be the same.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use runner_sdk_build::{Places, find};

use crate::place;

/// A command and what is expected of it.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    line: usize,
    text: String,
    exit: i32,
    background: bool,
}

pub(crate) fn run(all: bool) -> Result<()> {
    let copy = tempfile::tempdir()?;
    copy_repository(copy.path())?;
    for file in files(copy.path())? {
        let text = fs::read_to_string(copy.path().join(&file))?;
        compare(&text, copy.path()).with_context(|| file.display().to_string())?;
        let steps = steps(&text)?;
        ensure!(!steps.is_empty() || file.starts_with("packs"), "{} has no command", file.display());
        let mut serving = Serving(Vec::new());
        for step in steps {
            if let Some(why) = skipped(&step, all) {
                println!("--- {}:{}: {}\n    not run: {why}", file.display(), step.line, step.text);
                continue;
            }
            println!("--- {}:{}: {}", file.display(), step.line, step.text);
            perform(&step, copy.path(), &mut serving).with_context(|| format!("{}:{}", file.display(), step.line))?;
        }
    }
    Ok(())
}

/// The README, and that of each example and pack.
fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = vec![PathBuf::from("README.md")];
    for directory in ["examples", "packs"] {
        let below =
            |entry: std::io::Result<fs::DirEntry>| Ok(Path::new(directory).join(entry?.file_name()).join("README.md"));
        let mut inside: Vec<_> = fs::read_dir(root.join(directory))?.map(below).collect::<Result<_>>()?;
        inside.sort();
        files.extend(inside);
    }
    Ok(files)
}

/// What is not run, and why.
fn skipped(step: &Step, all: bool) -> Option<&'static str> {
    if step.text.starts_with("cargo test --workspace") && !all {
        return Some("the tests are a step of their own");
    }
    let has_target = || find(&Places::from_environment(place::variable)).is_ok();
    if step.text.starts_with("rustup target add") && has_target() {
        return Some("a compiler for WebAssembly is there");
    }
    None
}

/// Compares what is shown of files with the files.
fn compare(text: &str, root: &Path) -> Result<()> {
    let mut rest = text;
    while let Some((_, shown)) = rest.split_once("\n```yaml ") {
        let (file, block) = shown.split_once('\n').context("a block that does not begin")?;
        let (block, after) = block.split_once("```").context("a block that does not end")?;
        let written = fs::read_to_string(root.join(file)).with_context(|| file.to_owned())?;
        ensure!(block.trim_end() == written.trim_end(), "what is shown of {file} is not what it holds");
        rest = after;
    }
    Ok(())
}

fn steps(text: &str) -> Result<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    let mut block: Option<(i32, bool)> = None;
    let mut continues = false;
    for (number, line) in text.lines().enumerate() {
        let Some((exit, background)) = block else {
            if let Some(info) = line.strip_prefix("```sh") {
                let exit = info.split_whitespace().find_map(|word| word.strip_prefix("exit="));
                block = Some((exit.map_or(Ok(0), str::parse)?, info.contains("background")));
            }
            continue;
        };
        if line == "```" {
            block = None;
            continues = false;
        } else if continues {
            let Some(last) = steps.last_mut() else { bail!("line {}: nothing to continue", number + 1) };
            last.text.push_str(line.trim().trim_end_matches('\\'));
            continues = line.ends_with('\\');
        } else if !line.trim().is_empty() {
            let text = line.trim_end_matches('\\').to_owned();
            steps.push(Step { line: number + 1, text, exit, background });
            continues = line.ends_with('\\');
        }
    }
    Ok(steps)
}

fn perform(step: &Step, directory: &Path, serving: &mut Serving) -> Result<()> {
    let mut command = Command::new("bash");
    let found = place::variable("PATH").unwrap_or_default();
    let target_dir = place::target_dir();
    let built = std::iter::once(target_dir.join("release"));
    let path = std::env::join_paths(built.chain(std::env::split_paths(&found)))?;
    command.args(["-c", &step.text]).current_dir(directory).stdin(Stdio::null());
    forget_cargo(&mut command);
    // The copy shares what cargo has built.
    command.env("CARGO_TARGET_DIR", target_dir).env("PATH", path);
    if step.background {
        return serving.start(command);
    }
    let status = command.status()?;
    ensure!(status.code() == Some(step.exit), "ended with {status}, not with {}", step.exit);
    Ok(())
}

/// Takes away what cargo tells the programs that it runs: there are build scripts that would run again for it.
fn forget_cargo(command: &mut Command) {
    let told = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for name in place::variables().filter(|name| told(name)) {
        command.env_remove(name);
    }
}

/// Commands that serve until they are stopped.
struct Serving(Vec<Child>);

impl Serving {
    /// Starts one, and waits until it has said something.
    fn start(&mut self, mut command: Command) -> Result<()> {
        // A group of its own, so that what it starts ends with it.
        let mut child = command.stdout(Stdio::piped()).process_group(0).spawn()?;
        let output = child.stdout.take().context("its output")?;
        self.0.push(child);
        let mut output = BufReader::new(output);
        let mut line = String::new();
        ensure!(output.read_line(&mut line)? > 0, "it ended without a word");
        print!("{line}");
        std::thread::spawn(move || output.lines().map_while(Result::ok).for_each(|line| println!("{line}")));
        Ok(())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let group = format!("-{}", child.id());
            let _ = Command::new("kill").args(["-TERM", "--", &group]).status();
            let _ = child.wait();
        }
    }
}

/// Copies what git knows or would know, so that a change can be tried before it is committed.
fn copy_repository(to: &Path) -> Result<()> {
    let root = place::root();
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(&root)
        .output()
        .context("git ls-files")?;
    ensure!(listed.status.success(), "git ls-files failed");
    for name in String::from_utf8(listed.stdout)?.split_terminator('\0') {
        let (from, to) = (root.join(name), to.join(name));
        // Files that are deleted and not yet committed are listed too.
        if from.is_file() {
            fs::create_dir_all(to.parent().context(name.to_owned())?)?;
            copy_file(&from, &to).with_context(|| name.to_owned())?;
        }
    }
    Ok(())
}

/// Copies a file with the time of its last change: what was built from it is not built again from its copy.
fn copy_file(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::copy(from, to)?;
    File::options().write(true).open(to)?.set_modified(fs::metadata(from)?.modified()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_file_is_what_it_holds() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a.yaml"), "a: 1\n").unwrap();
        let shown = |block: &str| format!("text\n```yaml a.yaml\n{block}\n```\nmore\n```yaml\nno: file\n```\n");
        assert!(compare(&shown("a: 1"), root.path()).is_ok());
        assert!(compare(&shown("a: 2"), root.path()).is_err());
        assert!(compare(&shown("a: 1").replace("a.yaml", "b.yaml"), root.path()).is_err());
    }

    #[test]
    fn commands_are_the_lines_of_sh_blocks() {
        let text = "a\n```sh\none\ntwo \\\n  more\n```\n```text\nno\n```\n```sh exit=1\nfails\n```\n```sh background\nserve\n```\n";
        let step = |line, text: &str, exit, background| Step { line, text: text.to_owned(), exit, background };
        assert_eq!(
            steps(text).unwrap(),
            [
                step(3, "one", 0, false),
                step(4, "two more", 0, false),
                step(11, "fails", 1, false),
                step(14, "serve", 0, true)
            ]
        );
    }
}
