//! Random operations on the database and on the model: the same answers and the same state in the end.

mod happening;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use runner_model::{Entry, ExecutionRecord, Fact, FencingToken, NodeId, Origin, PackRef, Status, StepId, Version};
use runner_store::{
    Append, Awaited, Catalogue, Claimed, Events, ExecutionFilter, Journal, KeyValue, Lease, Leases, MemoryStore,
    NewExecution, OpenWait, Order, Store, StoreError, Swap, WaitFilter, Waits,
};
use serde_json::{Value, json};

use crate::given::{
    answered, at, event_id, finished, id, item_result, node, noise, pack, requested, requested_by, result, rule,
    scheduled, sqlite, started, waiting, with_digest,
};
use happening::Happening;

#[derive(Debug, Clone)]
enum Operation {
    Create {
        number: u128,
        entries: Vec<Entry>,
        node: String,
        until: i64,
    },
    /// `behind` and `stale` make version and token wrong, mostly by nothing.
    Append {
        number: u128,
        entries: Vec<Entry>,
        behind: u64,
        stale: u64,
        announce: bool,
    },
    Read {
        number: u128,
        from: u64,
    },
    Claim {
        number: u128,
        node: String,
        now: i64,
        until: i64,
    },
    ClaimOpen {
        node: String,
        now: i64,
        limit: usize,
    },
    Renew {
        node: String,
        until: i64,
    },
    Expire {
        node: String,
    },
    Park {
        number: u128,
        stale: u64,
        /// None: the version does not matter.
        behind: Option<u64>,
        wake_at: Option<i64>,
    },
    Owner {
        number: u128,
    },
    Children {
        number: u128,
    },
    Versions,
    Waits {
        filter: WaitFilter,
        limit: usize,
    },
    Release {
        number: u128,
        stale: u64,
    },
    List {
        filter: ExecutionFilter,
        cursor: Option<u128>,
        limit: usize,
    },
    Count {
        filter: ExecutionFilter,
    },
    Find {
        prefix: String,
    },
    Happening(Happening),
    Set {
        pack: String,
        key: String,
        value: Value,
        expires: Option<i64>,
    },
    Get {
        pack: String,
        key: String,
        now: i64,
    },
    Delete {
        pack: String,
        key: String,
        now: i64,
    },
    Swap(Swap),
    Keys {
        pack: String,
        prefix: String,
        now: i64,
        limit: usize,
    },
    Sweep {
        now: i64,
        limit: usize,
    },
    Reopen,
}

/// An answer of any operation.
#[derive(Debug, PartialEq)]
enum Answer {
    Lease(Option<Lease>),
    Claimed(Vec<Claimed>),
    Owner(Option<NodeId>),
    Versions(Vec<(PackRef, String)>),
    Waits(Vec<OpenWait>),
    Version(Version),
    Entries(Vec<Entry>),
    Records(Vec<ExecutionRecord>),
    Ids(Vec<runner_model::ExecutionId>),
    Value(Option<Value>),
    Keys(Vec<String>),
    Count(u64),
    Done(bool),
    Happened(happening::Answer),
}

const EXECUTIONS: std::ops::Range<u128> = 1..6;

fn entry() -> impl Strategy<Value = Entry> {
    let millis = 0..100_i64;
    prop_oneof![
        4 => (millis.clone(), 0..9_u32).prop_map(|(at, step)| scheduled(at, step)),
        2 => (millis.clone(), 0..3_u64).prop_map(|(at, seed)| result(at, 0, large(seed))),
        4 => (millis.clone(), any::<f64>(), ".{0,9}").prop_map(|(at, n, text)| result(at, 0, json!({"n": n, "t": text}))),
        3 => millis.clone().prop_map(started),
        1 => millis.clone().prop_map(|millis| Entry::new(at(millis), Fact::CancelRequested { by: "me".into() })),
        2 => (millis.clone(), prop::sample::select(Status::ALL.to_vec())).prop_map(|(at, end)| finished(at, end)),
        3 => (millis.clone(), 0..3_u32, option::of(0..2_u32), option::of(prop::sample::select(vec!["k", "l"])))
            .prop_map(|(at, step, item, key)| waiting(at, step, item, key)),
        2 => (millis.clone(), 0..3_u32, option::of(0..2_u32))
            .prop_map(|(at, step, item)| answered(at, step, item, json!(at))),
        1 => (millis.clone(), 0..3_u32, 0..2_u32).prop_map(|(at, step, item)| item_result(at, step, Some(item), json!(1))),
        1 => millis.clone().prop_map(|millis| Entry::new(at(millis), Fact::PauseRequested { by: "me".into() })),
        1 => millis.clone().prop_map(|millis| Entry::new(at(millis), Fact::Rested { status: Status::Paused })),
        1 => millis.prop_map(|millis| requested(millis, "core.noop")),
    ]
}

