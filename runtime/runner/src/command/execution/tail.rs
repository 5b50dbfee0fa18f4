//! `runner execution tail`: what happened, from the journals; then what happens, as it is recorded, and what the guests
//! say meanwhile, from the process that runs the execution or the daemon that is asked.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use runner_model::{Entry, ExecutionId, ExecutionRecord, JournalMask, Status, Timestamp, Version};
use runner_server::control::{Line, Lines, Said};
use runner_store::SqliteStore;
use serde_json::{Value, json};

use super::story::{Story, Told};
use super::{Which, identify};
use crate::app::App;
use crate::command::exec::exit_of;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{elapsed, one_line, printable};
use crate::owner;
use crate::records::{Place, Records};
use crate::remote::{Happened, Remote, Tree};

/// How often to look when nobody says that there is something new: it has no owner, or an owner that cannot be heard.
const LOOK: Duration = Duration::from_millis(500);
/// How soon to look after something was said: what is said may not be recorded yet.
const LOOK_SOON: Duration = Duration::from_millis(25);

/// Which one, and how long.
#[derive(Debug, Args)]
pub(crate) struct TailCommand {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Go on with what happens from now on, until the execution has ended
    #[arg(short, long)]
    follow: bool,
}

impl TailCommand {
    /// Shows it; ends as the execution does.
    pub(super) async fn run(self, app: &App, place: &Place) -> Result<Exit, CliError> {
        let id = identify(place.records(), &self.which.id).await?;
        let place = if self.follow { place.patient() } else { place.clone() };
        let records = place.records();
        let mut tail = Tail { app, records, root: id, parts: BTreeMap::new(), keeps: false };
        tail.part(id, 0);
        match &place {
            Place::Here(store) => tail.here(store, self.follow).await?,
            Place::There(remote) => tail.there(remote, self.follow).await?,
        }
        Ok(match tail.status() {
            Some(status) if status.is_terminal() => exit_of(status),
            _ => Exit::Succeeded,
        })
    }
}

/// An execution that is shown: the one that is meant, or one that a step of it started.
struct Part {
    depth: usize,
    read: usize,
    story: Story,
    /// What must not be shown, as far as it was read.
    mask: JournalMask,
    record: Option<ExecutionRecord>,
    /// What was recorded, for whoever goes on from there; kept only as long as somebody may.
    entries: Vec<Entry>,
}

impl Part {
    fn take(&mut self, id: ExecutionId, entry: &Entry) {
        self.read += 1;
        match &mut self.record {
            None => self.record = ExecutionRecord::begin(id, entry),
            // What is recorded follows from what was: the store sees to that.
            Some(record) => drop(record.apply(entry)),
        }
    }
}

struct Tail<'a> {
    app: &'a App,
    records: &'a dyn Records,
    root: ExecutionId,
    parts: BTreeMap<ExecutionId, Part>,
    /// Whether what was read is needed once more.
    keeps: bool,
}

