//! The catalogue: records, filters, pages, beginnings of ids.

use runner_model::{Entry, ExecutionId, ExecutionRecord, Fact, Origin, Status, limits};
use runner_store::{Catalogue, ExecutionFilter, NewExecution, Order, Store, StoreError};

use crate::given::{
    append, append_at, at, by_rule, child, event_id, finished, id, new, node, of_version, pack, requested, rule,
    started,
};

pub(crate) async fn a_record_follows_its_journal(store: &dyn Store) {
    let created = NewExecution { entries: vec![requested(1, "aiqum.create_svm")], ..new(1) };
    let lease = store.create(created).await.unwrap();
    let mut expected = ExecutionRecord {
        id: id(1),
        action: "aiqum.create_svm".parse().unwrap(),
        status: Status::Requested,
        origin: Origin::Cli,
        created_at: at(1),
        started_at: None,
        finished_at: None,
    };
    assert_eq!(Catalogue::get(store, id(1)).await.unwrap(), expected);
    let cancel = Entry::new(at(7), Fact::CancelRequested { by: "ctrl-c".into() });
    let version = store.append(append(&lease, vec![started(5), cancel])).await.unwrap();
    (expected.status, expected.started_at) = (Status::Canceling, Some(at(5)));
    assert_eq!(Catalogue::get(store, id(1)).await.unwrap(), expected);
    store.append(append_at(&lease, version, vec![finished(8, Status::Canceled)])).await.unwrap();
    (expected.status, expected.finished_at) = (Status::Canceled, Some(at(8)));
    assert_eq!(Catalogue::get(store, id(1)).await.unwrap(), expected);
}

pub(crate) async fn lists_are_filtered(store: &dyn Store) {
    let runs = [
        (1, "core.noop", Some(Status::Succeeded)),
        (2, "core.noop", Some(Status::Failed)),
        (3, "core.noop2", None),
        (4, "core2.noop", Some(Status::Failed)),
        (5, "core2.noop", Some(Status::Succeeded)),
    ];
    for (number, action, end) in runs {
        let millis = i64::try_from(number).unwrap();
        let mut entries = vec![requested(millis, action), started(millis)];
        entries.extend(end.map(|status| finished(millis, status)));
        store.create(NewExecution { entries, ..new(number) }).await.unwrap();
    }
    let all = ExecutionFilter::default();
    let action = Some("core.noop".parse().unwrap());
    let cases = [
        (all.clone(), vec![5, 4, 3, 2, 1]),
        (ExecutionFilter { status: Some(Status::Failed), ..all.clone() }, vec![4, 2]),
        (ExecutionFilter { status: Some(Status::Succeeded), ..all.clone() }, vec![5, 1]),
        (ExecutionFilter { status: Some(Status::Running), ..all.clone() }, vec![3]),
        (ExecutionFilter { status: Some(Status::Paused), ..all.clone() }, vec![]),
        (ExecutionFilter { action: action.clone(), ..all.clone() }, vec![2, 1]),
        (ExecutionFilter { pack: Some(pack("core")), ..all.clone() }, vec![3, 2, 1]),
        (ExecutionFilter { created_after: Some(at(2)), created_before: Some(at(4)), ..all.clone() }, vec![3, 2]),
        (ExecutionFilter { status: Some(Status::Failed), action, created_before: Some(at(2)), ..all.clone() }, vec![]),
        (ExecutionFilter { pack: Some(pack("core2")), status: Some(Status::Failed), ..all.clone() }, vec![4]),
        (ExecutionFilter { open: Some(true), ..all.clone() }, vec![3]),
        (ExecutionFilter { open: Some(false), pack: Some(pack("core2")), ..all.clone() }, vec![5, 4]),
        (ExecutionFilter { parent: Some(id(1)), ..all.clone() }, vec![]),
        (ExecutionFilter { finished_after: Some(at(2)), ..all.clone() }, vec![5, 4, 2]),
        (ExecutionFilter { finished_before: Some(at(4)), ..all.clone() }, vec![2, 1]),
        (ExecutionFilter { finished_after: Some(at(2)), finished_before: Some(at(5)), ..all.clone() }, vec![4, 2]),
        (ExecutionFilter { open: Some(true), finished_before: Some(at(99)), ..all }, vec![]),
    ];
    for (filter, expected) in cases {
        let found = store.list(&filter, None, 10).await.unwrap();
        let expected: Vec<ExecutionId> = expected.into_iter().map(id).collect();
        assert_eq!(found.iter().map(|record| record.id).collect::<Vec<_>>(), expected, "{filter:?}");
        assert!(found.iter().all(|record| filter.admits(record)));
    }
}

