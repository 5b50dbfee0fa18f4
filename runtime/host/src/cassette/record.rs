//! Writing a cassette.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use runner_model::{Clock, Failure, Timestamp, code};
use serde::Serialize;

use super::exchange::VERSION;
use super::{Answer, Exchange, Head, Request, Response};
use crate::egress::{HttpResponse, NetError};
use crate::mask::Mask;
use crate::traffic::Ask;

/// Writes down what goes over the connections of a process.
pub struct Recorder {
    clock: Arc<dyn Clock>,
    mask: Mask,
    tape: Mutex<Tape>,
}

struct Tape {
    file: File,
    /// The keys of the steps, in the order in which they first sent something.
    steps: Vec<String>,
    count: usize,
    /// Why something is missing.
    failed: Option<String>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl Recorder {
    /// Begins a cassette in this file, which only its owner can read; what it held before is gone.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn create(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        let refused = |error: std::io::Error| {
            let message = format!("the cassette `{}` cannot be written: {error}", path.display());
            Failure::new(code::TAPE_WRITE, message)
        };
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(refused)?;
        let runner = env!("CARGO_PKG_VERSION").to_owned();
        write(&mut file, &Head { cassette: VERSION, runner, recorded: clock.now().to_string() }).map_err(refused)?;
        let tape = Tape { file, steps: Vec::new(), count: 0, failed: None };
        Ok(Self { clock, mask: Mask::default(), tape: Mutex::new(tape) })
    }

    /// What is not written.
    #[must_use]
    pub const fn mask(&self) -> &Mask {
        &self.mask
    }

    /// Ends the cassette; says how many exchanges it holds.
    ///
    /// # Errors
    /// Something could not be written: the cassette is not whole.
    pub fn finish(&self) -> Result<usize, Failure> {
        let tape = self.tape.lock();
        match &tape.failed {
            None => Ok(tape.count),
            Some(reason) => {
                let message = format!("the cassette is not whole, it ends after {} exchanges: {reason}", tape.count);
                Err(Failure::new(code::TAPE_WRITE, message))
            }
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Writes down an exchange that has ended.
    pub(crate) fn exchanged(
        &self,
        ask: &Ask,
        (at, took): (Timestamp, Duration),
        result: &Result<HttpResponse, NetError>,
    ) {
        let request = Request::of(ask, &self.mask);
        let answer = match result {
            Ok(response) => Answer::Response(Response::of(response, &self.mask)),
            Err(error) => Answer::Error {
                code: error.code().id().to_owned(),
                message: self.mask.text(&error.message),
                hint: error.hint.clone(),
                retryable: error.retryable(),
            },
        };
        let mut tape = self.tape.lock();
        let exchange = Exchange {
            at: at.to_string(),
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            connection: ask.target.clone(),
            kind: ask.kind.clone(),
            action: ask.origin.action.clone(),
            step: tape.step(&ask.origin.key),
            item: ask.origin.item(),
            request,
            answer,
        };
        tape.append(&exchange);
    }
}

impl Tape {
    fn step(&mut self, key: &str) -> usize {
        if let Some(at) = self.steps.iter().position(|known| known == key) {
            return at;
        }
        self.steps.push(key.to_owned());
        self.steps.len() - 1
    }

    /// After something that is missing nothing is written: half an order of events would be taken for the whole.
    fn append(&mut self, exchange: &Exchange) {
        if self.failed.is_some() {
            return;
        }
        match write(&mut self.file, exchange) {
            Ok(()) => self.count += 1,
            Err(error) => self.failed = Some(error.to_string()),
        }
    }
}

/// One line, in one write: a process that is killed leaves whole lines, as a rule.
fn write(file: &mut File, line: &impl Serialize) -> std::io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    file.write_all(&bytes)
}
