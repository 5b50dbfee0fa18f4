//! `runner event list`.

use clap::Args;
use runner_model::{Event, NameError, RuleRef, Timestamp, TriggerRef};
use runner_store::EventFilter;

use super::find::listed;
use crate::app::App;
use crate::command::asked::Asked;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{one_line, table};

/// Which to list. Everything that is given must hold.
#[derive(Debug, Args)]
pub(super) struct ListCommand {
    /// Only those of this trigger, such as `core.webhook`
    #[arg(long, value_name = "TRIGGER", value_parser = name::<TriggerRef>)]
    trigger: Option<TriggerRef>,
    /// Only those of this source, as the list shows it: a webhook (`github#1f5e8c02`), the rule of a schedule, a sensor
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    /// Only those that this rule matched
    #[arg(long, value_name = "RULE", value_parser = name::<RuleRef>)]
    rule: Option<RuleRef>,
    /// Only those for which something is left to do
    #[arg(long)]
    open: bool,
    /// Only those that came at this moment or later, such as `2026-11-21T10:46:00Z`
    #[arg(long, value_name = "TIME", value_parser = moment)]
    after: Option<Timestamp>,
    /// Only those that came before this moment
    #[arg(long, value_name = "TIME", value_parser = moment)]
    before: Option<Timestamp>,
    /// How many at the most
    #[arg(long, default_value_t = 20, value_name = "COUNT")]
    limit: usize,
}

fn name<T: std::str::FromStr<Err = NameError>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: NameError| error.to_string())
}

fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "write a moment such as `2026-11-21T10:46:00Z`".to_owned())
}

impl ListCommand {
    /// Lists them.
    pub(super) async fn run(&self, app: &App, asked: &Asked) -> Result<Exit, CliError> {
        let filter = EventFilter {
            trigger: self.trigger.clone(),
            source: self.source.clone(),
            rule: self.rule.clone(),
            open: self.open.then_some(true),
            received_after: self.after,
            received_before: self.before,
        };
        let events = listed(app, asked, &filter, self.limit).await?;
        if app.output.json {
            app.output.value(&events);
        } else if events.is_empty() {
            app.output.note("no events");
        } else {
            let headings = ["id", "trigger", "source", "received", "matches"];
            app.output.line(table(&app.output, &headings, events.iter().map(row)));
        }
        Ok(Exit::Succeeded)
    }
}

fn row(event: &Event) -> Vec<String> {
    let matches: Vec<_> = event.matches.iter().map(|one| format!("{} {}", one.rule, one.state.as_str())).collect();
    vec![
        event.id.to_string(),
        event.trigger.to_string(),
        one_line(&event.source, 40),
        event.received_at.to_string(),
        one_line(&matches.join(", "), 80),
    ]
}