pub(crate) async fn lists_are_paged_from_the_newest(store: &dyn Store) {
    // Made in another order than they are listed in.
    for number in (1..=9).rev().step_by(2).chain((2..=8).step_by(2)) {
        store.create(new(number)).await.unwrap();
    }
    let filter = ExecutionFilter { status: Some(Status::Running), ..ExecutionFilter::default() };
    let mut seen = Vec::new();
    let mut cursor = None;
    for newer in 100.. {
        let page = store.list(&filter, cursor, 4).await.unwrap();
        seen.extend(page.iter().map(|record| record.id));
        // What is new while somebody pages does not shift the pages.
        store.create(new(newer)).await.unwrap();
        match page.last() {
            Some(last) => cursor = Some(last.id),
            None => break,
        }
    }
    assert_eq!(seen, (1..=9).rev().map(id).collect::<Vec<_>>());
    assert_eq!(store.list(&filter, None, 0).await.unwrap(), []);
}

pub(crate) async fn lists_are_paged_from_the_oldest_too(store: &dyn Store) {
    for number in [4, 1, 9, 7, 2] {
        store.create(new(number)).await.unwrap();
    }
    let filter = ExecutionFilter { order: Order::Oldest, ..ExecutionFilter::default() };
    let ids = |records: Vec<ExecutionRecord>| records.iter().map(|record| record.id).collect::<Vec<_>>();
    assert_eq!(ids(store.list(&filter, None, 3).await.unwrap()), [id(1), id(2), id(4)]);
    assert_eq!(ids(store.list(&filter, Some(id(4)), 3).await.unwrap()), [id(7), id(9)]);
    assert_eq!(store.list(&filter, Some(id(9)), 3).await.unwrap(), []);
}

pub(crate) async fn what_rules_started_is_found_by_rule_and_event(store: &dyn Store) {
    store.create(new(1)).await.unwrap();
    store.create(by_rule(2, "nightly", 7)).await.unwrap();
    store.create(by_rule(3, "nightly", 8)).await.unwrap();
    store.create(by_rule(4, "weekly", 8)).await.unwrap();
    store.create(child(5, 2)).await.unwrap();
    let origin = Origin::Rule { rule: rule("nightly"), event: event_id(7), chain: 2 };
    assert_eq!(Catalogue::get(store, id(2)).await.unwrap().origin, origin);
    let all = ExecutionFilter::default;
    let (nightly, eighth) = (Some(rule("nightly")), Some(event_id(8)));
    let cases = [
        (ExecutionFilter { rule: nightly.clone(), ..all() }, vec![3, 2]),
        (ExecutionFilter { rule: Some(rule("night")), ..all() }, vec![]),
        (ExecutionFilter { event: eighth, ..all() }, vec![4, 3]),
        (ExecutionFilter { event: Some(event_id(1)), ..all() }, vec![]),
        (ExecutionFilter { rule: nightly.clone(), event: eighth, ..all() }, vec![3]),
        (ExecutionFilter { rule: nightly, order: Order::Oldest, ..all() }, vec![2, 3]),
        (ExecutionFilter { root: Some(true), ..all() }, vec![4, 3, 2, 1]),
        (ExecutionFilter { root: Some(false), ..all() }, vec![5]),
    ];
    for (filter, expected) in cases {
        let found = store.list(&filter, None, 10).await.unwrap();
        let expected: Vec<ExecutionId> = expected.into_iter().map(id).collect();
        assert_eq!(found.iter().map(|record| record.id).collect::<Vec<_>>(), expected, "{filter:?}");
        assert!(found.iter().all(|record| filter.admits(record)));
    }
}

