//! `runner audit`: who changed what, and whether the log of it is as it was written.

mod place;

use std::time::Duration;

use clap::{Args, Subcommand};
use runner_model::{Timestamp, code};
use runner_server::api::AuditEntryView;
use runner_store::{Digest, read_digest};

use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{one_line, table};
use place::{Place, Wanted};

/// How often whoever follows the log looks: only people wait for it.
const LOOK: Duration = Duration::from_secs(1);

/// Show who changed what, and check the log of it
#[derive(Debug, Args)]
pub(crate) struct AuditCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List entries, the newest last
    List(List),
    /// Look whether the log is as it was written; exit status 1 if it is not
    Verify {
        /// A hash that `runner audit head` printed once: everything up to there must still be the same
        #[arg(long, value_name = "HASH", value_parser = hash)]
        head: Option<Digest>,
    },
    /// Print how many entries there are and the hash of the last, to be noted elsewhere
    Head,
}

#[derive(Debug, Args)]
struct List {
    /// Not before this moment, or this long ago: `2026-11-21T12:00:00Z`, `1h`
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Since>,
    /// By this actor
    #[arg(long, value_name = "WHO")]
    actor: Option<String>,
    /// With this action, or one below it: `secret`, `secret.rotate`
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// Of this subject: a name or an id
    #[arg(long, value_name = "WHAT")]
    subject: Option<String>,
    /// How many
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: usize,
    /// Go on with what is logged from now on, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
}

/// A moment, or how long ago.
#[derive(Debug, Clone, Copy)]
enum Since {
    At(Timestamp),
    Ago(i64),
}

fn since(text: &str) -> Result<Since, String> {
    if let Ok(at) = text.parse() {
        return Ok(Since::At(at));
    }
    crate::command::key::lifetime_ms(text)
        .map(Since::Ago)
        .map_err(|_| "write a time, or a duration such as `1h`".to_owned())
}

fn hash(text: &str) -> Result<Digest, String> {
    read_digest(text).ok_or_else(|| "it has 64 hex digits, as `runner audit head` prints it".to_owned())
}

impl AuditCommand {
    /// Does it.
    pub(crate) async fn run(self, app: App) -> Result<Exit, CliError> {
        let place = Place::open(&app).await?;
        let done = match self.what {
            What::List(list) => list.run(&app, &place).await,
            What::Verify { head } => verify(&app, &place, head).await,
            What::Head => head(&app, &place).await,
        };
        place.close().await;
        done.map_err(|error| app.respelled(error))
    }
}

impl List {
    async fn run(self, app: &App, place: &Place) -> Result<Exit, CliError> {
        let since = self.since.map(|since| match since {
            Since::At(at) => at,
            Since::Ago(millis) => app.now().plus_ms(-millis),
        });
        let wanted = Wanted { since, actor: self.actor, action: self.action, subject: self.subject };
        let mut last = if self.follow { place.head().await?.sequence } else { 0 };
        let mut entries = place.newest(&wanted, self.limit).await?;
        entries.reverse();
        last = entries.last().map_or(last, |entry| last.max(entry.sequence));
        show(app, &entries, self.follow);
        if !self.follow {
            return Ok(Exit::Succeeded);
        }
        loop {
            tokio::time::sleep(LOOK).await;
            let entries = place.after(&wanted, last).await?;
            last = entries.last().map_or(last, |entry| entry.sequence);
            for entry in &entries {
                line(app, entry);
            }
        }
    }
}

fn show(app: &App, entries: &[AuditEntryView], follow: bool) {
    if follow {
        return entries.iter().for_each(|entry| line(app, entry));
    }
    if app.output.json {
        return app.output.value(&entries);
    }
    if entries.is_empty() {
        return app.output.note("nothing is logged");
    }
    let headings = ["#", "at", "who", "from", "what", "subject", "details"];
    app.output.line(table(&app.output, &headings, entries.iter().map(row)));
}

fn row(entry: &AuditEntryView) -> Vec<String> {
    let from =
        entry.address.as_ref().map_or_else(|| entry.origin.clone(), |address| format!("{} {address}", entry.origin));
    let details = one_line(&entry.details.to_string(), 80);
    let text = |text: &str| one_line(text, 60);
    vec![
        entry.sequence.to_string(),
        entry.at.clone(),
        text(&entry.actor),
        text(&from),
        text(&entry.action),
        text(&entry.subject),
        details,
    ]
}

/// One at a time, for whoever follows.
fn line(app: &App, entry: &AuditEntryView) {
    if app.output.json { app.output.value(entry) } else { app.output.line(row(entry).join("  ")) }
}

async fn verify(app: &App, place: &Place, head: Option<Digest>) -> Result<Exit, CliError> {
    let verdict = place.verify(head).await?;
    if app.output.json {
        app.output.value(&verdict);
        return Ok(if verdict.whole { Exit::Succeeded } else { Exit::Failed });
    }
    match (verdict.whole, verdict.reason) {
        (true, _) => {
            app.output.line(format!("{} entries, as they were written", verdict.sequence));
            Ok(Exit::Succeeded)
        }
        (false, reason) => {
            let reason = reason.unwrap_or_default();
            let message = match verdict.hash {
                None => format!("the audit log is broken at entry {}: {reason}", verdict.sequence),
                Some(_) => format!("the audit log is another one: {reason}"),
            };
            Err(CliError::new(Exit::Failed, code::AUDIT_BROKEN, message)
                .hint("somebody changed the database: compare it with a backup"))
        }
    }
}

async fn head(app: &App, place: &Place) -> Result<Exit, CliError> {
    let head = place.head().await?;
    if app.output.json {
        app.output.value(&head);
    } else {
        app.output.line(&head.hash);
        app.output
            .note(format!("the hash of entry {}: `runner audit verify --head HASH` compares with it", head.sequence));
    }
    Ok(Exit::Succeeded)
}
