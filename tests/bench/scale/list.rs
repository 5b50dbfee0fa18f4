//! A step that runs over a list: the time of an item must not grow with the length of the list.

use std::time::{Duration, Instant};

use runner_model::{PackRef, Status};
use runner_store::KeyValue;
use serde_json::{Map, json};

use crate::place::{Place, of};
use crate::report::{Line, Report};

const LENGTHS: [usize; 4] = [1_000, 2_000, 5_000, 10_000];

pub(crate) async fn measure(report: &mut Report, part: usize) {
    let directory = tempfile::tempdir().unwrap();
    let place = Place::open(directory.path(), "lists").await;
    let commit = commit(&place).await;
    report.title("a step over a list, 100 items at a time");
    report.add(Line::new("one commit", commit.as_secs_f64() * 1e6, "us"));
    for (workflow, what) in [("noops", "nothing"), ("calls", "guests that answer at once")] {
        for length in LENGTHS.map(|length| length / part) {
            let parameters = Map::from_iter([("n".to_owned(), json!(length))]);
            let start = Instant::now();
            let execution = place.executor.submit(of(workflow, parameters)).await.unwrap();
            let view = execution.finished().await.unwrap();
            let item = start.elapsed().as_secs_f64() / length as f64;
            assert_eq!(view.record.status, Status::Succeeded);
            let commits = item / commit.as_secs_f64();
            let line = Line::new(format!("{what}: {length} items"), item * 1e6, "us an item");
            report.add(line.beside(commits, "one commit"));
        }
    }
    place.leave().await;
}

/// The median of a write through the store's writer: a group commit with one rider.
async fn commit(place: &Place) -> Duration {
    let pack = PackRef::new("many").unwrap();
    let mut times = Vec::new();
    for number in 0..200 {
        let start = Instant::now();
        KeyValue::set(&*place.store, &pack, "key", json!(number), None).await.unwrap();
        times.push(start.elapsed());
    }
    times.sort_unstable();
    times[times.len() / 2]
}
