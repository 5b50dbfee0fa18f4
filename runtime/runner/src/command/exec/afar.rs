//! Running with a daemon: it drives, this process looks on, and passes on the wish to stop.

use runner_model::{ActionRef, Entry, ExecutionId, ExecutionView, Fact, SystemClock, SystemEntropy, code};
use runner_server::control::Stands;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Watch;
use super::follow::{Followed, LOOK, LOOK_SOON, Until};
use super::heard::Hearing;
use super::progress::Display;
use crate::app::App;
use crate::command::rests;
use crate::error::CliError;
use crate::exit::Exit;
use crate::offer::Offer;
use crate::records::{Records, at};
use crate::remote::{Happened, Remote, Tree};

/// Asks for an execution; gives its id.
pub(crate) async fn request(
    remote: &Remote,
    offer: &Offer,
    parameters: &Map<String, Value>,
) -> Result<ExecutionId, CliError> {
    #[derive(Deserialize)]
    struct Recorded {
        id: ExecutionId,
    }
    let body = json!({ "action": offer.reference, "parameters": parameters });
    // So that asking again, because nobody heard the answer, is no second execution.
    let key = format!("cli-{}", ExecutionId::new(&SystemClock, &SystemEntropy));
    remote.patient().post_once::<Recorded>("/api/v1/executions", &key, &body).await.map(|recorded| recorded.id)
}

/// What a daemon says of itself; what it does not say is not so.
#[derive(Deserialize)]
struct About {
    #[serde(default)]
    simulate: bool,
    #[serde(default)]
    development: bool,
}

async fn about(remote: &Remote) -> Result<About, CliError> {
    remote.get("/api/v1/version", &[]).await
}

/// Whether simulators stand in for everything there.
pub(crate) async fn is_simulating(remote: &Remote) -> Result<bool, CliError> {
    about(remote).await.map(|about| about.simulate)
}

/// Refuses to let a daemon hold to its grants what is to be granted everything.
pub(super) async fn check_develops(remote: &Remote) -> Result<(), CliError> {
    if about(remote).await?.development {
        return Ok(());
    }
    let message = format!("{} is not in development mode: packs have the grants that it knows", remote.name());
    Err(CliError::new(Exit::Usage, code::CLI_USAGE, message)
        .hint("run it in this process with `--embedded`, or start the daemon with `runner serve --dev`"))
}

/// Refuses to run for real what is to be simulated.
pub(crate) async fn check_simulates(remote: &Remote) -> Result<(), CliError> {
    if is_simulating(remote).await? {
        return Ok(());
    }
    let message = format!("{} does not simulate: it would run this for real", remote.name());
    Err(CliError::new(Exit::Usage, code::CLI_USAGE, message)
        .hint("run it in this process with `--embedded`, or start the daemon with `runner serve --simulate`"))
}

/// Asks for an execution and looks on until it has ended.
pub(super) async fn run(
    app: &App,
    remote: &Remote,
    offer: &Offer,
    parameters: &Map<String, Value>,
    silent: bool,
) -> Result<ExecutionView, CliError> {
    // Before anything is recorded, so that a signal finds somebody.
    let mut watch = Watch::begin(app, offer.is_workflow(), silent);
    let id = request(remote, offer, parameters).await?;
    match watch.look_on(remote, id, &offer.reference, &[], Until::End).await? {
        Followed::Ended(view) => Ok(*view),
        Followed::Rests(_) => {
            Err(CliError::new(Exit::Broken, code::EXEC_UNKNOWN_OUTCOME, "it is not followed any more"))
        }
    }
}

impl Watch {
    /// Shows an execution of a daemon, of which `seen` is known, until it has ended or nothing would happen in it by
    /// itself.
    pub(crate) async fn look_on(
        &mut self,
        remote: &Remote,
        id: ExecutionId,
        action: &ActionRef,
        seen: &[Entry],
        until: Until,
    ) -> Result<Followed, CliError> {
        self.display.begin(id, action);
        let mut hearing = Hearing::new(id);
        seen.iter().for_each(|entry| drop(hearing.fact(id, 0, entry)));
        let remote = &remote.patient();
        let mut tree = Tree::of(remote, id, seen);
        if self.display.is_silent() {
            tree = tree.alone();
        }
        let looking = Looking { remote, id, hearing, display: &mut self.display, has_asked: false };
        let followed = looking.on(tree, &self.stop, until).await;
        followed.map_err(|error| match error.mistakes.iter().any(|mistake| mistake.code == code::CLI_REMOTE.id()) {
            true => error.hint(format!("it goes on there: see `runner execution get {id}`")),
            false => error,
        })
    }
}

struct Looking<'a> {
    remote: &'a Remote,
    id: ExecutionId,
    hearing: Hearing,
    display: &'a mut Display,
    /// Whether it was asked to stop, by this process.
    has_asked: bool,
}

impl Looking<'_> {
    async fn on(mut self, mut tree: Tree, stop: &CancellationToken, until: Until) -> Result<Followed, CliError> {
        let mut look = Instant::now() + LOOK;
        loop {
            tokio::select! {
                happened = tree.next() => match happened? {
                    Some(happened) => {
                        if self.show(happened) {
                            look = look.min(Instant::now() + LOOK_SOON);
                        }
                    }
                    None => break,
                },
                () = stop.cancelled(), if !self.has_asked => {
                    self.has_asked = true;
                    self.cancel().await?;
                }
                () = tokio::time::sleep_until(look), if until == Until::Rest => {
                    look = Instant::now() + LOOK;
                    if rests(self.remote, self.id).await? {
                        self.display.end(None);
                        return Ok(Followed::Rests(Records::get(self.remote, self.id).await?.status));
                    }
                }
            }
        }
        // Of the journal, because what is null there is not nothing.
        let view = self.remote.view(self.id).await?;
        self.display.end(Some(&view));
        Ok(Followed::Ended(Box::new(view)))
    }

    async fn cancel(&self) -> Result<(), CliError> {
        match self.remote.post_again::<Stands>(&at(self.id, "/cancel"), &json!({})).await {
            // It ended at this very moment.
            Err(error) if error.mistakes.iter().any(|mistake| mistake.code == code::EXEC_ENDED.id()) => Ok(()),
            done => done.map(drop),
        }
    }

    /// Shows it; says whether it may rest now.
    fn show(&mut self, happened: Happened) -> bool {
        match happened {
            Happened::Said(line) => {
                if let Some(event) = self.hearing.line(*line) {
                    self.display.event(&event);
                }
                false
            }
            Happened::Recorded { execution, depth, entry } => {
                if let Fact::StepScheduled { step, items: Some(items), .. } = &entry.fact {
                    self.display.counted(execution, *step, items.len());
                }
                let own = self.has_asked && matches!(entry.fact, Fact::CancelRequested { .. });
                if let Some(event) = self.hearing.fact(execution, depth, &entry).filter(|_| !own) {
                    self.display.event(&event);
                }
                matches!(entry.fact, Fact::Rested { .. } | Fact::WaitOpened { .. })
            }
        }
    }
}
