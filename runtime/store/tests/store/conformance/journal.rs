//! Journals: what is appended, what is refused, what is read.

use runner_model::{Entry, Fact, FencingToken, ItemIndex, Status, StepId, Version, limits};
use runner_store::{Append, Catalogue, NewExecution, Store, StoreError};
use serde_json::{Value, json};

use crate::given::{
    answered, append, append_at, at, finished, id, item_result, new, noise, requested, result, scheduled, started,
};

pub(crate) async fn entries_come_back_as_they_were_written(store: &dyn Store) {
    let new = new(1);
    let mut all = new.entries.clone();
    let lease = store.create(new).await.unwrap();
    assert_eq!((lease.id, lease.token, lease.version), (id(1), FencingToken(1), Version(2)));
    let tail = vec![
        scheduled(2, 0),
        result(
            3,
            0,
            json!({"float": 0.1 + 0.2, "big": u64::MAX, "text": "\u{0}ü\"\\", "deep": [[[{}]]], "none": null}),
        ),
        finished(4, Status::Succeeded),
    ];
    assert_eq!(store.append(append(&lease, tail.clone())).await.unwrap(), Version(5));
    all.extend(tail);
    assert_eq!(store.read(id(1), Version(0)).await.unwrap(), all);
}

pub(crate) async fn reading_begins_anywhere(store: &dyn Store) {
    let lease = store.create(new(1)).await.unwrap();
    let mut version = lease.version;
    for batch in [vec![scheduled(1, 0)], vec![scheduled(2, 1), scheduled(3, 2), scheduled(4, 3)], vec![scheduled(5, 4)]]
    {
        version = store.append(append_at(&lease, version, batch)).await.unwrap();
    }
    let all = store.read(id(1), Version(0)).await.unwrap();
    assert_eq!((version, all.len()), (Version(7), 7));
    for from in 0..=7 {
        assert_eq!(store.read(id(1), Version(from as u64)).await.unwrap(), all[from..], "from {from}");
    }
    assert_eq!(store.read(id(1), Version(8)).await.unwrap(), []);
    assert_eq!(store.read(id(1), Version(u64::MAX)).await.unwrap(), []);
}

pub(crate) async fn an_append_with_the_wrong_version_is_refused_and_writes_nothing(store: &dyn Store) {
    let lease = store.create(new(1)).await.unwrap();
    for wrong in [0, 1, 3, u64::MAX] {
        let refused = store.append(append_at(&lease, Version(wrong), vec![scheduled(1, 0)])).await;
        assert_eq!(refused, Err(StoreError::VersionConflict { expected: Version(wrong), found: Version(2) }));
    }
    assert_eq!(store.read(id(1), Version(0)).await.unwrap(), new(1).entries);
    assert_eq!(store.append(append(&lease, vec![scheduled(1, 0)])).await, Ok(Version(3)));
}

pub(crate) async fn an_append_without_entries_writes_nothing_but_is_checked(store: &dyn Store) {
    let lease = store.create(new(1)).await.unwrap();
    assert_eq!(store.append(append(&lease, vec![])).await, Ok(Version(2)));
    assert!(store.append(append_at(&lease, Version(9), vec![])).await.is_err());
    assert_eq!(
        store.append(Append { token: FencingToken(9), ..append(&lease, vec![]) }).await,
        Err(StoreError::Fenced)
    );
    assert_eq!(store.read(id(1), Version(0)).await.unwrap().len(), 2);
}

pub(crate) async fn an_id_is_used_once(store: &dyn Store) {
    store.create(new(1)).await.unwrap();
    let other = NewExecution { entries: vec![requested(9, "core.echo")], ..new(1) };
    assert_eq!(store.create(other).await, Err(StoreError::Exists));
    assert_eq!(store.read(id(1), Version(0)).await.unwrap(), new(1).entries);
}

pub(crate) async fn a_journal_begins_with_a_request_and_has_no_second(store: &dyn Store) {
    for entries in [vec![], vec![started(1)], vec![requested(1, "a.b"), requested(1, "a.b")]] {
        let refused = store.create(NewExecution { entries, ..new(1) }).await;
        assert!(matches!(refused, Err(StoreError::Illegal { .. })), "{refused:?}");
    }
    assert_eq!(store.read(id(1), Version(0)).await, Err(StoreError::NotFound));
    let lease = store.create(new(1)).await.unwrap();
    let refused = store.append(append(&lease, vec![requested(2, "a.b")])).await;
    assert!(matches!(refused, Err(StoreError::Illegal { .. })), "{refused:?}");
}

pub(crate) async fn illegal_moves_are_refused(store: &dyn Store) {
    let lease = store.create(new(1)).await.unwrap();
    // The first entry alone would be legal: all or none.
    let twice = vec![finished(2, Status::Succeeded), finished(3, Status::Failed)];
    for entries in [twice, vec![finished(2, Status::Running)], vec![finished(2, Status::Skipped)]] {
        let refused = store.append(append(&lease, entries)).await;
        assert!(matches!(refused, Err(StoreError::Illegal { .. })), "{refused:?}");
    }
    assert_eq!(Catalogue::get(store, id(1)).await.unwrap().status, Status::Running);
    assert_eq!(store.append(append(&lease, vec![finished(2, Status::Failed)])).await, Ok(Version(3)));
}

