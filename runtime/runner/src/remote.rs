//! The REST API of a daemon, as commands ask it: of another machine (`--url`), or of the daemon that has the data
//! directory, over its local socket.
//!
//! It knows addresses, keys and how refusals become errors of the command line. It must not know what is asked: paths and
//! types belong to the commands.

mod again;
mod events;
mod problem;
mod tree;
mod trust;
mod way;

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt as _, Full, Limited};
use runner_model::{code, limits};
use runner_server::local::Nodes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::cli::GlobalArgs;
use crate::config::Environment;
use crate::error::CliError;
use crate::exit::Exit;
use again::{Failed, Patience};
use events::{Event, Events, Heard};
pub(crate) use tree::{Happened, Tree};
pub(crate) use trust::download_client;
use way::{Body, Way};

/// How long an answer may take: the daemon writes to its disk first, and may have much to do.
const ANSWER: Duration = Duration::from_secs(60);
/// The largest answer that is read: the journal of a long execution, in bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024 * 1024;

/// A daemon that can be asked. A clone is the same.
#[derive(Clone)]
pub(crate) struct Remote {
    way: Way,
    patience: Patience,
}

/// A page of a list.
#[derive(Debug, Deserialize)]
struct Page<T> {
    items: Vec<T>,
    #[serde(default)]
    next: Option<String>,
}

/// What goes behind the `?` of an address.
pub(crate) type Query<'a> = &'a [(&'a str, String)];

impl Remote {
    /// The one that the command line or the environment names, if one does.
    pub(crate) fn of(global: &GlobalArgs, environment: &Environment) -> Result<Option<Self>, CliError> {
        let Some(text) = global.url.clone().or_else(|| environment.get("RUNNER_URL")) else { return Ok(None) };
        let way = Way::to(&text, global.key_file.as_deref(), environment)?;
        Ok(Some(Self { way, patience: Patience::default() }))
    }

    /// The daemon of a data directory, if one lives; `user` is who asks it, for its audit log.
    pub(crate) fn local(nodes: Nodes, user: String) -> Option<Self> {
        let node = nodes.daemon()?;
        Some(Self { way: Way::Socket { nodes, node, user }, patience: Patience::default() })
    }

    /// The same for whoever stays with it: a daemon that is started anew, or a way to it that is cut, is waited for.
    pub(crate) fn patient(&self) -> Self {
        Self { way: self.way.clone(), patience: Patience::endless() }
    }

    /// Whom is asked, for messages.
    pub(crate) fn name(&self) -> String {
        self.way.name()
    }

    /// Asks for something.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str, query: Query<'_>) -> Result<T, CliError> {
        self.read(&self.ask(&Asked::to(Method::GET, path, query).again()).await?)
    }

    /// Asks to do something.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + Sync + ?Sized),
    ) -> Result<T, CliError> {
        self.read(&self.ask(&Asked::to(Method::POST, path, &[]).with(self.written(body)?)).await?)
    }

    /// Asks to do something that is done once, however often it is asked.
    pub(crate) async fn post_again<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + Sync + ?Sized),
    ) -> Result<T, CliError> {
        self.read(&self.ask(&Asked::to(Method::POST, path, &[]).with(self.written(body)?).again()).await?)
    }

    /// Asks to do something that `key` makes the same as another request with it, so that it is done once.
    pub(crate) async fn post_once<T: DeserializeOwned>(
        &self,
        path: &str,
        key: &str,
        body: &(impl Serialize + Sync + ?Sized),
    ) -> Result<T, CliError> {
        let asked = Asked::to(Method::POST, path, &[]).with(self.written(body)?).again();
        self.read(&self.ask(&Asked { key: Some(key), ..asked }).await?)
    }

    /// Asks to put something in a place, in the place of what is there.
    pub(crate) async fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + Sync + ?Sized),
    ) -> Result<T, CliError> {
        self.read(&self.ask(&Asked::to(Method::PUT, path, &[]).with(self.written(body)?)).await?)
    }

    /// Asks to take something away.
    pub(crate) async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, CliError> {
        self.read(&self.ask(&Asked::to(Method::DELETE, path, &[])).await?)
    }

    /// A list, page by page, up to `max` of it.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        query: Query<'_>,
        max: usize,
    ) -> Result<Vec<T>, CliError> {
        let mut found = Vec::new();
        let mut cursor: Option<String> = None;
        while found.len() < max {
            let mut query = query.to_vec();
            query.push(("limit", (max - found.len()).min(limits::API_PAGE_MAX).to_string()));
            query.extend(cursor.map(|cursor| ("cursor", cursor)));
            let page: Page<T> = self.get(path, &query).await?;
            found.extend(page.items);
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        found.truncate(max);
        Ok(found)
    }

    /// A text, such as a picture.
    pub(crate) async fn text(&self, path: &str, query: Query<'_>) -> Result<String, CliError> {
        let bytes = self.ask(&Asked::to(Method::GET, path, query).again()).await?;
        String::from_utf8(bytes).map_err(|error| self.puzzling(&error))
    }

    /// What happens, from after the event with the id `after`, or from the beginning.
    fn events(&self, path: String, after: Option<String>) -> Events {
        Events::new(self.clone(), path, after)
    }

    /// The body of its answer, unless it says no.
    async fn ask(&self, asked: &Asked<'_>) -> Result<Vec<u8>, CliError> {
        let mut again = self.patience.clone().again();
        loop {
            let failed = match self.ask_once(asked).await {
                Ok(bytes) => {
                    again.is_there();
                    return Ok(bytes);
                }
                Err(failed) => failed,
            };
            if !asked.is_repeatable {
                return Err(failed.error);
            }
            again.after(failed).await?;
        }
    }

    async fn ask_once(&self, asked: &Asked<'_>) -> Result<Vec<u8>, Failed> {
        let request = asked.request().map_err(|error| Failed::for_good(self.puzzling(&error)))?;
        let sent = tokio::time::timeout(ANSWER, self.way.send(request)).await;
        let response = sent.unwrap_or_else(|_| Err(Failed::for_now(self.way.silent(&"nothing came in time"))))?;
        if response.status().is_success() { self.body(response).await } else { Err(self.refused(response).await) }
    }

    async fn body(&self, response: Response<Body>) -> Result<Vec<u8>, Failed> {
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect();
        match tokio::time::timeout(ANSWER, body).await {
            Ok(Ok(body)) => Ok(body.to_bytes().into()),
            Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
                Err(Failed::for_good(self.way.silent(&error)))
            }
            Ok(Err(error)) => Err(Failed::for_now(self.way.silent(&error))),
            Err(_) => Err(Failed::for_now(self.way.silent(&"its answer does not end"))),
        }
    }

    /// It says no.
    async fn refused(&self, response: Response<Body>) -> Failed {
        let (status, after) = (response.status(), problem::retry_after(response.headers()));
        let bytes = match self.body(response).await {
            Ok(bytes) => bytes,
            Err(failed) => return failed,
        };
        let error = problem::refused(status, after, &bytes, &self.name());
        // It is about to end; or what stands before it finds nobody there.
        Failed { error, may_pass: matches!(status.as_u16(), 502..=504) }
    }

    fn read<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, CliError> {
        serde_json::from_slice(bytes).map_err(|error| self.puzzling(&error))
    }

    fn written(&self, body: &(impl Serialize + ?Sized)) -> Result<Vec<u8>, CliError> {
        serde_json::to_vec(body).map_err(|error| self.puzzling(&error))
    }

    /// It answers in words that are not runner's.
    fn puzzling(&self, why: &dyn std::fmt::Display) -> CliError {
        let message = format!("{} answers in words that cannot be read: {why}", self.name());
        CliError::new(Exit::Broken, code::CLI_REMOTE, message)
            .hint("is it a `runner serve` of this version? `curl …/api/v1/version` says")
    }
}

