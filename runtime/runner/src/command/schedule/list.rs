//! `runner schedule list`.

use std::collections::BTreeMap;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use runner_model::code;
use serde_json::Value;

use super::here;
use super::view::ScheduleView;
use crate::app::App;
use crate::command::asked::{ALL, Asked};
use crate::command::rule;
use crate::error::CliError;
use crate::exit::Exit;
use crate::remote::Remote;

/// Which to list.
#[derive(Debug, Args)]
pub(super) struct ListCommand {
    /// Only that of this rule
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,
    /// How many instants of each: from 1 to 100
    #[arg(long, default_value_t = 10, value_name = "COUNT", value_parser = RangedU64ValueParser::<usize>::new().range(1..=100))]
    count: usize,
}

impl ListCommand {
    /// Lists them.
    pub(super) async fn run(&self, app: &App, asked: &Asked) -> Result<Exit, CliError> {
        let mut schedules = match asked {
            Asked::Daemon(daemon) => of_daemon(app, asked, daemon, self.count).await?,
            Asked::Here(store) => here::schedules(app, store.as_ref(), self.count).await?,
        };
        if let Some(name) = &self.rule {
            schedules.retain(|schedule| schedule.rule == *name);
            if schedules.is_empty() {
                return Err(without(app, asked, name).await);
            }
        }
        if app.output.json {
            app.output.value(&schedules);
        } else if schedules.is_empty() {
            app.output.note("no rule has a schedule");
        } else {
            let shown: Vec<_> = schedules.iter().map(|schedule| schedule.shown(app)).collect();
            app.output.line(shown.join("\n\n"));
        }
        Ok(Exit::Succeeded)
    }
}

async fn of_daemon(app: &App, asked: &Asked, daemon: &Remote, count: usize) -> Result<Vec<ScheduleView>, CliError> {
    let query = [("count", count.to_string())];
    let mut schedules: Vec<ScheduleView> = daemon.list("/api/v1/schedules", &query, ALL).await?;
    let rules = rule::all(app, asked).await?;
    let zones: BTreeMap<_, _> = rules.iter().map(|rule| (rule.reference.as_str(), &rule.trigger.parameters)).collect();
    for schedule in &mut schedules {
        let zone = zones.get(schedule.rule.as_str()).and_then(|parameters| parameters.get("timezone"));
        schedule.timezone = zone.and_then(Value::as_str).map(str::to_owned);
    }
    Ok(schedules)
}

/// Why there is no schedule of a rule.
async fn without(app: &App, asked: &Asked, name: &str) -> CliError {
    let rules = match rule::all(app, asked).await {
        Ok(rules) => rules,
        Err(error) => return error,
    };
    match rules.iter().find(|rule| rule.reference == name) {
        Some(rule) => {
            let message = format!("the rule `{name}` has no schedule: it waits for `{}`", rule.trigger.kind);
            CliError::new(Exit::NotFound, code::CLI_NOT_FOUND, message).hint("see `runner schedule list`")
        }
        None => rule::unknown(name, &rules),
    }
}