/// One of few, so that the same ones come again.
fn large(seed: u64) -> Value {
    json!({"text": noise(seed, 17_000), "n": seed})
}

fn beginning() -> impl Strategy<Value = Vec<Entry>> {
    let action = prop::sample::select(vec!["core.noop", "core.echo", "core2.noop"]);
    let origin = prop_oneof![
        2 => EXECUTIONS.prop_map(|parent| Origin::Step { execution: id(parent), step: StepId(0) }),
        1 => (happening::name(), happening::EVENTS, 0..2_u32)
            .prop_map(|(name, event, chain)| Origin::Rule { rule: rule(&name), event: event_id(event), chain }),
        1 => Just(Origin::Cli),
    ];
    let digest = prop::sample::select(vec!["00", "11", "22"]);
    (0..100_i64, action, origin, digest, vec(entry(), 0..3), prop::bool::weighted(0.95)).prop_map(
        |(at, action, origin, digest, rest, sound)| {
            let first = sound.then(|| with_digest(requested_by(at, action, origin), digest));
            first.into_iter().chain(rest).collect()
        },
    )
}

fn filter() -> impl Strategy<Value = ExecutionFilter> {
    let action = prop::sample::select(vec!["core.noop", "core2.noop"]).prop_map(|action| action.parse().unwrap());
    let pack = prop::sample::select(vec!["core", "core2"]).prop_map(pack);
    let status = prop::sample::select(Status::ALL.to_vec());
    let moment = || option::weighted(0.2, (0..100_i64).prop_map(at));
    let what = (option::weighted(0.4, status), option::weighted(0.3, action), option::weighted(0.3, pack));
    let whose = (option::weighted(0.2, any::<bool>()), option::weighted(0.2, EXECUTIONS.prop_map(id)));
    let event = option::weighted(0.1, happening::EVENTS.prop_map(event_id));
    let why = (option::weighted(0.2, happening::name()), event, option::weighted(0.2, any::<bool>()));
    let order = prop::sample::select(vec![Order::Newest, Order::Oldest]);
    (what, (moment(), moment(), moment(), moment()), whose, why, order).prop_map(
        |((status, action, pack), moments, (open, parent), (name, event, root), order)| ExecutionFilter {
            status,
            action,
            pack,
            created_after: moments.0,
            created_before: moments.1,
            open,
            parent,
            root,
            rule: name.map(|name| rule(&name)),
            event,
            finished_after: moments.2,
            finished_before: moments.3,
            order,
        },
    )
}

fn wait_filter() -> impl Strategy<Value = WaitFilter> {
    let kind = prop::sample::select(vec![Awaited::Inquiry, Awaited::Event, Awaited::Outcome]);
    let key = prop::sample::select(vec!["k".to_owned(), "l".to_owned()]);
    let execution = EXECUTIONS.prop_map(id);
    (option::weighted(0.3, execution), option::weighted(0.3, kind), option::weighted(0.3, key))
        .prop_map(|(execution, kind, key)| WaitFilter { execution, kind, key })
}

