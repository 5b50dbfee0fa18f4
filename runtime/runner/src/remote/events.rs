//! What happens, as the daemon says it: server-sent events. Whoever is cut off comes again and says what they have seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use http::{Request, header};
use http_body_util::{BodyExt as _, Full};
use sse_stream::SseStream;

use super::Remote;
use super::again::{Again, Failed};
use super::way::Body;
use crate::error::CliError;

/// How long nothing may come, not even the sign that the other side lives, which comes every 15 s. Looked at that often, so
/// that silence is noticed after twice as long at the latest.
const SILENCE: Duration = Duration::from_secs(40);

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// Of what kind.
    pub(super) kind: String,
    /// What happened, as JSON.
    pub(super) data: String,
}

/// What becomes of listening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// Something happened.
    Event(Event),
    /// The way there is cut: what happens now is heard once there is one again.
    Cut,
    /// There is one again.
    Joined,
}

/// Those that follow.
pub(super) struct Events {
    remote: Remote,
    path: String,
    after: Option<String>,
    stream: Option<SseStream<Body>>,
    /// Whether anything came since it was last looked at.
    is_alive: Arc<AtomicBool>,
    again: Again,
    was_cut: bool,
}

impl Events {
    pub(super) fn new(remote: Remote, path: String, after: Option<String>) -> Self {
        let again = remote.patience.clone().again();
        Self { remote, path, after, stream: None, is_alive: Arc::default(), again, was_cut: false }
    }

    /// The next one. It may be waited for in turn with other things: nothing is lost when this is dropped.
    pub(super) async fn next(&mut self) -> Result<Heard, CliError> {
        loop {
            if std::mem::take(&mut self.was_cut) {
                self.again.pause().await;
            }
            let Some(stream) = &mut self.stream else {
                match self.begin().await {
                    Ok(stream) => {
                        self.again.is_there();
                        self.stream = Some(stream);
                        return Ok(Heard::Joined);
                    }
                    Err(failed) => self.again.after(failed).await?,
                }
                continue;
            };
            match tokio::time::timeout(SILENCE, stream.next()).await {
                Ok(Some(Ok(sse))) => {
                    self.again.heard();
                    if let Some(id) = &sse.id {
                        self.after = Some(id.clone());
                    }
                    let Some(data) = sse.data else { continue };
                    return Ok(Heard::Event(Event { kind: sse.event.unwrap_or_default(), data }));
                }
                Err(_) if self.is_alive.swap(false, Ordering::Relaxed) => {}
                // The daemon ends, or the way to it is cut: the next one goes on where this one was.
                Ok(Some(Err(_)) | None) | Err(_) => {
                    (self.stream, self.was_cut) = (None, true);
                    return Ok(Heard::Cut);
                }
            }
        }
    }

    /// Begins to listen.
    async fn begin(&mut self) -> Result<SseStream<Body>, Failed> {
        let mut request = Request::get(&self.path).header(header::ACCEPT, "text/event-stream");
        if let Some(after) = &self.after {
            request = request.header("last-event-id", after);
        }
        let request = request.body(Full::default());
        let request = request.map_err(|error| Failed::for_good(self.remote.puzzling(&error)))?;
        let sent = tokio::time::timeout(SILENCE, self.remote.way.send(request)).await;
        let silent = |_| Err(Failed::for_now(self.remote.way.silent(&"nothing came in time")));
        let response = sent.unwrap_or_else(silent)?;
        if response.status().is_success() {
            // What only says that the other side lives is no event.
            let is_alive = self.is_alive.clone();
            let body = response.into_body().map_frame(move |frame| {
                is_alive.store(true, Ordering::Relaxed);
                frame
            });
            return Ok(SseStream::new(body.boxed_unsync()));
        }
        Err(self.remote.refused(response).await)
    }
}
