use runner_model::Code;
use serde_json::json;

use super::*;
use crate::template::{CompileError, Place};

mod operators;
mod plan;
mod random;

const NOW: &str = "2026-11-21T10:46:00Z";

fn occasion(payload: Value) -> Occasion {
    Occasion {
        event: EventInfo {
            trigger: "core.webhook".parse().unwrap(),
            source: "arrays/ontap".to_owned(),
            id: EventId::from_bytes([7; 16]),
            occurred_at: NOW.parse().unwrap(),
        },
        payload: Arc::new(payload),
        config: Arc::new(json!({"region": "eu", "limit": 90})),
        now: NOW.parse().unwrap(),
    }
}

fn criterion(key: &str, written: &Value) -> Result<Criterion, Vec<CompileError>> {
    let operator = Operator::parse(written["type"].as_str().unwrap()).unwrap();
    Criterion::compile(
        key,
        operator,
        written.get("pattern"),
        written.get("condition").map(|word| word.as_str().unwrap()),
    )
}

fn judge(key: &str, written: &Value, payload: Value) -> Judged {
    let occasion = occasion(payload);
    let criterion = criterion(key, written).unwrap_or_else(|errors| panic!("{written}: {errors:?}"));
    criterion.judge(&occasion.payload, &View::of(&occasion))
}
