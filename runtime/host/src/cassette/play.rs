//! Answering from a cassette.
//!
//! What one step sent on one connection comes in the order in which it was recorded, each exchange once. Between steps
//! there is no order: those that run at the same time take turns as it happens. Of equal requests it does not matter which
//! step they came from.

use std::collections::BTreeSet;
use std::path::Path;

use parking_lot::Mutex;
use runner_model::limits::CASSETTE_BYTES_MAX;
use runner_model::{Failure, code};

use super::exchange::VERSION;
use super::{Answer, Exchange, Head, Request};
use crate::egress::{ErrorKind, HttpResponse, NetError};
use crate::mask::Mask;
use crate::traffic::{Ask, Origin};

/// A cassette that is played.
pub struct Player {
    mask: Mask,
    exchanges: Vec<Exchange>,
    used: Mutex<Vec<bool>>,
    is_cut: bool,
}

impl std::fmt::Debug for Player {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Player").field("exchanges", &self.exchanges.len()).finish_non_exhaustive()
    }
}

impl Player {
    /// Reads a cassette. Of one that was cut off, what is whole.
    ///
    /// # Errors
    /// No file, no cassette, or a line that is broken before the last.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let refused = |what: String| Failure::new(code::TAPE_UNREADABLE, format!("the cassette `{shown}` {what}"));
        let size = std::fs::metadata(path).map_err(|error| refused(format!("cannot be read: {error}")))?.len();
        if size > CASSETTE_BYTES_MAX {
            return Err(refused(format!("is larger than {CASSETTE_BYTES_MAX} bytes")));
        }
        let bytes = std::fs::read(path).map_err(|error| refused(format!("cannot be read: {error}")))?;
        let text = String::from_utf8_lossy(&bytes);
        let mut lines = text.lines().enumerate().peekable();
        let head: Option<Head> = lines.next().and_then(|(_, line)| serde_json::from_str(line).ok());
        let hint = "a cassette is written by `runner exec … --record FILE`";
        match head {
            None => return Err(refused("is none: its first line does not say so".to_owned()).with_hint(hint)),
            Some(head) if head.cassette != VERSION => {
                return Err(refused(format!("has the format {}, this runner reads {VERSION}", head.cassette)));
            }
            Some(_) => {}
        }
        let (mut exchanges, mut is_cut) = (Vec::new(), false);
        while let Some((at, line)) = lines.next() {
            match serde_json::from_str(line) {
                Ok(exchange) => exchanges.push(exchange),
                // Its process was killed while it wrote.
                Err(_) if lines.peek().is_none() && !text.ends_with('\n') => is_cut = true,
                Err(error) => return Err(refused(format!("is broken in line {}: {error}", at + 1))),
            }
        }
        Ok(Self { mask: Mask::default(), used: Mutex::new(vec![false; exchanges.len()]), exchanges, is_cut })
    }

    /// What was not written.
    #[must_use]
    pub const fn mask(&self) -> &Mask {
        &self.mask
    }

    /// Whether its last line was incomplete.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The connections that were used, with their kinds.
    #[must_use]
    pub fn connections(&self) -> BTreeSet<(String, String)> {
        let through_one = self.exchanges.iter().filter(|exchange| !exchange.kind.is_empty());
        through_one.map(|exchange| (exchange.connection.clone(), exchange.kind.clone())).collect()
    }

    /// What nobody asked for, each in a line.
    #[must_use]
    pub fn left(&self) -> Vec<String> {
        let used = self.used.lock();
        let left = self.exchanges.iter().zip(used.iter()).filter(|(_, used)| !**used);
        left.map(|(exchange, _)| exchange.described()).collect()
    }

    /// The recorded answer to a request.
    pub(crate) fn answer(&self, ask: &Ask) -> Result<HttpResponse, NetError> {
        let request = Request::of(ask, &self.mask);
        let mut used = self.used.lock();
        let lane = Lane::of(&ask.target, &ask.origin);
        let Some(at) = self.find(&used, &lane, &request) else { return Err(self.unexpected(&used, ask, &request)) };
        if let Some(used) = used.get_mut(at) {
            *used = true;
        }
        match self.exchanges.get(at).map(|exchange| &exchange.answer) {
            Some(Answer::Response(response)) => Ok(response.into()),
            Some(Answer::Error { code, message, hint, retryable }) => {
                Err(NetError::recorded(code, message, hint.clone(), *retryable))
            }
            None => Err(self.unexpected(&used, ask, &request)),
        }
    }

    /// The first exchange of the lane that is like the request and whose turn it is.
    fn find(&self, used: &[bool], lane: &Lane<'_>, request: &Request) -> Option<usize> {
        let all = || self.exchanges.iter().zip(used.iter().copied()).enumerate();
        let in_lane = || all().filter(|(_, (exchange, _))| lane.holds(exchange));
        let open = in_lane().filter(|(_, (_, used))| !used);
        open.filter(|(_, (exchange, _))| exchange.request.is_like(request)).find_map(|(at, (exchange, _))| {
            // An earlier one of the same step counts as done if its like was taken from another step.
            let is_done = |(_, (before, used)): (usize, (&Exchange, bool))| {
                used || in_lane().any(|(_, (other, used))| used && other.request.is_like(&before.request))
            };
            in_lane()
                .take_while(|(before, _)| *before < at)
                .filter(|(_, (before, _))| before.step == exchange.step)
                .all(is_done)
                .then_some(at)
        })
    }

    fn unexpected(&self, used: &[bool], ask: &Ask, request: &Request) -> NetError {
        let (target, action) = (&ask.target, &ask.origin.action);
        let open =
            || self.exchanges.iter().zip(used).filter(|(exchange, used)| !**used && exchange.connection == *target);
        let lane = Lane::of(target, &ask.origin);
        let next = open().find(|(exchange, _)| lane.holds(exchange)).or_else(|| open().next());
        let expected = match next {
            Some((exchange, _)) => format!("`{}` of `{}` was expected", exchange.request.described(), exchange.action),
            None if self.is_cut => "nothing more is on the cassette, whose end is missing".to_owned(),
            None => "nothing more was expected".to_owned(),
        };
        let came = request.described();
        let message = format!("on `{target}` {expected}, but `{came}` came from `{action}`");
        let hint = "what is run is not what was recorded: record it again with `--record`";
        NetError::new(ErrorKind::Replay, message).with_hint(hint)
    }
}

/// What one action sends on one connection, for one item if it runs over a list.
struct Lane<'a> {
    target: &'a str,
    action: &'a str,
    item: Option<u32>,
}

impl<'a> Lane<'a> {
    fn of(target: &'a str, origin: &'a Origin) -> Self {
        Self { target, action: &origin.action, item: origin.item() }
    }

    fn holds(&self, exchange: &Exchange) -> bool {
        exchange.connection == self.target && exchange.action == self.action && exchange.item == self.item
    }
}

impl Exchange {
    fn described(&self) -> String {
        format!("{} on `{}`, of `{}`", self.request.described(), self.connection, self.action)
    }
}