/// A request, to be made as often as is needed.
struct Asked<'a> {
    method: Method,
    address: String,
    body: Option<Vec<u8>>,
    key: Option<&'a str>,
    /// Whether it may be asked again, though nobody knows whether it was heard.
    is_repeatable: bool,
}

impl Asked<'_> {
    fn to(method: Method, path: &str, query: Query<'_>) -> Self {
        Self { method, address: address(path, query), body: None, key: None, is_repeatable: false }
    }

    fn with(self, body: Vec<u8>) -> Self {
        Self { body: Some(body), ..self }
    }

    fn again(self) -> Self {
        Self { is_repeatable: true, ..self }
    }

    fn request(&self) -> http::Result<Request<Full<Bytes>>> {
        let mut request = Request::builder().method(self.method.clone()).uri(&self.address);
        if self.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(key) = self.key {
            request = request.header("idempotency-key", key);
        }
        request.body(Full::from(self.body.clone().unwrap_or_default()))
    }
}

/// A path with its query.
fn address(path: &str, query: Query<'_>) -> String {
    if query.is_empty() {
        return path.to_owned();
    }
    let pairs = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query.iter().map(|(name, value)| (*name, value.as_str())))
        .finish();
    format!("{path}?{pairs}")
}

/// A text as one part of a path.
pub(crate) fn segment(text: &str) -> String {
    // No base is needed, but `Url` has the rules of what stands in a path.
    let Ok(mut url) = Url::parse("http://x") else { return String::new() };
    if let Ok(mut segments) = url.path_segments_mut() {
        // `.` and `..` would be taken for what they mean in paths.
        segments.push(if matches!(text, "." | "..") { "%2E" } else { text });
    }
    url.path().trim_start_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_user_types_stays_one_part_of_the_path() {
        assert_eq!(segment("a/b?c#d e"), "a%2Fb%3Fc%23d%20e");
        assert_eq!(segment("core.noop"), "core.noop");
        assert_eq!(segment(".."), "%252E");
        assert_eq!(address("/x", &[("a", "b c&".to_owned())]), "/x?a=b+c%26");
    }
}
