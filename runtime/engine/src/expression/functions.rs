//! The functions of expressions beyond rhai's own: what an expression can ask of its execution, and plain helpers.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rhai::{Array, Dynamic, Engine, EvalAltResult, INT, ImmutableString, Map, Position};
use runner_model::{Status, limits};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::convert::{WideNumber, array_of, int, to_dynamic, to_json, to_map};
use super::frame::{self, Happened, TaskResult};
use super::{RhaiError, language, time};
use crate::path::Path;

pub(super) type Fallible<T> = Result<T, RhaiError>;

/// The names of all functions that an expression can call, rhai's own among them.
pub fn names() -> &'static BTreeSet<&'static str> {
    static NAMES: OnceLock<BTreeSet<&'static str>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let mut names = BTreeSet::new();
        for signature in language::engine().gen_fn_signatures(true) {
            let name: String = signature.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if !name.is_empty() {
                names.insert(&*name.leak());
            }
        }
        names
    })
}

pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<WideNumber>("integer");
    engine.register_fn("to_string", |number: &mut WideNumber| number.0.to_string());
    engine.register_fn("==", |a: WideNumber, b: WideNumber| a == b);
    comparisons(engine);
    execution(engine);
    completion(engine);
    events(engine);
    collections(engine);
    super::growth::register(engine);
    encodings(engine);
    texts(engine);
    times(engine);
}

pub(super) fn fail<T>(message: impl Into<String>) -> Fallible<T> {
    Err(EvalAltResult::ErrorRuntime(message.into().into(), Position::NONE).into())
}

/// Order, for values that have one. Rhai answers `false` where two values cannot be compared, which hides the mistake.
fn comparisons(engine: &mut Engine) {
    let operators: [(&str, fn(Ordering) -> bool); 4] =
        [("<", Ordering::is_lt), ("<=", Ordering::is_le), (">", Ordering::is_gt), (">=", Ordering::is_ge)];
    for (operator, holds) in operators {
        engine.register_fn(operator, move |left: Dynamic, right: Dynamic| -> Fallible<bool> {
            match order(&left, &right) {
                Some(ordering) => Ok(holds(ordering)),
                None => {
                    fail(format!("{} {operator} {} cannot be decided", language::kind(&left), language::kind(&right)))
                }
            }
        });
    }
}

fn order(left: &Dynamic, right: &Dynamic) -> Option<Ordering> {
    if let (Ok(left), Ok(right)) = (left.as_int(), right.as_int()) {
        return Some(left.cmp(&right));
    }
    if let (Ok(left), Ok(right)) = (left.as_immutable_string_ref(), right.as_immutable_string_ref()) {
        return Some(left.as_str().cmp(right.as_str()));
    }
    let number = |value: &Dynamic| value.as_float().ok().or_else(|| value.as_int().ok().map(|integer| integer as f64));
    number(left)?.partial_cmp(&number(right)?)
}

/// `ctx`, `execution`, `config`, `kv`, `now`.
fn execution(engine: &mut Engine) {
    engine.register_fn("ctx", || frame::with(|frame| to_map(&frame.variables)));
    engine.register_fn("ctx", |name: ImmutableString| -> Fallible<Dynamic> {
        match frame::with(|frame| frame.variables.get(name.as_str()).map(to_dynamic)) {
            Some(value) => Ok(value),
            None => fail(format!("there is no context variable `{name}`")),
        }
    });
    engine.register_fn("execution", || {
        frame::with(|frame| {
            let info = frame.execution.as_ref()?;
            let members = [("id", info.id.to_string()), ("action", info.action.to_string())];
            Some(members.into_iter().map(|(key, text)| (key.into(), text.into())).collect::<Map>())
        })
        .unwrap_or_default()
    });
    engine.register_fn("config", |key: ImmutableString| -> Fallible<Dynamic> {
        match frame::with(|frame| frame.config.get(key.as_str()).map(to_dynamic)) {
            Some(value) => Ok(value),
            None => fail(format!("the pack's configuration has no `{key}`")),
        }
    });
    engine.register_fn("kv", |key: ImmutableString| -> Fallible<Dynamic> {
        match frame::with(|frame| frame.kv.get(key.as_str()).map(to_dynamic)) {
            Some(value) => Ok(value),
            None => {
                frame::need(&key);
                fail(format!("the key `{key}` has not been read yet"))
            }
        }
    });
    engine.register_fn("now", || frame::with(|frame| frame.now.to_string()));
}

