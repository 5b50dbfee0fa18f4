//! What many executions cost, and long lists: on disk, in release, with guests that only pretend.
//!
//! Figures that a process must be young for (memory, the time of a restart) are taken by this program in a process of
//! their own. `cargo bench -p runner --bench scale` runs it; a number divides how many there are, `--quick` by a hundred;
//! `--json FILE` writes the figures, too.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a measurement for people"
)]

#[path = "../asked.rs"]
mod asked;
mod list;
mod place;
#[path = "../report.rs"]
mod report;
mod restart;
mod waiting;

use report::Report;

/// Executions that wait.
const WAITING: usize = 100_000;
/// Executions that are open when a process is restarted.
const OPEN: usize = 10_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).take_while(|argument| !argument.starts_with("--")).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut report = Report::default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        match words.as_slice() {
            ["restarted", directory, open] => restart::again(directory.as_ref(), open.parse().unwrap()).await,
            ["woken", directory, waiting] => {
                waiting::again(&mut report, directory.as_ref(), waiting.parse().unwrap()).await;
            }
            words => {
                let quick = if asked::is_quick() { 100 } else { 1 };
                let part = words.first().and_then(|word| word.parse().ok()).unwrap_or(quick);
                restart::measure(OPEN / part).await;
                waiting::measure(&mut report, WAITING / part).await;
                list::measure(&mut report, part).await;
            }
        }
    });
    report.end();
}
