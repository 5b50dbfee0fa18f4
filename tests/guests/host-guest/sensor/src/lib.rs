//! A sensor that counts: each poll emits one event with the number after the cursor's.

wit_bindgen::generate!({ world: "sensor", path: "../../../../wit/0.1.0" });


struct Counter;

impl Guest for Counter {
    fn poll(sensor: String, cursor: Option<String>) -> Result<Polled, Failure> {
        runner::plugin::log::emit(runner::plugin::log::Level::Info, "polling", &[]);
        let next = cursor.as_deref().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) + 1;
        let payload = match sensor.as_str() {
            "counter" => serde_json::json!({ "number": next }).to_string(),
            "bad_json" => "{".to_owned(),
            "loop" => loop {
                std::hint::black_box(next);
            },
            _ => {
                return Err(Failure {
                    code: "unknown-sensor".to_owned(),
                    message: format!("there is no sensor `{sensor}`"),
                    details: None,
                    retryable: true,
                });
            }
        };
        let event = Emitted { trigger: "counted".to_owned(), payload, deduplication_key: Some(format!("n{next}")) };
        Ok(Polled { events: vec![event], cursor: Some(next.to_string()) })
    }
}

export!(Counter);