/// `result`, `status`, `succeeded` and the like, `task`, `item`.
fn completion(engine: &mut Engine) {
    fn current(function: &str) -> Fallible<TaskResult> {
        frame::with(|frame| frame.current.clone()).map_or_else(
            || {
                fail(format!(
                    "`{function}()` is about a task that has completed: it can stand only in that task's `next`"
                ))
            },
            Ok,
        )
    }
    engine.register_fn("result", || current("result").map(|task| to_dynamic(&task.result)));
    engine.register_fn("status", || current("status").map(|task| ImmutableString::from(task.status.as_str())));
    let tests: [(&str, fn(Status) -> bool); 5] = [
        ("succeeded", |status| status == Status::Succeeded),
        ("failed", Status::is_failure),
        ("timed_out", |status| status == Status::Timeout),
        ("skipped", |status| status == Status::Skipped),
        ("completed", Status::is_terminal),
    ];
    for (name, test) in tests {
        // Behind a step that was skipped the way is clear, as it is behind one that succeeded.
        let is_clear = move |status| test(status) || (name == "succeeded" && status == Status::Skipped);
        engine.register_fn(name, move || current(name).map(|task| is_clear(task.status)));
        engine.register_fn(name, move |task: ImmutableString| {
            frame::with(|frame| frame.tasks.get(task.as_str()).is_some_and(|task| test(task.status)))
        });
    }
    engine.register_fn("task", |name: ImmutableString| -> Fallible<Map> {
        let found = frame::with(|frame| frame.tasks.get(name.as_str()).cloned());
        let Some(task) = found else { return fail(format!("the task `{name}` has not run yet")) };
        Ok([("status".into(), task.status.as_str().into()), ("result".into(), to_dynamic(&task.result))]
            .into_iter()
            .collect())
    });
    engine.register_fn("item", || -> Fallible<Dynamic> {
        match frame::with(|frame| frame.item.as_deref().map(to_dynamic)) {
            Some(item) => Ok(item),
            None => fail("there is no item here: `item()` belongs to a task with `with`"),
        }
    });
    engine.register_fn("item", |name: ImmutableString| -> Fallible<Dynamic> {
        match frame::with(|frame| frame.item.clone()) {
            None => fail("there is no item here: `item(…)` belongs to a task with `with`"),
            Some(item) => match item.get(name.as_str()) {
                Some(member) => Ok(to_dynamic(member)),
                None => fail(format!("the item has no member `{name}`")),
            },
        }
    });
}

/// `event`, `event_info`.
fn events(engine: &mut Engine) {
    fn happened(function: &str) -> Fallible<Arc<Happened>> {
        frame::with(|frame| frame.event.clone())
            .map_or_else(|| fail(format!("there is no event here: `{function}()` belongs to rules")), Ok)
    }
    /// What it brought at a way such as `body.records[0].name`; none if there is nothing, or null.
    fn member(path: &str) -> Fallible<Option<Dynamic>> {
        let happened = happened("event")?;
        match Path::parse(path) {
            Ok(path) => Ok(path.find(&happened.payload).map(to_dynamic)),
            Err(error) => fail(format!("`{path}` is no way to a value: {}", error.message)),
        }
    }
    engine.register_fn("event", || happened("event").map(|happened| to_dynamic(&happened.payload)));
    engine.register_fn("event", |path: ImmutableString| match member(&path)? {
        Some(found) => Ok(found),
        None => fail(format!(
            "the event has no `{path}`: if it may be missing, write `event(\"{path}\", …)` with a default"
        )),
    });
    engine.register_fn("event", |path: ImmutableString, default: Dynamic| -> Fallible<Dynamic> {
        Ok(member(&path)?.unwrap_or(default))
    });
    engine.register_fn("event_info", || -> Fallible<Map> {
        let happened = happened("event_info")?;
        let about = &happened.about;
        let members = [
            ("id", about.id.to_string()),
            ("trigger", about.trigger.to_string()),
            ("source", about.source.clone()),
            ("occurred_at", about.occurred_at.to_string()),
        ];
        Ok(members.into_iter().map(|(key, text)| (key.into(), text.into())).collect())
    });
}

/// The first members together, then the second, and so on; where a list is shorter there is null, as in Orquesta.
fn zip(lists: &[Array]) -> Array {
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    let member = |list: &Array, at: usize| list.get(at).cloned().unwrap_or(Dynamic::UNIT);
    (0..longest).map(|at| lists.iter().map(|list| member(list, at)).collect::<Array>().into()).collect()
}

/// `zip`, `range`, `get`, `sum`.
fn collections(engine: &mut Engine) {
    engine.register_fn("zip", |a: Array, b: Array| zip(&[a, b]));
    engine.register_fn("zip", |a: Array, b: Array, c: Array| zip(&[a, b, c]));
    engine.register_fn("zip", |a: Array, b: Array, c: Array, d: Array| zip(&[a, b, c, d]));
    engine.register_fn("range", |to: INT| range(0, to, 1));
    engine.register_fn("range", |from: INT, to: INT| range(from, to, 1));
    engine.register_fn("range", range);
    // The plain `get` of rhai's maps would win over one for any value, so each kind has its own.
    engine.register_fn("get", |value: Map, path: ImmutableString| get(&value.into(), &path).unwrap_or(Dynamic::UNIT));
    engine.register_fn("get", |value: Array, path: ImmutableString| get(&value.into(), &path).unwrap_or(Dynamic::UNIT));
    engine.register_fn("get", |(): (), _: ImmutableString| Dynamic::UNIT);
    engine.register_fn("get", |value: Dynamic, path: ImmutableString, default: Dynamic| {
        get(&value, &path).unwrap_or(default)
    });
    engine.register_fn("sum", |items: Array| -> Fallible<Dynamic> {
        if let Some(integers) = items.iter().map(|item| item.as_int().ok()).collect::<Option<Vec<_>>>() {
            return match integers.into_iter().try_fold(0, INT::checked_add) {
                Some(sum) => Ok(sum.into()),
                None => fail("the sum is larger than 64 bits can hold"),
            };
        }
        let number = |item: &Dynamic| item.as_float().ok().or_else(|| item.as_int().ok().map(|int| int as f64));
        match items.iter().map(number).collect::<Option<Vec<_>>>() {
            Some(numbers) => Ok(numbers.into_iter().sum::<f64>().into()),
            None => fail("`sum` needs a list of numbers"),
        }
    });
}

