//! `runner event resend`: for whoever has mended a rule. What comes of the new event a daemon does.

use serde_json::json;

use super::find::find;
use super::send::Sent;
use crate::app::App;
use crate::command::asked::{Asked, no_daemon};
use crate::error::CliError;
use crate::exit::Exit;
use crate::remote::segment;

/// Sends an event once more.
pub(super) async fn run(app: &App, id: &str) -> Result<Exit, CliError> {
    let Some(daemon) = app.daemon() else { return Err(no_daemon("only a daemon sends events again")) };
    let event = find(app, &Asked::Daemon(daemon.clone()), id).await?;
    let path = format!("/api/v1/events/{}/resend", segment(&event.id.to_string()));
    let sent: Sent = daemon.post(&path, &json!({})).await?;
    sent.show(app);
    Ok(Exit::Succeeded)
}