pub(crate) async fn values_of_every_depth_that_a_guest_may_return_can_be_read_again(store: &dyn Store) {
    let nested = |levels: usize| (0..levels).fold(Value::Null, |inner, _| json!({"in": inner}));
    let mut lease = store.create(new(1)).await.unwrap();
    for levels in 120..=runner_model::limits::JSON_DEPTH_MAX {
        lease.version = store.append(append(&lease, vec![result(2, 0, nested(levels))])).await.unwrap();
    }
    assert_eq!(store.read(id(1), Version(0)).await.unwrap().len(), 11);
    // Neither is a large one, wherever it is kept, deeper than a small one may be.
    let wide = |levels: usize| json!([nested(levels), noise(1, 20_000)]);
    lease.version = store.append(append(&lease, vec![result(2, 0, wide(120))])).await.unwrap();
    assert_eq!(store.read(id(1), lease.version).await.unwrap().len(), 0);
    for value in [nested(1000), wide(142), wide(1000)] {
        let refused = store.append(append(&lease, vec![result(2, 0, value)])).await;
        assert!(matches!(refused, Err(StoreError::Illegal { .. })), "{refused:?}");
    }
    let refused = store.append(append(&lease, vec![result(2, 0, nested(1000))])).await;
    assert!(matches!(refused, Err(StoreError::Illegal { .. })), "{refused:?}");
}

/// A list that takes a good deal more than the limit.
fn large(seed: u64) -> Value {
    let row = |n| json!({"n": n, "float": 0.1 + 0.2, "name": noise(seed + n, 40), "text": "\u{0}ü\"\\", "none": null});
    (0..500).map(row).collect()
}

pub(crate) async fn large_values_come_back_as_they_were_written(store: &dyn Store) {
    let mut new = new(1);
    let Fact::Requested(requested) = &mut new.entries[0].fact else { panic!("it is one") };
    requested.parameters = json!({"rows": large(1)});
    let mut all = new.entries.clone();
    let mut lease = store.create(new).await.unwrap();
    let mut step = scheduled(2, 0);
    let Fact::StepScheduled { input, items, .. } = &mut step.fact else { panic!("it is one") };
    (*input, *items) = (json!({"in": large(2)}), Some(vec![Value::Null, large(3), json!("small")]));
    let mut listed = scheduled(2, 1);
    let Fact::StepScheduled { items, .. } = &mut listed.fact else { panic!("it is one") };
    *items = Some((0..5_000).map(|n| json!({"volume": n})).collect());
    let item = Fact::ItemScheduled {
        step: StepId(1),
        item: ItemIndex(0),
        action: "core.noop".parse().unwrap(),
        input: large(4),
        secret: vec![],
    };
    let end = Fact::Finished { status: Status::Succeeded, result: large(5), errors: vec![] };
    let appends = [
        vec![step, listed, Entry::new(at(2), item)],
        vec![result(3, 0, large(5)), result(3, 1, json!("small")), result(3, 2, large(5))],
        vec![answered(4, 3, None, large(6)), item_result(4, 1, Some(0), large(7))],
        vec![Entry::new(at(5), end)],
    ];
    for entries in appends {
        all.extend(entries.clone());
        lease.version = store.append(append(&lease, entries)).await.unwrap();
    }
    for from in 0..=all.len() {
        assert_eq!(store.read(id(1), Version(from as u64)).await.unwrap(), all[from..], "from {from}");
    }
}

pub(crate) async fn values_around_the_limit_come_back_as_they_were_written(store: &dyn Store) {
    let mut lease = store.create(new(1)).await.unwrap();
    let mut all = new(1).entries;
    // Two quotes belong to the JSON of a text.
    for bytes in limits::RESULT_INLINE_BYTES_MAX - 4..limits::RESULT_INLINE_BYTES_MAX + 3 {
        let entry = result(2, 0, Value::String(noise(1, bytes)));
        all.push(entry.clone());
        lease.version = store.append(append(&lease, vec![entry])).await.unwrap();
    }
    assert_eq!(store.read(id(1), Version(0)).await.unwrap(), all);
}

pub(crate) async fn what_is_not_there_is_not_found(store: &dyn Store) {
    let mut lease = store.create(new(1)).await.unwrap();
    lease.id = id(2);
    assert_eq!(store.append(append(&lease, vec![started(2)])).await, Err(StoreError::NotFound));
    assert_eq!(store.read(id(2), Version(0)).await, Err(StoreError::NotFound));
    assert_eq!(Catalogue::get(store, id(2)).await, Err(StoreError::NotFound));
}
