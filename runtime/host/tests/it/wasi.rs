//! A component that imports WASI 0.2 runs, and finds nothing there.

use std::sync::Arc;

use runner_host::{LogLevel, World};
use runner_model::Outcome;
use serde_json::json;

use super::kit::{Ears, attempt, host, wasm};

#[tokio::test]
async fn wasi_is_there_and_empty_and_what_is_printed_becomes_log_lines() {
    let component = host().load(wasm("host-wasi.wasm"), World::Action).await.unwrap();
    let ears = Arc::new(Ears::default());
    let mut looking = attempt("any", json!({}));
    looking.observer = Arc::clone(&ears) as _;
    let outcome = host().run(&component, looking).await;
    let Outcome::Succeeded { result } = outcome else { panic!("{outcome:?}") };
    assert_eq!(
        (&result["environment"], &result["arguments"], &result["directories"]),
        (&json!(0), &json!(0), &json!(0))
    );
    assert_eq!((&result["printed"], &result["random_differs"]), (&json!(true), &json!(true)));
    assert!(result["lookup"].is_string(), "a name was resolved: {result}");
    assert!(result["seconds"].as_u64().unwrap() > 1_700_000_000);
    let lines: Vec<_> = ears.lines.lock().iter().map(|line| (line.level, line.message.clone())).collect();
    let expected = [
        (LogLevel::Info, "first"),
        (LogLevel::Info, "second\\u{1b}[31m"),
        (LogLevel::Warn, "oops"),
        (LogLevel::Info, "unfinished"),
    ];
    assert_eq!(lines, expected.map(|(level, text)| (level, text.to_owned())));
}
