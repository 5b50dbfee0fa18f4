//! Actions for the tests of runner-host, one for each thing that a guest can do, good or bad.

mod bad;
mod host;
mod memory;

wit_bindgen::generate!({ world: "action", path: "../../../wit/0.1.0" });

use serde_json::Value;

struct Actions;

impl Actions {
    fn dispatch(action: &str, input: &Value) -> Result<Value, Failure> {
        Ok(match action {
            "echo" => input.clone(),
            "runner:describe" => serde_json::json!({ "echo": { "description": "Returns its input" } }),
            "fail" => return Err(fail(input)),
            "loop_forever" => bad::loop_forever(),
            "allocate_forever" => bad::allocate_forever(),
            "recurse" => Value::from(bad::recurse(input["depth"].as_u64().unwrap_or(u64::MAX))),
            "panic" => panic!("the guest gave up"),
            "call_host_forever" => bad::call_host_forever(),
            "pass_much" => bad::pass_much(input["bytes"].as_u64().unwrap_or(0)),
            "log" => host::log(input),
            "context" => host::context(),
            "heartbeat" => Value::from(runner::plugin::context::heartbeat(input["progress"].as_str().unwrap_or(""))),
            "heartbeat_until_cancelled" => host::heartbeat_until_cancelled(),
            "config" => serde_json::from_str(&runner::plugin::config::get()).unwrap_or(Value::Null),
            "clock" => Value::from(runner::plugin::clock::now_ms()),
            "random" => host::random(input),
            "kv" => host::kv(input),
            "http" => host::http(input),
            "count" => return host::count(input),
            "search_memory" => memory::search(input),
            other => return Err(failure("unknown-action", &format!("there is no action `{other}`"))),
        })
    }
}

impl Guest for Actions {
    fn run(action: String, input: String) -> Result<String, Failure> {
        match action.as_str() {
            "bad_json" => return Ok("{not json".to_owned()),
            "big_result" => return Ok(bad::big_result(&input)),
            _ => {}
        }
        let input: Value = serde_json::from_str(&input).map_err(|e| failure("bad-input", &e.to_string()))?;
        Self::dispatch(&action, &input).map(|value| value.to_string())
    }
}

fn failure(code: &str, message: &str) -> Failure {
    Failure { code: code.to_owned(), message: message.to_owned(), details: None, retryable: false }
}

fn fail(input: &Value) -> Failure {
    Failure {
        code: input["code"].as_str().unwrap_or("broken").to_owned(),
        message: input["message"].as_str().unwrap_or("it broke").to_owned(),
        details: input["details"].as_str().map(str::to_owned),
        retryable: input["retryable"].as_bool().unwrap_or(false),
    }
}

export!(Actions);