/// From `from` up to, not including, `to`.
fn range(from: INT, to: INT, step: INT) -> Fallible<Array> {
    if step == 0 {
        return fail("the step of a range cannot be 0");
    }
    let length = (i128::from(to) - i128::from(from) + i128::from(step) - i128::from(step.signum())) / i128::from(step);
    if length > limits::EXPRESSION_ELEMENTS_MAX as i128 {
        return fail(format!("a range can have at most {} elements", limits::EXPRESSION_ELEMENTS_MAX));
    }
    let next = |at: &INT| at.checked_add(step);
    let inside = |at: &INT| if step > 0 { *at < to } else { *at > to };
    Ok(array_of(std::iter::successors(Some(from), next).take_while(inside)))
}

/// The value at a path such as `space.used` or `records.0.name`.
fn get(value: &Dynamic, path: &str) -> Option<Dynamic> {
    let mut value = value.clone();
    for key in path.split('.') {
        let inner = if let Ok(map) = value.as_map_ref() {
            map.get(key)?.clone()
        } else if let Ok(array) = value.as_array_ref() {
            array.get(key.parse::<usize>().ok()?)?.clone()
        } else {
            return None;
        };
        value = inner;
    }
    (!value.is_unit()).then_some(value)
}

/// `json`, `from_json`, `to_json`, `base64_encode`, `base64_decode`, `sha256`.
fn encodings(engine: &mut Engine) {
    #[allow(clippy::needless_pass_by_value, reason = "rhai calls with values")]
    fn from_json(text: ImmutableString) -> Fallible<Dynamic> {
        match serde_json::from_str::<Value>(&text) {
            Ok(value) => Ok(to_dynamic(&value)),
            Err(error) => fail(format!("the text is not JSON: {error}")),
        }
    }
    engine.register_fn("json", from_json).register_fn("from_json", from_json);
    engine.register_fn("to_json", |value: Dynamic| -> Fallible<String> {
        to_json(&value).map_or_else(fail, |value| Ok(value.to_string()))
    });
    engine.register_fn("base64_encode", |text: ImmutableString| BASE64.encode(text.as_bytes()));
    engine.register_fn("base64_decode", |text: ImmutableString| -> Fallible<String> {
        match BASE64.decode(text.as_bytes()).map(String::from_utf8) {
            Ok(Ok(text)) => Ok(text),
            Ok(Err(_)) => fail("the decoded bytes are not UTF-8 text"),
            Err(error) => fail(format!("the text is not base64: {error}")),
        }
    });
    engine.register_fn("sha256", |text: ImmutableString| hex::encode(Sha256::digest(text.as_bytes())));
}

/// `version_compare`, `length`, and those of [`super::texts`].
fn texts(engine: &mut Engine) {
    super::texts::register(engine);
    engine.register_fn("version_compare", |a: ImmutableString, b: ImmutableString| -> Fallible<INT> {
        let version = |text: &str| {
            semver::Version::parse(text.trim_start_matches('v'))
                .map_err(|error| format!("`{text}` is not a version: {error}"))
        };
        match (version(&a), version(&b)) {
            (Ok(a), Ok(b)) => Ok(a.cmp_precedence(&b) as INT),
            (Err(message), _) | (_, Err(message)) => fail(message),
        }
    });
    engine.register_fn("length", |text: ImmutableString| int(text.chars().count()));
    engine.register_fn("length", |items: Array| int(items.len()));
    engine.register_fn("length", |map: Map| int(map.len()));
}

/// `parse_time`, `format_time`.
fn times(engine: &mut Engine) {
    engine.register_fn("parse_time", |text: ImmutableString| time::parse(&text, None).or_else(fail));
    engine.register_fn("parse_time", |text: ImmutableString, format: ImmutableString| {
        time::parse(&text, Some(&format)).or_else(fail)
    });
    engine.register_fn("format_time", |moment: Dynamic, format: ImmutableString| {
        time::format(&moment, &format, "UTC").or_else(fail)
    });
    engine.register_fn("format_time", |moment: Dynamic, format: ImmutableString, zone: ImmutableString| {
        time::format(&moment, &format, &zone).or_else(fail)
    });
}