pub(crate) async fn executions_are_counted(store: &dyn Store) {
    let all = ExecutionFilter::default();
    assert_eq!(store.count(&all).await, Ok(0));
    for number in 1..=3 {
        store.create(by_rule(number, "nightly", number)).await.unwrap();
    }
    store.create(new(4)).await.unwrap();
    assert_eq!(store.count(&all).await, Ok(4));
    assert_eq!(store.count(&ExecutionFilter { rule: Some(rule("nightly")), ..all.clone() }).await, Ok(3));
    assert_eq!(store.count(&ExecutionFilter { status: Some(Status::Failed), ..all }).await, Ok(0));
}

pub(crate) async fn the_executions_that_steps_start_are_found_by_their_parent(store: &dyn Store) {
    store.create(new(1)).await.unwrap();
    // Child 9 was asked for at 9 ms, child 3 later, as ids of children do not sort by time.
    let mut late = child(3, 1);
    late.entries[0].at = at(20);
    let late = store.create(late).await.unwrap();
    store.create(child(9, 1)).await.unwrap();
    store.create(child(4, 9)).await.unwrap();
    let ids = |records: Vec<ExecutionRecord>| records.iter().map(|record| record.id).collect::<Vec<_>>();
    assert_eq!(ids(store.children(id(1)).await.unwrap()), [id(9), id(3)]);
    assert_eq!(ids(store.children(id(9)).await.unwrap()), [id(4)]);
    assert_eq!(store.children(id(77)).await.unwrap(), []);
    store.append(append(&late, vec![finished(30, Status::Failed)])).await.unwrap();
    let open = |open| ExecutionFilter { parent: Some(id(1)), open, ..ExecutionFilter::default() };
    assert_eq!(ids(store.list(&open(None), None, 9).await.unwrap()), [id(9), id(3)]);
    assert_eq!(ids(store.list(&open(Some(true)), None, 9).await.unwrap()), [id(9)]);
    assert_eq!(ids(store.list(&open(Some(false)), None, 9).await.unwrap()), [id(3)]);
    assert_eq!(ids(store.list(&open(None), Some(id(9)), 9).await.unwrap()), [id(3)]);
}

pub(crate) async fn ids_are_found_by_their_beginning(store: &dyn Store) {
    let all: Vec<ExecutionId> =
        (0..12).map(|low| format!("019a7b3c-4d5e-7000-8000-0000000000{low:02x}").parse().unwrap()).collect();
    let other: ExecutionId = "ffffffff-ffff-ffff-ffff-ffffffffffff".parse().unwrap();
    for id in all.iter().chain([&other]) {
        store.create(NewExecution { id: *id, owner: node("a"), ..new(1) }).await.unwrap();
    }
    let newest: Vec<_> = all.iter().rev().copied().take(limits::EXECUTION_PREFIX_MATCHES_MAX).collect();
    for prefix in ["019a", "019A7B3C-4d5", "019a7b3c4d5e"] {
        assert_eq!(store.find(prefix).await.unwrap(), newest, "{prefix}");
    }
    assert_eq!(store.find(&all[3].to_string()).await.unwrap(), [all[3]]);
    assert_eq!(store.find("ffff").await.unwrap(), [other]);
    assert_eq!(store.find("019b").await.unwrap(), []);
    assert_eq!(store.find("%%%%").await.unwrap(), []);
    assert_eq!(store.find("019").await, Err(StoreError::ShortPrefix { prefix: "019".into() }));
}

pub(crate) async fn each_version_of_a_pack_that_executions_began_with_is_told_once(store: &dyn Store) {
    assert_eq!(store.versions().await.unwrap(), []);
    let runs = [(1, "b.one", "22"), (2, "b.two", "22"), (3, "a.one", "22"), (4, "b.one", "11"), (5, "b.one", "22")];
    for (number, action, digest) in runs {
        store.create(of_version(number, action, digest)).await.unwrap();
    }
    // One that was refused is not counted, and one that has ended is: it may be run again.
    assert_eq!(store.create(of_version(1, "b.one", "99")).await, Err(StoreError::Exists));
    let mut ended = of_version(6, "c.one", "33");
    ended.entries.push(finished(9, Status::Failed));
    store.create(ended).await.unwrap();
    let expected = [("a", "22"), ("b", "11"), ("b", "22"), ("c", "33")];
    let expected = expected.map(|(name, digest)| (pack(name), digest.to_owned()));
    assert_eq!(store.versions().await.unwrap(), expected);
}
