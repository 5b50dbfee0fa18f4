//! Asking another process.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Method, Request, Response, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use runner_executor::Control;
use runner_model::{ExecutionId, NodeId, limits};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::line::Line;
use super::wire::{Node, Problem, Stands, Turn};
use crate::local::{Nodes, connect};

/// Another process of the data directory.
#[derive(Debug, Clone)]
pub struct Client {
    nodes: Nodes,
    node: NodeId,
}

/// Why another process did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It cannot be reached: it ends, or is not there any more.
    #[error("the process {node} cannot be reached")]
    Gone {
        /// Its name.
        node: NodeId,
        /// Why.
        source: io::Error,
    },
    /// It does not answer, or not in words that can be understood.
    #[error("the process {node} does not answer: {why}")]
    Silent {
        /// Its name.
        node: NodeId,
        /// Why.
        why: String,
    },
    /// It said no.
    #[error("{}", .0.detail)]
    Refused(Problem),
}

impl Client {
    /// For the process with this name.
    #[must_use]
    pub const fn new(nodes: Nodes, node: NodeId) -> Self {
        Self { nodes, node }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &NodeId {
        &self.node
    }

    /// Which process it is, and how much it has to do.
    ///
    /// # Errors
    /// It cannot be reached or does not answer.
    pub async fn node(&self) -> Result<Node, ClientError> {
        self.read(self.send(Method::GET, "/node", &()).await?).await
    }

    /// Asks something of an execution. When this returns it is recorded.
    ///
    /// # Errors
    /// It cannot be reached, does not answer, or says no.
    pub async fn control(&self, id: ExecutionId, ask: &Control) -> Result<Stands, ClientError> {
        self.read(self.send(Method::POST, &format!("/executions/{id}/control"), ask).await?).await
    }

    /// What an execution waits for because of policies.
    ///
    /// # Errors
    /// It cannot be reached, does not answer, or says no.
    pub async fn delayed(&self, id: ExecutionId) -> Result<Vec<Turn>, ClientError> {
        self.read(self.send(Method::GET, &format!("/executions/{id}/delayed"), &()).await?).await
    }

    /// What happens in an execution from now on: when this returns nothing is missed any more.
    ///
    /// # Errors
    /// It cannot be reached, or does not answer.
    pub async fn progress(&self, id: ExecutionId) -> Result<Lines, ClientError> {
        let response = self.send(Method::GET, &format!("/executions/{id}/progress"), &()).await?;
        if response.status().is_success() {
            return Ok(Lines { body: response.into_body(), buffer: BytesMut::new() });
        }
        Err(match self.read::<Problem>(response).await {
            Ok(problem) => ClientError::Refused(problem),
            Err(error) => error,
        })
    }

    /// Asks the REST API of the process, as somebody on this machine: `request` names a path and may bring headers and a
    /// body. The answer is whatever it says, refusals included; how long it may take is up to whoever asks.
    ///
    /// # Errors
    /// The process cannot be reached, or does not speak HTTP.
    pub async fn call(&self, mut request: Request<Full<Bytes>>) -> Result<Response<Incoming>, ClientError> {
        let gone = |source| ClientError::Gone { node: self.node.clone(), source };
        let stream = within(connect(&self.nodes, &self.node)).await.map_err(gone)?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream.bytes)).await.map_err(|error| gone(io::Error::other(error)))?;
        // Ends with the conversation: when the answer is read, or dropped.
        tokio::spawn(connection);
        let headers = request.headers_mut();
        headers.insert(header::HOST, HeaderValue::from_static("localhost"));
        if let Some(secret) = stream.secret {
            let bearer = HeaderValue::try_from(format!("Bearer {secret}")).map_err(|error| self.silent(&error))?;
            headers.insert(header::AUTHORIZATION, bearer);
        }
        sender.send_request(request).await.map_err(|error| gone(io::Error::other(error)))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<Response<Incoming>, ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| self.silent(&error))?;
        let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
        let request = request.body(Full::new(Bytes::from(body))).map_err(|error| self.silent(&error))?;
        tokio::time::timeout(ANSWER, self.call(request))
            .await
            .unwrap_or_else(|_| Err(self.silent(&format!("nothing within {} s", ANSWER.as_secs()))))
    }

    async fn read<T: DeserializeOwned>(&self, response: Response<Incoming>) -> Result<T, ClientError> {
        let status = response.status();
        let max = limits::PARAMETERS_BYTES_MAX;
        let body = tokio::time::timeout(ANSWER, Limited::new(response.into_body(), max).collect()).await;
        let bytes = match body {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) => return Err(self.silent(&error)),
            Err(_) => return Err(self.silent(&"its answer does not end")),
        };
        if !status.is_success() {
            let problem = serde_json::from_slice(&bytes).map_err(|error| self.silent(&error))?;
            return Err(ClientError::Refused(problem));
        }
        serde_json::from_slice(&bytes).map_err(|error| self.silent(&error))
    }

    fn silent(&self, why: &impl ToString) -> ClientError {
        ClientError::Silent { node: self.node.clone(), why: why.to_string() }
    }
}

/// How long a process may take to answer: it writes to the disk, and may wait for the database's lock.
const ANSWER: Duration = Duration::from_secs(15);

async fn within<T>(reach: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(ANSWER, reach).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// What happens in an execution of another process.
#[derive(Debug)]
pub struct Lines {
    body: Incoming,
    buffer: BytesMut,
}

impl Lines {
    /// What happened next; none when the execution has ended, or the process has.
    pub async fn next(&mut self) -> Option<Line> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(end + 1);
                // A newer process may say things that this one does not know.
                match serde_json::from_slice(&line) {
                    Ok(line) => return Some(line),
                    Err(_) => continue,
                }
            }
            let frame = self.body.frame().await?.ok()?;
            if let Ok(data) = frame.into_data() {
                self.buffer.extend_from_slice(&data);
            }
            if self.buffer.len() > LINE_BYTES_MAX {
                return None;
            }
        }
    }
}

/// A line holds at most one heartbeat, one log line, or one failure of a guest.
const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;