impl Tail<'_> {
    fn part(&mut self, id: ExecutionId, depth: usize) {
        let new = || Part {
            depth,
            read: 0,
            story: Story::default(),
            mask: JournalMask::default(),
            record: None,
            entries: Vec::new(),
        };
        self.parts.entry(id).or_insert_with(new);
    }

    fn status(&self) -> Option<Status> {
        Some(self.parts.get(&self.root)?.record.as_ref()?.status)
    }

    fn has_ended(&self) -> bool {
        self.status().is_some_and(Status::is_terminal)
    }

    /// Of the data directory.
    async fn here(&mut self, store: &SqliteStore, follow: bool) -> Result<(), CliError> {
        let mut lines = None;
        if follow {
            lines = self.hear(store).await?;
        }
        self.catch_up().await?;
        while follow && !self.has_ended() {
            if lines.is_none() {
                lines = self.hear(store).await?;
            }
            lines = self.wait(lines).await;
            self.catch_up().await?;
        }
        Ok(())
    }

    /// Of a daemon.
    async fn there(&mut self, remote: &Remote, follow: bool) -> Result<(), CliError> {
        self.keeps = follow;
        self.catch_up().await?;
        if !follow || self.has_ended() {
            return Ok(());
        }
        let taken = |part: &mut Part| std::mem::take(&mut part.entries);
        let seen = self.parts.get_mut(&self.root).map(taken).unwrap_or_default();
        let mut tree = Tree::of(remote, self.root, &seen);
        for (id, part) in self.parts.iter_mut().filter(|(id, _)| **id != self.root) {
            let depth = u32::try_from(part.depth).unwrap_or(u32::MAX);
            tree.add(*id, depth, &taken(part));
        }
        while let Some(happened) = tree.next().await? {
            match happened {
                Happened::Said(line) => self.said(&line),
                Happened::Recorded { execution, depth, entry } => {
                    self.part(execution, usize::try_from(depth).unwrap_or(usize::MAX));
                    let Some(part) = self.parts.get_mut(&execution) else { continue };
                    let n = part.read;
                    part.take(execution, &entry);
                    self.recorded(execution, n, &entry);
                }
            }
        }
        Ok(())
    }

    /// Somebody who says what happens: the process that runs the execution, if one does.
    async fn hear(&self, store: &SqliteStore) -> Result<Option<Lines>, CliError> {
        let Some(client) = owner::find(self.app, store, self.root).await? else { return Ok(None) };
        // Without it the journal is looked at now and then.
        Ok(client.progress(self.root).await.ok())
    }

    /// Waits until there may be something new in the journals.
    async fn wait(&mut self, lines: Option<Lines>) -> Option<Lines> {
        let Some(mut lines) = lines else {
            tokio::time::sleep(LOOK).await;
            return None;
        };
        match tokio::time::timeout(LOOK, lines.next()).await {
            // Its process ends, or the execution has ended.
            Ok(None) => {
                tokio::time::sleep(LOOK_SOON).await;
                None
            }
            Ok(Some(line)) => {
                match &line.said {
                    Said::Log { .. } | Said::Request { .. } | Said::Heartbeat { .. } | Said::Lost { .. } => {
                        // What led to it is recorded already.
                        drop(self.catch_up().await);
                        self.said(&line);
                    }
                    _ => tokio::time::sleep(LOOK_SOON).await,
                }
                Some(lines)
            }
            Err(_) => Some(lines),
        }
    }

    /// Shows what was recorded since the last time, of all parts, in the order of time.
    async fn catch_up(&mut self) -> Result<(), CliError> {
        let mut new = Vec::new();
        let mut open = vec![(self.root, 0)];
        while let Some((id, depth)) = open.pop() {
            self.part(id, depth);
            let children = self.records.children(id).await?;
            open.extend(children.iter().map(|child| (child.id, depth + 1)));
            let Some(part) = self.parts.get_mut(&id) else { continue };
            let from = Version(u64::try_from(part.read).unwrap_or(u64::MAX));
            let entries = self.records.read(id, from).await?;
            part.mask.learn(&entries);
            for entry in &entries {
                new.push((entry.at, id, part.read, part.mask.entry(entry)));
                part.take(id, entry);
            }
            if self.keeps {
                part.entries.extend(entries);
            }
        }
        // Of one moment, in the order of recording; the sort is stable for those of different executions.
        new.sort_by_key(|(at, _, n, _)| (*at, *n));
        for (_, id, n, entry) in new {
            self.recorded(id, n, &entry);
        }
        Ok(())
    }

    fn recorded(&mut self, id: ExecutionId, n: usize, entry: &Entry) {
        let Some(part) = self.parts.get_mut(&id) else { return };
        if self.app.output.json {
            let mut value = serde_json::to_value(entry).unwrap_or_default();
            if let Value::Object(map) = &mut value {
                map.insert("execution".to_owned(), json!(id));
                map.insert("n".to_owned(), json!(n));
            }
            return self.app.output.line(value.to_string());
        }
        let Told { word, place, text } = part.story.tell(entry);
        let depth = part.depth;
        self.line(entry.at, depth, &word, &format!("{place} {text}"));
    }

    /// What is said and not recorded.
    fn said(&self, line: &Line) {
        if self.app.output.json {
            return self.app.output.line(serde_json::to_string(line).unwrap_or_default());
        }
        let part = self.parts.get(&line.execution);
        let place = part.zip(line.step).map(|(part, step)| part.story.place(step, line.item)).unwrap_or_default();
        let (word, text) = match &line.said {
            Said::Log { level, message, fields } => {
                let fields: String = fields.iter().map(|(name, value)| format!(" {name}={value}")).collect();
                ("log", format!("{level} {message}{fields}"))
            }
            Said::Request { method, target, path, result, elapsed_ms } => {
                let took = elapsed(Duration::from_millis(*elapsed_ms));
                ("request", one_line(&format!("{method} {target} {path} → {result}, {took}"), 200))
            }
            Said::Heartbeat { progress } => ("progress", one_line(progress, 120)),
            Said::Lost { events } => ("lost", format!("{events} events: the journal has what matters")),
            _ => return,
        };
        let depth = part.map_or(0, |part| part.depth);
        self.line(line.at, depth, word, &format!("{place} {text}"));
    }

    fn line(&self, at: Timestamp, depth: usize, word: &str, text: &str) {
        let indent = "  ".repeat(depth);
        self.app.output.line(printable(format!("{at} {indent}{word:<9} {}", text.trim()).trim_end()));
    }
}
