//! `runner execution list`.

use clap::Args;
use runner_model::{ActionRef, ExecutionRecord, Status};
use runner_store::ExecutionFilter;

use super::identify::newest;
use crate::app::App;
use crate::error::CliError;
use crate::output::{elapsed, table};
use crate::records::Records;

/// Which to list.
#[derive(Debug, Args)]
pub(crate) struct ListCommand {
    /// Only those with this status
    #[arg(long, value_parser = parse_status)]
    status: Option<Status>,
    /// Only those of this action
    #[arg(long, value_name = "ACTION", value_parser = parse_action)]
    action: Option<ActionRef>,
    /// Only those that have not ended
    #[arg(long, conflicts_with = "status")]
    open: bool,
    /// How many at the most
    #[arg(long, default_value_t = 20, value_name = "COUNT")]
    limit: usize,
    /// Also those that workflows started
    #[arg(long)]
    all: bool,
}

/// For `--status`.
fn parse_status(word: &str) -> Result<Status, String> {
    Status::from_word(word).ok_or_else(|| {
        let known = Status::ALL.iter().map(|status| status.as_str());
        runner_pack::suggest::hint(word, known, "there are").unwrap_or_default()
    })
}

/// For `--action`.
fn parse_action(text: &str) -> Result<ActionRef, String> {
    text.parse().map_err(|error: runner_model::NameError| error.to_string())
}

impl ListCommand {
    /// Lists them.
    pub(super) async fn run(&self, app: &App, records: Option<&dyn Records>) -> Result<(), CliError> {
        let filter = ExecutionFilter {
            status: self.status,
            action: self.action.clone(),
            open: self.open.then_some(true),
            ..ExecutionFilter::default()
        };
        let records = match records {
            Some(records) => newest(records, &filter, self.limit, self.all).await?,
            None => Vec::new(),
        };
        if app.output.json {
            app.output.value(&records);
        } else if records.is_empty() {
            app.output.note("no executions");
        } else {
            let headings = ["id", "action", "status", "created", "took"];
            app.output.line(table(&app.output, &headings, records.iter().map(row)));
        }
        Ok(())
    }
}

fn row(record: &ExecutionRecord) -> Vec<String> {
    let took = record.finished_at.map(|end| end.since_ms(record.created_at));
    let took = took.map(|ms| elapsed(std::time::Duration::from_millis(u64::try_from(ms).unwrap_or(0))));
    vec![
        record.id.to_string(),
        record.action.to_string(),
        record.status.to_string(),
        record.created_at.to_string(),
        took.unwrap_or_default(),
    ]
}
