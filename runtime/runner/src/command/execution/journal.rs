//! `runner execution journal`: every entry, secrets masked.

use runner_model::mask::masked;
use runner_model::{ExecutionId, Version};

use super::story::{Story, Told};
use crate::app::App;
use crate::error::CliError;
use crate::output::table;
use crate::records::Records;

/// Shows it.
pub(super) async fn run(app: &App, records: &dyn Records, id: ExecutionId) -> Result<(), CliError> {
    let entries = masked(&records.read(id, Version(0)).await?);
    if app.output.json {
        app.output.value(&entries);
        return Ok(());
    }
    let mut story = Story::default();
    let rows = entries.iter().enumerate().map(|(index, entry)| {
        let Told { word, place, text } = story.tell(entry);
        vec![index.to_string(), entry.at.to_string(), word, place, text]
    });
    app.output.line(table(&app.output, &["n", "at", "what", "step", "details"], rows));
    Ok(())
}
