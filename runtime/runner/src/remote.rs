//! The REST API of a daemon, as commands ask it: of another machine (`--url`), or of the daemon that has the data
//! directory, over its local socket.
//!
//! It knows addresses, keys and how refusals become errors of the command line. It must not know what is asked: paths and
//! types belong to the commands.

mod events;
mod problem;
mod tree;
mod way;

use std::time::Duration;

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
use events::{Event, Events};
pub(crate) use tree::{Happened, Tree};
use way::{Body, Way};

/// How long an answer may take: the daemon writes to its disk first, and may have much to do.
const ANSWER: Duration = Duration::from_secs(60);
/// The largest answer that is read: the journal of a long execution, in bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024 * 1024;

/// A daemon that can be asked. A clone is the same.
#[derive(Clone)]
pub(crate) struct Remote {
    way: Way,
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
        Ok(Some(Self { way }))
    }

    /// The daemon of a data directory, if one lives.
    pub(crate) fn local(nodes: Nodes) -> Option<Self> {
        let node = nodes.daemon()?;
        Some(Self { way: Way::Socket { nodes, node } })
    }

    /// Whom is asked, for messages.
    pub(crate) fn name(&self) -> String {
        self.way.name()
    }

    /// Asks for something.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str, query: Query<'_>) -> Result<T, CliError> {
        self.ask(Method::GET, path, query, None::<&()>).await
    }

    /// Asks to do something.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + Sync + ?Sized),
    ) -> Result<T, CliError> {
        self.ask(Method::POST, path, &[], Some(body)).await
    }

    /// Asks to take something away.
    pub(crate) async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, CliError> {
        self.ask(Method::DELETE, path, &[], None::<&()>).await
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
        let response = self.answer(Method::GET, path, query, None::<&()>).await?;
        let bytes = self.read(response).await?;
        String::from_utf8(bytes).map_err(|error| self.puzzling(&error))
    }

    /// What happens, from after the event with the id `after`, or from the beginning.
    fn events(&self, path: String, after: Option<String>) -> Events {
        Events::new(self.clone(), path, after)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        query: Query<'_>,
        body: Option<&(impl Serialize + Sync + ?Sized)>,
    ) -> Result<T, CliError> {
        let response = self.answer(method, path, query, body).await?;
        let bytes = self.read(response).await?;
        serde_json::from_slice(&bytes).map_err(|error| self.puzzling(&error))
    }

    /// Its answer, unless it says no.
    async fn answer(
        &self,
        method: Method,
        path: &str,
        query: Query<'_>,
        body: Option<&(impl Serialize + Sync + ?Sized)>,
    ) -> Result<Response<Body>, CliError> {
        let mut request = Request::builder().method(method).uri(address(path, query));
        let mut bytes = Vec::new();
        if let Some(body) = body {
            bytes = serde_json::to_vec(body).map_err(|error| self.puzzling(&error))?;
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(Full::from(bytes)).map_err(|error| self.puzzling(&error))?;
        let sent = tokio::time::timeout(ANSWER, self.way.send(request)).await;
        let response = sent.unwrap_or_else(|_| Err(self.way.silent(&"nothing came in time")))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let (status, after) = (response.status(), problem::retry_after(response.headers()));
        let bytes = self.read(response).await?;
        Err(problem::refused(status, after, &bytes, &self.name()))
    }

    async fn read(&self, response: Response<Body>) -> Result<Vec<u8>, CliError> {
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect();
        match tokio::time::timeout(ANSWER, body).await {
            Ok(Ok(body)) => Ok(body.to_bytes().into()),
            Ok(Err(error)) => Err(self.way.silent(&error)),
            Err(_) => Err(self.way.silent(&"its answer does not end")),
        }
    }

    /// It answers in words that are not runner's.
    fn puzzling(&self, why: &dyn std::fmt::Display) -> CliError {
        let message = format!("{} answers in words that cannot be read: {why}", self.name());
        CliError::new(Exit::Broken, code::CLI_REMOTE, message)
            .hint("is it a `runner serve` of this version? `curl …/api/v1/version` says")
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
