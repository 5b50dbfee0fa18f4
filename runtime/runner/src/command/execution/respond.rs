//! `runner execution respond`: the answer to what an execution waits for.

use clap::Args;
use runner_executor::Control;
use runner_model::{ItemIndex, TaskName};
use runner_pack::check_answer;

use super::control::{Detach, perform};
use super::rerun::task;
use super::{Which, choose, identify};
use crate::app::App;
use crate::command::answer;
use crate::error::CliError;
use crate::exit::Exit;
use crate::records::Place;

/// The answer, and what it is for.
#[derive(Debug, Args)]
#[command(after_help = answer::HELP)]
pub(crate) struct Respond {
    #[command(flatten)]
    pub(crate) which: Which,
    /// The answer: `name=value`, `name:=JSON`, `name=@FILE`, a JSON value, or `-`
    #[arg(value_name = "ANSWER")]
    answer: Vec<String>,
    /// The task that waits, if several do
    #[arg(long, value_parser = task)]
    task: Option<TaskName>,
    /// The item that waits, if several do, counted from 0
    #[arg(long, value_name = "N")]
    item: Option<u32>,
    #[command(flatten)]
    detach: Detach,
}

impl Respond {
    /// Gives it.
    pub(crate) async fn run(self, app: &mut App, place: &Place) -> Result<Exit, CliError> {
        let id = identify(place.records(), &self.which.id).await?;
        let view = place.records().view(id).await?;
        let chosen =
            choose(&view, self.task.as_ref(), self.item.map(ItemIndex)).map_err(|error| app.respelled(error))?;
        let answer = answer::read(&self.answer, &chosen.wait.schema(), std::io::stdin())?;
        check_answer(&chosen.wait, &answer).map_err(|error| answer::misfit(&error))?;
        let ask = Control::Respond { by: app.by(), task: Some(chosen.task), item: chosen.item, answer };
        perform(app, place, id, ask, self.detach.detach).await?.show(app, place, id).await
    }
}
