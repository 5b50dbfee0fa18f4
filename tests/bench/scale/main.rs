//! What many executions cost, and long lists: on disk, in release, with guests that only pretend.
//!
//! Figures that a process must be young for (memory, the time of a restart) are taken by this program in a process of
//! their own. `cargo bench -p runner --bench scale` runs it; a number divides how many there are.

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

mod list;
mod place;
mod restart;
mod waiting;

/// Executions that wait.
const WAITING: usize = 100_000;
/// Executions that are open when a process is restarted.
const OPEN: usize = 10_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        match words.as_slice() {
            ["restarted", directory, open] => restart::again(directory.as_ref(), open.parse().unwrap()).await,
            ["woken", directory, waiting] => waiting::again(directory.as_ref(), waiting.parse().unwrap()).await,
            words => {
                let part = words.first().and_then(|word| word.parse().ok()).unwrap_or(1);
                restart::measure(OPEN / part).await;
                waiting::measure(WAITING / part).await;
                list::measure(part).await;
            }
        }
    });
}
