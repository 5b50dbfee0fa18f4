//! From an occurrence to an event with its matches. Pure: time and ids come in.
//!
//! A backstop matches only what no other rule matched. A rule that matches and whose parameters cannot be rendered has
//! matched all the same: the match is recorded, as failed.

use std::sync::Arc;

use runner_engine::EvaluationError;
use runner_engine::rule::{EventInfo, Occasion};
use runner_model::{ActionRef, Event, EventId, Failure, Mask, Match, MatchState, Timestamp, TriggerRef, code};
use runner_store::{NewEvent, Once};
use serde_json::{Map, Value};

use crate::table::Member;

/// Something that happened.
#[derive(Debug, Clone)]
pub(crate) struct Occurrence {
    pub(crate) trigger: TriggerRef,
    pub(crate) source: String,
    pub(crate) key: Option<String>,
    pub(crate) payload: Arc<Value>,
    pub(crate) occurred_at: Timestamp,
    pub(crate) trace_parent: Option<String>,
    pub(crate) chain: u32,
    /// Whether what it brings comes from something that is sealed.
    pub(crate) sealed: bool,
}

/// What the rules make of it. `secret` says of an action whether something secret may come up in it, and which of its
/// parameters must not be shown.
pub(crate) fn examine(
    occurrence: Occurrence,
    id: EventId,
    now: Timestamp,
    members: &[Arc<Member>],
    secret: impl Fn(&ActionRef) -> (bool, Vec<String>),
) -> NewEvent {
    let Occurrence { trigger, source, key, payload, occurred_at, trace_parent, chain, sealed } = occurrence;
    let event = EventInfo { trigger, source, id, occurred_at };
    let config = members.first().map(|member| member.config.clone()).unwrap_or_default();
    let mut occasion = Occasion { event, payload, config, now };
    let mut found = Found::default();
    let mut look = |backstop: bool, found: &mut Found| {
        for member in members.iter().filter(|member| member.is_backstop() == backstop) {
            occasion.config = member.config.clone();
            found.look(member, &occasion);
        }
    };
    look(false, &mut found);
    if found.matches.is_empty() {
        look(true, &mut found);
    }
    let Occasion { event: EventInfo { trigger, source, .. }, payload, .. } = occasion;
    let (mut sealed, mask) = (sealed, Mask::default());
    for one in &found.matches {
        let (is_secret, names) = secret(&one.action);
        sealed |= is_secret;
        names.iter().filter_map(|name| one.parameters.get(name)).for_each(|value| mask.learn_all(value));
    }
    let event = Event {
        id,
        trigger,
        source,
        key,
        occurred_at,
        received_at: now,
        payload: Arc::unwrap_or_clone(payload),
        chain,
        trace_parent,
        sealed,
        secrets: mask.secrets(),
        matches: found.matches,
    };
    NewEvent { event, once: found.once }
}

#[derive(Default)]
struct Found {
    matches: Vec<Match>,
    once: Vec<Once>,
}

impl Found {
    /// What one rule makes of it.
    fn look(&mut self, member: &Member, occasion: &Occasion) {
        member.tally.examined();
        match member.rule.plan.matches(occasion) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                member.tally.failed();
                tracing::warn!(rule = %member.name(), event = %occasion.event.id, error, "condition not evaluated");
                return;
            }
        }
        member.tally.matched();
        metrics::counter!("runner_rule_matches_total", "rule" => member.name().to_string()).increment(1);
        let (parameters, state) = match member.rule.plan.render(occasion) {
            Ok((parameters, key)) => {
                self.once.extend(key.map(|(key, window_ms)| Once {
                    rule: member.name().clone(),
                    key,
                    until: occasion.now.plus_ms(window_ms),
                }));
                (parameters, MatchState::Pending)
            }
            Err(error) => {
                member.tally.failed();
                tracing::warn!(rule = %member.name(), event = %occasion.event.id, %error, "parameters not rendered");
                (Map::new(), MatchState::Failed { failure: failure(&error) })
            }
        };
        self.matches.push(Match {
            rule: member.name().clone(),
            action: member.rule.action.clone(),
            parameters,
            execution: occasion.event.id.execution(member.name()),
            state,
        });
    }
}

fn failure(error: &EvaluationError) -> Failure {
    let (code, hint) = match error {
        EvaluationError::Failed { code, hint, .. } => (*code, hint.clone()),
        EvaluationError::NeedsKv { .. } => (code::EXPR_RUNTIME, None),
    };
    Failure { hint, ..Failure::new(code, error.to_string()) }
}
