//! The operations on events, reservations and upkeep, at random.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use runner_model::{Event, ExecutionId, MatchState};
use runner_store::{
    Advance, EventFilter, Expiry, NewEvent, Once, Pruned, Recorded, Reservation, Reserved, Store, StoreError,
};
use serde_json::json;

use super::{EXECUTIONS, large};
use crate::given::{at, event, event_id, id, rule};

pub(super) const EVENTS: std::ops::Range<u128> = 1..6;

#[derive(Debug, Clone)]
pub(super) enum Happening {
    Record { events: Vec<NewEvent>, advance: Vec<Advance> },
    Settle { number: u128, name: String, state: MatchState },
    List { filter: EventFilter, cursor: Option<u128>, limit: usize },
    Open { after: Option<u128>, limit: usize },
    Mark { name: String },
    Ended { limit: usize },
    Reserve { reservation: Reservation, now: i64 },
    Prune { expiry: Expiry, limit: usize },
}

#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    Recorded(Vec<Recorded>),
    Settled,
    Events(Vec<Event>),
    Mark(Option<String>),
    Ended(Vec<ExecutionId>),
    Reserved(Reserved),
    Pruned(Pruned),
}

pub(super) fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a".to_owned(), "b".to_owned()])
}

fn key() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["k".to_owned(), "l".to_owned(), String::new()])
}

fn state() -> impl Strategy<Value = MatchState> {
    prop::sample::select(vec![
        MatchState::Pending,
        MatchState::Queued,
        MatchState::Started,
        MatchState::Skipped { reason: "enough".into() },
    ])
}

fn new_event() -> impl Strategy<Value = NewEvent> {
    let what = (EVENTS, option::of(key()), 0..100_i64, option::weighted(0.3, 0..3_u64));
    let once = vec((name(), key(), 0..100_i64), 0..2);
    (what, vec((name(), state()), 0..3), once).prop_map(|((number, key, received_at, seed), matches, once)| {
        let names: Vec<&str> = matches.iter().map(|(name, _)| name.as_str()).collect();
        let mut event = event(number, key.as_deref(), &names);
        event.received_at = at(received_at);
        // The same large values as in executions, so that they share them.
        event.payload = seed.map_or_else(|| json!(number.to_string()), large);
        for (found, (_, state)) in event.matches.iter_mut().zip(matches) {
            found.state = state;
            found.parameters.insert("payload".into(), event.payload.clone());
        }
        let once = once.into_iter().map(|(name, key, until)| Once { rule: rule(&name), key, until: at(until) });
        NewEvent { event, once: once.collect() }
    })
}

fn advance() -> impl Strategy<Value = Advance> {
    prop_oneof![
        (name(), "[0-9]{1,3}").prop_map(|(name, value)| Advance::Mark { name, value }),
        EXECUTIONS.prop_map(|number| Advance::Ended(id(number))),
    ]
}

fn filter() -> impl Strategy<Value = EventFilter> {
    let moment = || option::weighted(0.2, (0..100_i64).prop_map(at));
    let what = (option::weighted(0.4, name()), option::weighted(0.4, any::<bool>()), any::<bool>());
    (what, moment(), moment()).prop_map(|((name, open, of_webhooks), received_after, received_before)| EventFilter {
        trigger: of_webhooks.then(|| "core.webhook".parse().unwrap()),
        source: None,
        rule: name.map(|name| rule(&name)),
        open,
        received_after,
        received_before,
    })
}

fn expiry() -> impl Strategy<Value = Expiry> {
    let moment = || option::of((0..120_i64).prop_map(at));
    (moment(), option::weighted(0.3, 0..4_u64), moment(), 0..100_i64).prop_map(
        |(executions_before, executions_max, events_before, now)| Expiry {
            executions_before,
            executions_max,
            events_before,
            now: at(now),
        },
    )
}

pub(super) fn happening() -> impl Strategy<Value = Happening> {
    let reservation = (key(), key(), 0..5_u8, 0..100_i64).prop_map(|(scope, key, number, until)| Reservation {
        scope,
        key,
        digest: [number; 32],
        execution: id(u128::from(number)),
        until: at(until),
    });
    prop_oneof![
        5 => (vec(new_event(), 0..3), vec(advance(), 0..2))
            .prop_map(|(events, advance)| Happening::Record { events, advance }),
        4 => (EVENTS, name(), state()).prop_map(|(number, name, state)| Happening::Settle { number, name, state }),
        2 => (filter(), option::of(EVENTS), 0..5_usize)
            .prop_map(|(filter, cursor, limit)| Happening::List { filter, cursor, limit }),
        1 => (option::of(EVENTS), 0..5_usize).prop_map(|(after, limit)| Happening::Open { after, limit }),
        1 => name().prop_map(|name| Happening::Mark { name }),
        1 => (0..4_usize).prop_map(|limit| Happening::Ended { limit }),
        2 => (reservation, 0..100_i64).prop_map(|(reservation, now)| Happening::Reserve { reservation, now }),
        3 => (expiry(), 0..5_usize).prop_map(|(expiry, limit)| Happening::Prune { expiry, limit }),
    ]
}

pub(super) async fn perform(store: &dyn Store, happening: Happening) -> Result<Answer, StoreError> {
    Ok(match happening {
        Happening::Record { events, advance } => Answer::Recorded(store.record(events, advance).await?),
        Happening::Settle { number, name, state } => {
            store.settle(event_id(number), &rule(&name), state).await.map(|()| Answer::Settled)?
        }
        Happening::List { filter, cursor, limit } => {
            Answer::Events(store.events(&filter, cursor.map(event_id), limit).await?)
        }
        Happening::Open { after, limit } => Answer::Events(store.open_events(after.map(event_id), limit).await?),
        Happening::Mark { name } => Answer::Mark(store.mark(&name).await?),
        Happening::Ended { limit } => Answer::Ended(store.ended(limit).await?),
        Happening::Reserve { reservation, now } => Answer::Reserved(store.reserve(reservation, at(now)).await?),
        // The model keeps large values where they are.
        Happening::Prune { expiry, limit } => Answer::Pruned(Pruned { blobs: 0, ..store.prune(expiry, limit).await? }),
    })
}
