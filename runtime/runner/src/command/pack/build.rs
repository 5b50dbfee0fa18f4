//! `runner pack build`: from source to components, and whether the metadata still says what they do.

mod drift;
mod lock;
mod metadata;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use runner_host::{Host, World};
use runner_model::code;
use runner_pack::Pack;
use runner_sdk_build::{BuildError, Built, Options, Places, Source, TARGET, Toolchain, build, find, sources};
use serde_json::{Map, Value, json};

use super::{check, directory};
use crate::app::App;
use crate::error::{CliError, Mistake};
use crate::exit::Exit;
use lock::{Lock, Made};

/// Build a pack's components from their Rust source
///
/// Writes `components/*.wasm` and `components/build.lock`, and compares the metadata in `actions/` with what the
/// components say of themselves. An action without metadata gets a file.
#[derive(Debug, Args)]
pub(crate) struct BuildCommand {
    /// The pack's ref, or its directory
    #[arg(value_name = "PACK")]
    pack: String,
    /// Write nothing; fail if something would change
    #[arg(long)]
    check: bool,
}

/// What is being built, and where.
struct Work<'a> {
    app: &'a App,
    directory: PathBuf,
    check: bool,
    /// What was done, for the end.
    done: Vec<String>,
    /// What differs.
    mistakes: Vec<Mistake>,
}

impl BuildCommand {
    /// Builds it.
    pub(crate) async fn run(&self, app: &App) -> Result<Exit, CliError> {
        let directory = directory(app, &self.pack)?;
        let mut work = Work { app, directory, check: self.check, done: Vec::new(), mistakes: Vec::new() };
        let built = work.compile()?;
        work.keep(&built)?;
        work.compare(&built).await?;
        work.finish(built.len())
    }
}

/// A component that was built, and by what.
struct Component {
    name: String,
    built: Built,
    made: Made,
}

