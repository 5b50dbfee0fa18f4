//! Executions that wait: for a time, or for a person.

use std::path::Path;
use std::time::Instant;

use runner_model::NodeId;
use runner_store::Leases as _;

use crate::place::{Place, again as process, resident, tasks, threads};

/// Executions before the first figure is taken: until then pools and caches grow.
const WARM: usize = 2_000;

pub(crate) async fn measure(count: usize) {
    println!("{count} executions that wait                                             (aim: 200 bytes each)");
    for workflow in ["delayed", "asks"] {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::open(directory.path(), "killed").await;
        place.submit(workflow, WARM).await;
        let (memory, tasks_before, threads_before) = (resident(), tasks(), threads());
        let start = Instant::now();
        place.submit(workflow, count).await;
        let took = start.elapsed();
        // Those that were submitted last may be on their way to be parked.
        while place.executor.count().0 > 0 {
            tokio::task::yield_now().await;
        }
        println!(
            "  {workflow:<8} submitted   {:>6.1} us each, {:>6.1} bytes each, {} tasks and {} threads more",
            took.as_secs_f64() * 1e6 / count as f64,
            resident().saturating_sub(memory) as f64 / count as f64,
            tasks() as isize - tasks_before as isize,
            threads() as isize - threads_before as isize,
        );
        place.leave().await;
        process(&["woken", directory.path().to_str().unwrap(), &(count + WARM).to_string()]);
    }
}

/// In a process that has nothing else in memory.
pub(crate) async fn again(directory: &Path, count: usize) {
    let place = Place::open(directory, "new").await;
    let (memory, tasks_before) = (resident(), tasks());
    place.store.expire(&NodeId("killed".to_owned())).await.unwrap();
    let start = Instant::now();
    assert_eq!(place.executor.recover_all().await.unwrap(), count);
    let took = start.elapsed();
    assert_eq!(place.executor.count(), (0, count));
    println!(
        "  {:<8} taken up    {:>6.1} us each, {:>6.1} bytes each, {} tasks more",
        "",
        took.as_secs_f64() * 1e6 / count as f64,
        resident().saturating_sub(memory) as f64 / count as f64,
        tasks() as isize - tasks_before as isize,
    );
    place.leave().await;
}
