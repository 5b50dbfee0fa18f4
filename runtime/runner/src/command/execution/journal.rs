//! `runner execution journal`: every entry, secrets masked.

use runner_model::{Entry, ExecutionId, Version};
use runner_store::{Journal as _, SqliteStore};
use serde_json::Value;

use crate::app::App;
use crate::error::CliError;
use crate::output::{one_line, table};

/// Shows it.
pub(crate) async fn run(app: &App, store: &SqliteStore, id: ExecutionId) -> Result<(), CliError> {
    let entries: Vec<_> = store.read(id, Version(0)).await?.iter().map(Entry::masked).collect();
    if app.output.json {
        app.output.value(&entries);
        return Ok(());
    }
    let rows = entries.iter().enumerate().map(|(index, entry)| row(index, entry));
    app.output.line(table(&app.output, &["n", "at", "what", "details"], rows));
    Ok(())
}

/// An entry is flat: what is not its time or its kind are its details.
fn row(index: usize, entry: &Entry) -> Vec<String> {
    let mut kind = String::new();
    let mut details = Vec::new();
    // An entry is made of maps with text keys.
    if let Ok(Value::Object(map)) = serde_json::to_value(entry) {
        for (key, value) in map {
            match (key.as_str(), value) {
                ("at", _) => {}
                ("type", Value::String(word)) => kind = word,
                (key, Value::String(text)) => details.push(format!("{key}={text}")),
                (key, value) => details.push(format!("{key}={value}")),
            }
        }
    }
    vec![index.to_string(), entry.at.to_string(), kind, one_line(&details.join(" "), 160)]
}