impl Work<'_> {
    fn compile(&self) -> Result<Vec<Component>, CliError> {
        let sources = sources(&self.directory).map_err(|error| failed(&error))?;
        if sources.is_empty() {
            let message = format!("`{}` has no Rust source to build", self.directory.display());
            return Err(CliError::new(Exit::Invalid, code::PACK_BUILD, message)
                .hint("a `Cargo.toml` in the pack's directory makes its component; see `runner pack new`"));
        }
        let places = Places::from_environment(|name| self.app.environment.get(name));
        let toolchain = find(&places).map_err(|error| failed(&error))?;
        let rustc = toolchain.version().map_err(|error| failed(&error))?;
        sources.iter().map(|source| self.compile_one(&toolchain, &rustc, source)).collect()
    }

    fn compile_one(&self, toolchain: &Toolchain, rustc: &str, source: &Source) -> Result<Component, CliError> {
        let options = Options { target_dir: None, locked: self.check, verbose: !self.app.output.json };
        let built = build(toolchain, source, &options).map_err(|error| failed(&error))?;
        let made = Made { sha256: built.sha256(), rustc: rustc.to_owned(), target: TARGET.to_owned() };
        Ok(Component { name: source.component.clone(), built, made })
    }

    fn components(&self) -> PathBuf {
        self.directory.join("components")
    }

    /// Writes the components and their lock, or says that they differ.
    fn keep(&mut self, built: &[Component]) -> Result<(), CliError> {
        let components = self.components();
        let mut lock = Lock::read(&components)?;
        for Component { name, built, made } in built {
            let path = components.join(format!("{name}.wasm"));
            let same = std::fs::read(&path).is_ok_and(|old| old == built.wasm);
            if self.check {
                if !same {
                    self.differs(name, lock.0.get(name), made);
                }
                continue;
            }
            if !same {
                write(&path, &built.wasm)?;
            }
            let size = built.wasm.len().div_ceil(1024);
            let verb = if same { "unchanged" } else { "written" };
            self.done.push(format!("{verb} {} ({size} KiB)", path.display()));
            lock.0.insert(name.clone(), made.clone());
        }
        if !self.check {
            lock.write(&components)?;
        }
        Ok(())
    }

    fn differs(&mut self, name: &str, locked: Option<&Made>, made: &Made) {
        if let Some(locked) = locked.filter(|locked| locked.rustc != made.rustc) {
            let note = format!("`{name}` was made by another compiler ({}): its bytes are not compared", locked.rustc);
            self.done.push(note);
            return;
        }
        let message = format!("the component `{name}` is not what its source makes");
        let hint = "run `runner pack build` without `--check`".to_owned();
        self.mistakes.push(Mistake::new(code::PACK_BUILD, message).maybe_hint(Some(hint)));
    }

    /// Compares what the components say of themselves with the metadata.
    async fn compare(&mut self, built: &[Component]) -> Result<(), CliError> {
        let pack = self.sound_pack()?;
        let host = self.app.host()?;
        for component in built {
            let world = world(&pack, &component.name);
            let wasm: Arc<[u8]> = component.built.wasm.as_slice().into();
            let loaded =
                host.load(wasm, world).await.map_err(|failure| CliError::of_failure(Exit::Invalid, &failure))?;
            if world == World::Action {
                let described = described(&host, &loaded).await?;
                self.compare_one(&pack, &component.name, &described)?;
            }
        }
        Ok(())
    }

    fn sound_pack(&self) -> Result<Arc<Pack>, CliError> {
        let (pack, report) = runner_pack::check(&self.directory, &self.app.library().0);
        pack.ok_or_else(|| {
            check::show(self.app, 1, &report);
            let message = "the components are built, but the pack has mistakes";
            CliError::new(Exit::Invalid, code::PACK_NOT_LOADED, message)
                .hint("mend what is shown above, then build again")
        })
    }

    fn compare_one(&mut self, pack: &Pack, component: &str, described: &Map<String, Value>) -> Result<(), CliError> {
        let (mistakes, missing) = drift::between(pack, component, described);
        self.mistakes.extend(mistakes);
        for (function, about) in missing {
            let path = self.directory.join("actions").join(format!("{function}.yaml"));
            if self.check || path.exists() {
                let message =
                    format!("the component `{component}` has the action `{function}`, and no metadata names it");
                let hint = format!("write `{}`; without `--check` it is made", path.display());
                self.mistakes.push(Mistake::new(code::PACK_DRIFT, message).maybe_hint(Some(hint)));
                continue;
            }
            let own = component == pack.reference().as_str();
            let entry_point = (!own).then(|| format!("{component}#{function}"));
            write(&path, metadata::yaml(function, entry_point.as_deref(), about).as_bytes())?;
            self.done.push(format!("written {}", path.display()));
        }
        Ok(())
    }

    fn finish(self, count: usize) -> Result<Exit, CliError> {
        if !self.mistakes.is_empty() {
            return Err(CliError { exit: Exit::Invalid, mistakes: self.mistakes });
        }
        if self.app.output.json {
            self.app.output.value(&json!({ "directory": self.directory, "components": count, "done": self.done }));
        } else {
            self.done.iter().for_each(|line| self.app.output.line(line));
            if self.check {
                self.app.output.line("components and metadata are up to date");
            }
        }
        Ok(Exit::Succeeded)
    }
}

/// What a component of this name is for.
fn world(pack: &Pack, component: &str) -> World {
    let simulates = pack.manifest.connections.values().any(|kind| kind.simulator.as_deref() == Some(component));
    if simulates { World::Simulator } else { World::Action }
}

async fn described(host: &Host, component: &runner_host::Component) -> Result<Map<String, Value>, CliError> {
    match host.describe(component).await {
        Ok(Value::Object(map)) => Ok(map),
        // Made without an SDK: it need not know the question.
        Ok(_) | Err(_) => Ok(Map::new()),
    }
}

/// Writes a file whole: whoever reads it at the same time sees the old one or the new one.
fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let beside = path.with_extension("new");
    let parent = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    parent.and_then(|()| std::fs::write(&beside, bytes)).and_then(|()| std::fs::rename(&beside, path)).map_err(
        |error| {
            let message = format!("`{}` cannot be written: {error}", path.display());
            CliError::new(Exit::Broken, code::PACK_UNREADABLE, message)
        },
    )
}

fn failed(error: &BuildError) -> CliError {
    let code = match error {
        BuildError::NoToolchain { .. } => code::CLI_TOOLCHAIN,
        _ => code::PACK_BUILD,
    };
    let hint = error.hint();
    let failed = CliError::new(Exit::Invalid, code, error.to_string()).maybe_hint(hint);
    match (error, std::error::Error::source(error)) {
        (BuildError::Compile { output, .. }, _) if !output.trim().is_empty() => {
            let mut failed = failed;
            failed.mistakes.iter_mut().for_each(|mistake| mistake.causes.push(output.trim().to_owned()));
            failed
        }
        (_, Some(source)) => failed.caused_by(source),
        _ => failed,
    }
}

/// Names and what is said of them.
type Described<'a> = BTreeMap<&'a str, &'a Value>;
