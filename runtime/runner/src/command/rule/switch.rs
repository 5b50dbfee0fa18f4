//! `runner rule enable|disable|reset`: against what the rule's file says, or as it says again.

use runner_model::{NameError, RuleRef, code};
use runner_store::Access as _;
use serde_json::json;

use super::{RuleView, find, get};
use crate::app::App;
use crate::command::asked::Asked;
use crate::error::CliError;
use crate::exit::Exit;
use crate::remote::segment;

/// Switches a rule; none goes back to its file.
pub(super) async fn run(app: &App, asked: &Asked, name: &str, enabled: Option<bool>) -> Result<Exit, CliError> {
    let rule = find::one(app, asked, name).await?;
    let switched: RuleView = match asked {
        Asked::Daemon(daemon) => {
            let path = format!("/api/v1/rules/{}/{}", segment(&rule.reference), verb(enabled));
            daemon.post(&path, &json!({})).await?
        }
        Asked::Here(Some(store)) => {
            let unreadable = |error: NameError| CliError::new(Exit::NotFound, code::EVENT_NO_RULE, error.to_string());
            let reference: RuleRef = rule.reference.parse().map_err(unreadable)?;
            store.switch_rule(&reference, enabled, app.audited()).await?;
            find::one(app, asked, name).await?
        }
        Asked::Here(None) => {
            let asked = Asked::Here(Some(app.store().await?));
            let done = Box::pin(run(app, &asked, name, enabled)).await;
            asked.close().await;
            return done;
        }
    };
    if app.output.json {
        get::show(app, &switched);
    } else {
        app.output.line(format!("{} {}", switched.reference, switched.state()));
    }
    Ok(Exit::Succeeded)
}

const fn verb(enabled: Option<bool>) -> &'static str {
    match enabled {
        Some(true) => "enable",
        Some(false) => "disable",
        None => "reset",
    }
}
