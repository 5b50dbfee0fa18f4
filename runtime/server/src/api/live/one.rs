//! One execution, followed to its end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, Path, State};
use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;
use runner_model::limits::{STREAM_HEARTBEAT, STREAM_LOOK};
use runner_model::{Entry, ExecutionId, Fact, JournalMask, Timestamp, Version};
use runner_store::Journal;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

use super::tails::Said;
use super::{HEARTBEAT, Leave, Source, event, respond};
use crate::api::access::{Local, Principal};
use crate::api::context::Context;
use crate::api::problem::ApiProblem;

/// How long the last lines of an execution may come after its end.
const LAST_LINES: Duration = Duration::from_millis(250);
/// How soon the journal is looked at again after something was said.
const LOOK_AGAIN: Duration = Duration::from_millis(4);

/// What happens in an execution, as server-sent events, to its end
///
/// Facts of the journal are events with the fact's type; their data is the entry, their id the length of the journal
/// then. Between them come `log`, `heartbeat` and `request`: what guests say. `Last-Event-ID` goes on after an event.
/// The last event is `end`.
#[utoipa::path(get, path = "/api/v1/executions/{id}/events", tag = "executions",
    params(("id" = String, Path, description = "Its id, or the beginning of it."),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was received.")),
    responses((status = 200, description = "The events.", body = String, content_type = "text/event-stream"),
        (status = 409, description = "Several ids begin like that.")))]
