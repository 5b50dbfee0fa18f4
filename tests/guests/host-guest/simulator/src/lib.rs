//! A simulated system with every behaviour that the tests need, chosen by the path.

wit_bindgen::generate!({ world: "simulator", path: "../../../../wit/0.1.0" });

use std::cell::Cell;

use runner::plugin::{clock, log};
use serde_json::json;

thread_local! {
    static REQUESTS: Cell<u64> = const { Cell::new(0) };
}

struct System;

impl Guest for System {
    fn handle(request: Request) -> Reply {
        let count = REQUESTS.with(|requests| {
            requests.set(requests.get() + 1);
            requests.get()
        });
        log::emit(log::Level::Debug, &request.path, &[]);
        let number = |name: &str| {
            let value = request.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.parse::<u64>());
            value.and_then(Result::ok).unwrap_or(0)
        };
        let delay_ms = number("delay_ms") as u32;
        match request.path.as_str() {
            "/drop" => return Reply { delay_ms, ending: Ending::Dropped },
            "/drop_first" if count == 1 => return Reply { delay_ms, ending: Ending::Dropped },
            "/panic" => panic!("the simulated system broke"),
            "/loop" => loop {
                std::hint::black_box(count);
            },
            _ => {}
        }
        let body = match request.path.as_str() {
            "/big" => "x".repeat(number("bytes") as usize),
            "/time" => clock::now_ms().to_string(),
            _ => json!({
                "count": count,
                "connection": request.connection,
                "method": request.method,
                "path": request.path,
                "query": request.query,
                "headers": request.headers,
                "body": String::from_utf8_lossy(&request.body),
            })
            .to_string(),
        };
        let status = if number("status") == 0 { 200 } else { number("status") as u16 };
        let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        Reply { delay_ms, ending: Ending::Response(Response { status, headers, body: body.into_bytes() }) }
    }
}

export!(System);
