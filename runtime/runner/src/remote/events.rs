//! What happens, as the daemon says it: server-sent events. Whoever is cut off comes again and says what they have seen.

use std::time::Duration;

use futures::StreamExt as _;
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full};
use sse_stream::SseStream;

use super::way::Body;
use super::{Remote, problem};
use crate::error::CliError;

/// How long nothing may come, not even the sign that the other side lives, which comes every 15 s.
const SILENCE: Duration = Duration::from_secs(45);
/// How long to wait before coming again, the first time; doubled each time.
const AGAIN: Duration = Duration::from_millis(200);
/// How often to come again, if nothing is heard in between: 12 s in all, so long does a daemon take to begin.
const TRIES_MAX: u32 = 6;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// Of what kind.
    pub(super) kind: String,
    /// Where in the stream it stands.
    pub(super) id: Option<String>,
    /// What happened, as JSON.
    pub(super) data: String,
}

/// Those that follow.
pub(super) struct Events {
    remote: Remote,
    path: String,
    after: Option<String>,
    stream: Option<SseStream<Body>>,
    tries: u32,
}

impl Events {
    pub(super) const fn new(remote: Remote, path: String, after: Option<String>) -> Self {
        Self { remote, path, after, stream: None, tries: 0 }
    }

    /// The next one. It may be waited for in turn with other things: nothing is lost when this is dropped.
    pub(super) async fn next(&mut self) -> Result<Event, CliError> {
        loop {
            if self.stream.is_none() {
                self.stream = self.begin().await?;
            }
            let Some(stream) = &mut self.stream else { continue };
            match tokio::time::timeout(SILENCE, stream.next()).await {
                Ok(Some(Ok(sse))) => {
                    self.tries = 0;
                    if let Some(id) = &sse.id {
                        self.after = Some(id.clone());
                    }
                    // A comment is only a sign of life.
                    let Some(data) = sse.data else { continue };
                    return Ok(Event { kind: sse.event.unwrap_or_default(), id: sse.id, data });
                }
                // The daemon ends, or the way to it is cut: the next one goes on where this one was.
                Ok(Some(Err(_)) | None) | Err(_) => self.stream = None,
            }
        }
    }

    /// Begins to listen; none if that is to be tried again.
    async fn begin(&mut self) -> Result<Option<SseStream<Body>>, CliError> {
        if self.tries > 0 {
            tokio::time::sleep(AGAIN * 2_u32.pow(self.tries.min(TRIES_MAX) - 1)).await;
        }
        self.tries += 1;
        let mut request = Request::get(&self.path).header(header::ACCEPT, "text/event-stream");
        if let Some(after) = &self.after {
            request = request.header("last-event-id", after);
        }
        let request = request.method(Method::GET).body(Full::default());
        let request = request.map_err(|error| self.remote.puzzling(&error))?;
        let error = match self.remote.way.send(request).await {
            Ok(response) if response.status().is_success() => {
                return Ok(Some(SseStream::new(response.into_body())));
            }
            Ok(response) => {
                let (status, after) = (response.status(), problem::retry_after(response.headers()));
                let body = response.into_body().collect().await;
                let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
                let refused = problem::refused(status, after, &body, &self.remote.name());
                if status.as_u16() != 503 {
                    return Err(refused);
                }
                refused
            }
            Err(error) => error,
        };
        if self.tries > TRIES_MAX { Err(error) } else { Ok(None) }
    }
}