fn operation() -> impl Strategy<Value = Operation> {
    let number = || EXECUTIONS;
    let name = || prop::sample::select(vec!["a".to_owned(), "b".to_owned()]);
    let key = || prop::sample::select(vec!["k".to_owned(), "k/1".to_owned(), "kü".to_owned(), String::new()]);
    let now = || 0..100_i64;
    let value = || prop_oneof![Just(Value::Null), (0..3).prop_map(|n| json!(n)), any::<f64>().prop_map(|n| json!([n]))];
    let mostly_none = || prop_oneof![9 => Just(0_u64), 1 => 1..3_u64];
    let executions = prop_oneof![
        3 => (number(), beginning(), name(), now())
            .prop_map(|(number, entries, node, until)| Operation::Create { number, entries, node, until }),
        8 => (number(), vec(entry(), 0..4), mostly_none(), mostly_none(), any::<bool>()).prop_map(
            |(number, entries, behind, stale, announce)| Operation::Append { number, entries, behind, stale, announce }
        ),
        2 => (number(), 0..12_u64).prop_map(|(number, from)| Operation::Read { number, from }),
        2 => (number(), name(), now(), now())
            .prop_map(|(number, node, now, until)| Operation::Claim { number, node, now, until }),
        3 => (name(), now(), 0..4_usize).prop_map(|(node, now, limit)| Operation::ClaimOpen { node, now, limit }),
        2 => (name(), now()).prop_map(|(node, until)| Operation::Renew { node, until }),
        1 => name().prop_map(|node| Operation::Expire { node }),
        3 => (number(), mostly_none(), option::of(mostly_none()), option::of(now()))
            .prop_map(|(number, stale, behind, wake_at)| Operation::Park { number, stale, behind, wake_at }),
        1 => number().prop_map(|number| Operation::Owner { number }),
        1 => number().prop_map(|number| Operation::Children { number }),
        1 => Just(Operation::Versions),
        2 => (wait_filter(), 0..5_usize).prop_map(|(filter, limit)| Operation::Waits { filter, limit }),
        1 => (number(), mostly_none()).prop_map(|(number, stale)| Operation::Release { number, stale }),
        2 => (filter(), option::of(number()), 0..5_usize)
            .prop_map(|(filter, cursor, limit)| Operation::List { filter, cursor, limit }),
        1 => filter().prop_map(|filter| Operation::Count { filter }),
        1 => "[0-]{3,36}[0-9a-g]?".prop_map(|prefix| Operation::Find { prefix }),
    ];
    let values = prop_oneof![
        3 => (name(), key(), value(), option::of(now()))
            .prop_map(|(pack, key, value, expires)| Operation::Set { pack, key, value, expires }),
        2 => (name(), key(), now()).prop_map(|(pack, key, now)| Operation::Get { pack, key, now }),
        1 => (name(), key(), now()).prop_map(|(pack, key, now)| Operation::Delete { pack, key, now }),
        2 => (name(), key(), option::of(value()), option::of(value()), option::of(now()), now())
            .prop_map(|(owner, key, expected, value, expires, now)| Operation::Swap(Swap {
                pack: pack(&owner), key, expected, value, expires_at: expires.map(at), now: at(now),
            })),
        1 => (name(), key(), now(), 0..4_usize)
            .prop_map(|(pack, prefix, now, limit)| Operation::Keys { pack, prefix, now, limit }),
        1 => (now(), 0..3_usize).prop_map(|(now, limit)| Operation::Sweep { now, limit }),
    ];
    let happening = happening::happening().prop_map(Operation::Happening);
    prop_oneof![20 => executions, 8 => values, 12 => happening, 1 => Just(Operation::Reopen)]
}

/// What the writers know: the token and the version of each execution as last told.
type Known = std::collections::BTreeMap<u128, (u64, u64)>;

async fn perform(store: &dyn Store, operation: Operation, known: &Known) -> Result<Answer, StoreError> {
    let knows = |number: u128| known.get(&number).copied().unwrap_or_default();
    Ok(match operation {
        Operation::Create { number, entries, node: owner, until } => {
            let new = NewExecution { id: id(number), entries, owner: node(&owner), lease_until: at(until) };
            Answer::Lease(Some(store.create(new).await?))
        }
        Operation::Append { number, entries, behind, stale, announce } => {
            let (token, version) = knows(number);
            let token = FencingToken(token.saturating_sub(stale));
            let expected = Version(version.saturating_sub(behind));
            Answer::Version(
                store.append(Append { id: id(number), token, expected, entries, sealed: false, announce }).await?,
            )
        }
        Operation::Read { number, from } => Answer::Entries(store.read(id(number), Version(from)).await?),
        Operation::Claim { number, node: name, now, until } => {
            Answer::Lease(store.claim(id(number), &node(&name), at(now), at(until)).await?)
        }
        Operation::ClaimOpen { node: name, now, limit } => {
            Answer::Claimed(store.claim_open(&node(&name), at(now), limit).await?)
        }
        Operation::Renew { node: name, until } => {
            store.renew(&node(&name), at(until)).await.map(|()| Answer::Done(true))?
        }
        Operation::Expire { node: name } => store.expire(&node(&name)).await.map(|()| Answer::Done(true))?,
        Operation::Park { number, stale, behind, wake_at } => {
            let (token, version) = knows(number);
            let (id, token, wake_at) = (id(number), FencingToken(token.saturating_sub(stale)), wake_at.map(at));
            let parked = match behind {
                None => store.park(id, token, wake_at).await,
                Some(behind) => {
                    let version = Version(version.saturating_sub(behind));
                    store.park_if_unchanged(Lease { id, token, version }, wake_at).await
                }
            };
            parked.map(|()| Answer::Done(true))?
        }
        Operation::Owner { number } => Answer::Owner(store.owner(id(number)).await?),
        Operation::Children { number } => Answer::Records(store.children(id(number)).await?),
        Operation::Versions => Answer::Versions(store.versions().await?),
        Operation::Waits { filter, limit } => Answer::Waits(store.waits(&filter, limit).await?),
        Operation::Release { number, stale } => {
            let token = FencingToken(knows(number).0.saturating_sub(stale));
            store.release(id(number), token).await.map(|()| Answer::Done(true))?
        }
        Operation::List { filter, cursor, limit } => Answer::Records(store.list(&filter, cursor.map(id), limit).await?),
        Operation::Count { filter } => Answer::Count(store.count(&filter).await?),
        Operation::Find { prefix } => Answer::Ids(store.find(&prefix).await?),
        Operation::Happening(happening) => Answer::Happened(happening::perform(store, happening).await?),
        Operation::Set { pack: owner, key, value, expires } => {
            store.set(&pack(&owner), &key, value, expires.map(at)).await.map(|()| Answer::Done(true))?
        }
        Operation::Get { pack: owner, key, now } => {
            Answer::Value(KeyValue::get(store, &pack(&owner), &key, at(now)).await?)
        }
        Operation::Delete { pack: owner, key, now } => Answer::Done(store.delete(&pack(&owner), &key, at(now)).await?),
        Operation::Swap(swap) => Answer::Done(store.compare_and_swap(swap).await?),
        Operation::Keys { pack: owner, prefix, now, limit } => {
            Answer::Keys(store.keys(&pack(&owner), &prefix, at(now), limit).await?)
        }
        Operation::Sweep { now, limit } => Answer::Count(store.sweep(at(now), limit).await?),
        Operation::Reopen => Answer::Done(true),
    })
}

