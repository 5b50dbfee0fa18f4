//! `runner rule list`.

use clap::Args;

use super::{RuleView, find};
use crate::app::App;
use crate::command::asked::Asked;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{one_line, table};

/// Which to list.
#[derive(Debug, Args)]
pub(super) struct ListCommand {
    /// Only those of this pack
    #[arg(long, value_name = "PACK")]
    pack: Option<String>,
    /// Only those that wait for this trigger, such as `core.webhook`
    #[arg(long, value_name = "TRIGGER")]
    trigger: Option<String>,
    /// Only those that run this action
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
}

impl ListCommand {
    /// Lists them.
    pub(super) async fn run(&self, app: &App, asked: &Asked) -> Result<Exit, CliError> {
        let mut rules = find::all(app, asked).await?;
        rules.retain(|rule| self.admits(rule));
        if app.output.json {
            app.output.value(&rules);
        } else if rules.is_empty() {
            app.output.note("no rules");
        } else {
            let headings = ["rule", "state", "trigger", "action", "description"];
            app.output.line(table(&app.output, &headings, rules.iter().map(row)));
        }
        Ok(Exit::Succeeded)
    }

    fn admits(&self, rule: &RuleView) -> bool {
        let is = |wanted: &Option<String>, own: &str| wanted.as_deref().is_none_or(|wanted| wanted == own);
        is(&self.pack, &rule.pack) && is(&self.trigger, &rule.trigger.kind) && is(&self.action, &rule.action)
    }
}

fn row(rule: &RuleView) -> Vec<String> {
    let about = one_line(&rule.description, 80);
    vec![rule.reference.clone(), rule.state(), rule.trigger.kind.clone(), rule.action.clone(), about]
}
