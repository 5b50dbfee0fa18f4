//! `runner test`: rehearses workflows, with mocked steps or against simulators, and says what differs.

mod chosen;
mod difference;
mod junit;
mod show;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use runner_executor::rehearsal::{self, Rehearsing, Simulation};
use runner_executor::{Grants, Guests, HostGuests, Packs, PacksOptions};
use runner_host::Connections;
use runner_model::{ManualClock, Timestamp, code};
use runner_pack::{Library, Pack, Rehearsal, Report, read_rehearsals};
use runner_store::MemoryStore;

use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::manners;
use chosen::Chosen;

/// Rehearse workflows: play them with mocked steps, in simulated time, and compare what comes of it
///
/// A pack's rehearsals are its files `tests/*.yaml`. Nothing is recorded and nothing outside is reached.
#[derive(Debug, Args)]
pub(crate) struct TestCommand {
    /// Packs, directories or files of rehearsals; without any, all packs that are installed
    #[arg(value_name = "PACK|DIR|FILE")]
    chosen: Vec<String>,
    /// Only rehearsals with this in their name; may be given several times
    #[arg(short = 'k', long, value_name = "NAME")]
    only: Vec<String>,
    /// Run the steps that are not mocked against simulators, in every rehearsal
    #[arg(long)]
    simulate: bool,
    /// Grant packs whatever they ask for: for development [env: RUNNER_DEV]
    #[arg(long)]
    dev: bool,
    /// Write the outcome to this file as JUnit XML, too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// What was run, and what could not be read.
struct Outcome {
    report: rehearsal::Report,
    /// Mistakes in the files of rehearsals.
    mistakes: Report,
    /// Whether only some of the rehearsals were run, so that what is not covered means nothing.
    is_part: bool,
}

impl Outcome {
    fn passed(&self) -> bool {
        self.report.passed() && !self.mistakes.has_errors()
    }
}

impl TestCommand {
    /// Runs them; shows every one by name, if that is wanted.
    pub(crate) async fn run(&self, mut app: App, names_all: bool) -> Result<Exit, CliError> {
        app.config.dev |= self.dev;
        app.warn_of_development();
        let app = &app;
        let chosen = Chosen::find(app, &self.chosen)?;
        let config_dir = app.config.config_dir.clone();
        let load = move |dirs: &[PathBuf]| Library::load_sound(dirs, Some(&config_dir)).0;
        let library = load(&chosen.dirs);
        let (rehearsals, mistakes) = self.read(&chosen.files)?;
        let simulation = match rehearsals.iter().any(|rehearsal| rehearsal.simulate) {
            true => Some(simulation(app, chosen.dirs.clone(), load)?),
            false => None,
        };
        let packs: Vec<&Pack> = library.packs().map(AsRef::as_ref).filter(|pack| chosen.has(pack)).collect();
        let with = Rehearsing { library: &library, simulation: simulation.as_ref() };
        let report = rehearsal::run_covering(&with, &rehearsals, &packs).await;
        let outcome = Outcome { report, mistakes, is_part: !self.only.is_empty() };
        if let Some(path) = &self.junit {
            write_junit(path, &outcome)?;
        }
        show::show(app, &outcome, names_all);
        Ok(if outcome.passed() { Exit::Succeeded } else { Exit::Failed })
    }

    /// The rehearsals of the files that are asked for, and what is wrong with the files.
    fn read(&self, files: &[PathBuf]) -> Result<(Vec<Rehearsal>, Report), CliError> {
        let (mut rehearsals, mut mistakes) = (Vec::new(), Report::default());
        for file in files {
            let (read, found) = read_rehearsals(file, None);
            rehearsals.extend(read);
            mistakes.omitted += found.omitted;
            mistakes.diagnostics.extend(found.diagnostics);
        }
        if !self.only.is_empty() {
            rehearsals.retain(|rehearsal| self.only.iter().any(|part| rehearsal.name.contains(part.as_str())));
            if rehearsals.is_empty() && !mistakes.has_errors() {
                let names: Vec<_> = self.only.iter().map(|part| format!("`{part}`")).collect();
                let message = format!("no rehearsal has {} in its name", names.join(" or "));
                return Err(CliError::new(Exit::Usage, code::CLI_NOT_FOUND, message)
                    .hint("see all names with `runner test -v` without `--only`"));
            }
        }
        rehearsals.iter_mut().for_each(|rehearsal| rehearsal.simulate |= self.simulate);
        Ok((rehearsals, mistakes))
    }
}

/// What runs actions for real, each rehearsal with systems and data of its own. The operator's connections have no part
/// in it: a rehearsal means the same wherever it runs.
fn simulation(
    app: &App,
    dirs: Vec<PathBuf>,
    load: impl Fn(&[PathBuf]) -> Library + Send + Sync + 'static,
) -> Result<Simulation, CliError> {
    let limits = app.config.limits.clone();
    let clock = Arc::new(ManualClock::at(Timestamp::default()));
    let host = app.host_at(clock.clone())?;
    let (seen, development) = (clock.clone(), app.config.dev);
    let guests = move || -> Arc<dyn Guests> {
        let library = load(&dirs);
        // What a pack says of its systems was checked when it was loaded; without connections there is nothing else wrong.
        let connections = Connections::new(Vec::new(), manners::of_kinds(&library), &limits);
        let connections = connections.unwrap_or_else(|_| Connections::none(&limits));
        let options = PacksOptions { library, grants: Grants::default(), connections, simulate: true, archive: None };
        let packs = Packs::new(options);
        let packs = if development { packs.in_development() } else { packs };
        let (packs, store) = (Arc::new(packs), Arc::new(MemoryStore::default()));
        Arc::new(HostGuests::new(host.clone(), packs, store, clock.clone(), &limits))
    };
    Ok(Simulation { clock: seen, guests: Box::new(guests) })
}

fn write_junit(path: &PathBuf, outcome: &Outcome) -> Result<(), CliError> {
    let written = junit::document(outcome).and_then(|document| std::fs::write(path, document));
    written.map_err(|error| {
        let message = format!("the JUnit file cannot be written to `{}`: {error}", path.display());
        CliError::new(Exit::Usage, code::CONF_UNREADABLE, message)
    })
}