pub(super) async fn follow(
    State(context): State<Arc<Context>>,
    principal: Principal,
    local: Option<Extension<Local>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiProblem> {
    let place = context.streams.enter()?;
    let id = context.execution(&id, &principal).await?.id;
    // Before the journal is read, so that nothing is missed.
    let changed = context.tails.watch(id);
    let after = headers.get("last-event-id").and_then(|value| value.to_str().ok()).map(After::read);
    let leave = Leave::new(context.clone(), headers.clone(), local.is_some());
    let follow = Follow {
        context,
        leave,
        id,
        version: 0,
        mask: JournalMask::default(),
        line: Seen::Number(0),
        changed,
        pending: VecDeque::new(),
        look: LOOK_AGAIN,
        has_ended: false,
    };
    Ok(respond(follow.from(after.unwrap_or_default()).await?, place))
}

/// Where somebody has come.
#[derive(Debug, Clone, Copy, Default)]
struct After {
    version: u64,
    line: Option<u64>,
}

impl After {
    /// `17`, or `17.42`; what is neither is the beginning.
    fn read(text: &str) -> Self {
        let (version, line) = match text.split_once('.') {
            Some((version, line)) => (version, line.parse().ok()),
            None => (text, None),
        };
        version.parse().map_or_else(|_| Self::default(), |version| Self { version, line })
    }
}

/// Which lines were seen.
#[derive(Debug, Clone, Copy)]
enum Seen {
    /// Those up to a number.
    Number(u64),
    /// Those up to a moment: the last thing that was seen was a fact.
    Until(Timestamp),
}

struct Follow {
    context: Arc<Context>,
    leave: Leave,
    id: ExecutionId,
    /// How many entries were sent.
    version: u64,
    /// What must not be shown, as far as the journal was read.
    mask: JournalMask,
    line: Seen,
    changed: watch::Receiver<()>,
    pending: VecDeque<Bytes>,
    /// After how long to look at the journal, if nothing is said.
    look: Duration,
    has_ended: bool,
}

impl Follow {
    /// From where somebody has come.
    async fn from(mut self, after: After) -> Result<Self, ApiProblem> {
        if after.version > 0 {
            let entries = Journal::read(&*self.context.options.store, self.id, Version(0)).await?;
            // A journal never becomes shorter: who claims to have seen more has not seen this one.
            let seen = usize::try_from(after.version).ok().and_then(|count| entries.get(..count));
            if let Some(last) = seen.and_then(<[Entry]>::last) {
                self.mask.learn(seen.unwrap_or_default());
                self.version = after.version;
                self.line = after.line.map_or(Seen::Until(last.at), Seen::Number);
            }
        }
        Ok(self)
    }

    /// Takes what is new from the journal and from what was said.
    async fn gather(&mut self) -> Result<(), ApiProblem> {
        let entries = Journal::read(&*self.context.options.store, self.id, Version(self.version)).await?;
        let ends = entries.last().map(|entry| matches!(entry.fact, Fact::Finished { .. }));
        if ends == Some(true) {
            self.hear_the_last(&entries).await;
        }
        let lines = match self.line {
            Seen::Number(number) => self.context.tails.after(self.id, number),
            Seen::Until(moment) => {
                let lines = self.context.tails.after(self.id, 0);
                lines.into_iter().filter(|said| said.at > moment).collect()
            }
        };
        self.merge(&entries, lines);
        let is_over = match ends {
            Some(ends) => ends,
            // Somebody came back after the end.
            None => self.pending.is_empty() && self.stands_ended().await?,
        };
        if is_over {
            self.pending.push_back(event("end", None, "{}"));
            self.has_ended = true;
        }
        Ok(())
    }

    /// Waits a moment for what was said before the end, if the end has only just come.
    async fn hear_the_last(&mut self, entries: &[Entry]) {
        let now = self.context.now();
        let is_fresh = entries.last().is_some_and(|entry| now.since_ms(entry.at) < 1_000);
        if is_fresh && !self.context.tails.has_ended(self.id) {
            let _ = tokio::time::timeout(LAST_LINES, self.changed.changed()).await;
        }
    }

    async fn stands_ended(&self) -> Result<bool, ApiProblem> {
        let store = &*self.context.options.store;
        if !runner_store::Catalogue::get(store, self.id).await?.status.is_terminal() {
            return Ok(false);
        }
        // It may have ended only after the journal was read.
        Ok(Journal::read(store, self.id, Version(self.version)).await?.is_empty())
    }

    /// Facts and lines, in the order of time.
    fn merge(&mut self, entries: &[Entry], lines: Vec<Said>) {
        self.mask.learn(entries);
        let mut lines = lines.into_iter().peekable();
        for entry in entries {
            while let Some(said) = lines.next_if(|said| said.at < entry.at) {
                self.send_line(&said);
            }
            self.send_entry(entry);
        }
        lines.for_each(|said| self.send_line(&said));
    }

    fn send_entry(&mut self, entry: &Entry) {
        self.version += 1;
        let data = serde_json::to_value(self.mask.entry(entry)).unwrap_or_default();
        let kind = data.get("type").and_then(Value::as_str).unwrap_or("fact").to_owned();
        self.pending.push_back(event(&kind, Some(&self.version.to_string()), &data.to_string()));
    }

    fn send_line(&mut self, said: &Said) {
        self.line = Seen::Number(said.number);
        let id = format!("{}.{}", self.version, said.number);
        self.pending.push_back(event(said.kind, Some(&id), &said.data));
    }

    /// Waits until there may be more; false if it is time to say that the stream is alive.
    async fn wait(&mut self, heartbeat: Instant) -> bool {
        let look = self.look;
        self.look = (look * 2).min(STREAM_LOOK);
        tokio::select! {
            changed = self.changed.changed() => {
                self.look = LOOK_AGAIN;
                if changed.is_err() {
                    // What was said was forgotten, because others say more.
                    self.changed = self.context.tails.watch(self.id);
                }
                true
            }
            // What happens is said before it is committed; and nobody tells this process what another one drives.
            () = tokio::time::sleep(look) => true,
            () = tokio::time::sleep_until(heartbeat) => false,
            () = self.context.drained() => true,
        }
    }
}

impl Source for Follow {
    async fn next(&mut self) -> Option<Bytes> {
        let heartbeat = Instant::now() + STREAM_HEARTBEAT;
        loop {
            if !self.leave.holds().await {
                return None;
            }
            if let Some(bytes) = self.pending.pop_front() {
                return Some(bytes);
            }
            if self.has_ended || self.context.is_draining() {
                return None;
            }
            // Whoever follows comes again, with what they have seen.
            self.gather().await.ok()?;
            if self.pending.is_empty() && !self.wait(heartbeat).await {
                return Some(HEARTBEAT);
            }
        }
    }
}