fn learn(known: &mut Known, operation: &Operation, answer: &Answer) {
    let mut lease = |lease: &Lease| {
        let number = u128::from_be_bytes(*lease.id.as_bytes());
        known.insert(number, (lease.token.0, lease.version.0));
    };
    match (operation, answer) {
        (_, Answer::Lease(Some(new))) => lease(new),
        (_, Answer::Claimed(all)) => all.iter().for_each(|claimed| lease(&claimed.lease)),
        (Operation::Append { number, .. }, Answer::Version(version)) => {
            known.entry(*number).and_modify(|known| known.1 = version.0);
        }
        _ => {}
    }
}

async fn compare(operations: Vec<Operation>) {
    let dir = tempfile::tempdir().unwrap();
    let (model, mut store) = (MemoryStore::default(), sqlite(dir.path()).await);
    let mut known = Known::new();
    for operation in operations {
        if matches!(operation, Operation::Reopen) {
            drop(store);
            store = sqlite(dir.path()).await;
        }
        let expected = perform(&model, operation.clone(), &known).await;
        let found = perform(&store, operation.clone(), &known).await;
        assert_eq!(found, expected, "{operation:?}");
        if let Ok(answer) = &found {
            learn(&mut known, &operation, answer);
        }
    }
    for number in EXECUTIONS {
        assert_eq!(store.read(id(number), Version(0)).await, model.read(id(number), Version(0)).await);
        assert_eq!(Catalogue::get(&store, id(number)).await, Catalogue::get(&model, id(number)).await);
    }
    for number in happening::EVENTS {
        assert_eq!(store.event(event_id(number)).await, model.event(event_id(number)).await);
    }
    assert_eq!(store.ended(99).await, model.ended(99).await);
    assert_eq!(store.versions().await, model.versions().await);
    let everything = WaitFilter::default();
    assert_eq!(store.waits(&everything, 99).await, model.waits(&everything, 99).await);
    // Leases, and what is parked, are seen by what can be claimed of them.
    for store in [&model as &dyn Store, &store] {
        store.renew(&node("z"), at(2000)).await.unwrap();
    }
    let expected = model.claim_open(&node("z"), at(1000), 99).await;
    assert_eq!(store.claim_open(&node("z"), at(1000), 99).await, expected);
    for owner in ["a", "b"] {
        assert_eq!(store.keys(&pack(owner), "", at(50), 99).await, model.keys(&pack(owner), "", at(50), 99).await);
    }
    store.verify().await.unwrap();
    // No large value stays behind that nobody needs.
    let db = rusqlite::Connection::open(dir.path().join("runner.db")).unwrap();
    let unneeded = "SELECT count(*) FROM blobs WHERE hash NOT IN (SELECT hash FROM blob_uses)";
    assert_eq!(db.query_row(unneeded, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_database_answers_like_the_model(operations in vec(operation(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(compare(operations));
    }
}
