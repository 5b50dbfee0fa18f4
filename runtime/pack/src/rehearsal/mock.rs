//! `mock_action_executions`: how steps end instead of running.

use runner_model::{Code, ItemIndex, RouteId, Status, code, limits};
use serde_json::Value;

use super::case::task_id;
use super::value::{items, whole};
use super::{Context, Mock};
use crate::diagnostic::Mistake;
use crate::fields::{Fields, Foreign};
use crate::suggest;
use crate::yaml::{Entry, Node};

/// How a step or an attempt can end, and how it can go on for ever.
const STATUSES: [Status; 8] = [
    Status::Succeeded,
    Status::Failed,
    Status::Timeout,
    Status::Canceled,
    Status::Abandoned,
    Status::Pending,
    Status::Paused,
    Status::Running,
];

pub(super) fn read(context: &Context<'_>, node: &Node) -> Vec<Mock> {
    items(context.file, node, "mock_action_executions", "{task_id: …, result: …}")
        .filter_map(|item| mock(context, item))
        .collect()
}

fn mock(context: &Context<'_>, node: &Node) -> Option<Mock> {
    let file = context.file;
    let place = node.as_map().and_then(<[Entry]>::first).map_or(node.span, |entry| entry.key_span);
    let mut fields = Fields::open(file, node, "the mock", place)?;
    let task = task_id(file, &mut fields);
    let route = whole(file, &mut fields, "route").map(RouteId);
    let seq_id = whole(file, &mut fields, "seq_id");
    let item = whole(file, &mut fields, "item_id").map(ItemIndex);
    let iter_id = whole(file, &mut fields, "iter_id").unwrap_or(0);
    let num_iter = whole(file, &mut fields, "num_iter").unwrap_or(1);
    let status = status(context, &mut fields);
    let result = result(context, &mut fields);
    fields.finish(&Foreign { later: &[], instead: &[("task", "write `task_id`"), ("output", "write `result`")] });
    Some(Mock { task: task?, route, seq_id, item, iter_id, num_iter, status, result })
}

fn status(context: &Context<'_>, fields: &mut Fields<'_>) -> Status {
    let place = fields.place_of("status");
    let Some(word) = fields.text("status") else { return Status::Succeeded };
    STATUSES.into_iter().find(|status| status.as_str() == word).unwrap_or_else(|| {
        let message = format!("a step cannot end as `{word}`");
        let hint = suggest::hint(word, STATUSES.map(Status::as_str), "it ends as");
        context.file.add(Mistake::new(code::PACK_BAD_VALUE, place, message).maybe_hint(hint));
        Status::Succeeded
    })
}

fn result(context: &Context<'_>, fields: &mut Fields<'_>) -> Value {
    let written = fields.entry("result");
    let place = fields.place_of("result_path");
    match (written, fields.text("result_path")) {
        (Some(entry), None) => entry.value.to_value(),
        (None, None) => Value::Null,
        (Some(_), Some(_)) => {
            let message = "a mock has a `result` or a `result_path`, not both";
            context.file.add(Mistake::new(code::PACK_BAD_VALUE, place, message).hint("remove one of the two"));
            Value::Null
        }
        (None, Some(path)) => file_result(context, path).unwrap_or_else(|(code, message)| {
            context.file.add(Mistake::new(code, place, message));
            Value::Null
        }),
    }
}

/// The data in a file beside the rehearsal, or else below the pack: JSON by its name, otherwise text, as in Orquesta.
fn file_result(context: &Context<'_>, path: &str) -> Result<Value, (Code, String)> {
    let directory = context.directory;
    let beside = context.file.source.path().parent().unwrap_or_else(|| directory.path()).join(path);
    let found = if beside.exists() { beside } else { directory.path().join(path) };
    if !found.exists() {
        return Err((code::PACK_MISSING_FILE, format!("there is no file `{path}` beside the rehearsal")));
    }
    let text = directory
        .text(&found, limits::MOCK_RESULT_BYTES_MAX)
        .map_err(|message| (code::PACK_UNREADABLE, format!("`{path}`: {message}")))?;
    if found.extension().is_none_or(|extension| extension != "json") {
        return Ok(Value::String(text));
    }
    serde_json::from_str(&text).map_err(|error| (code::PACK_SYNTAX, format!("`{path}` is not JSON: {error}")))
}
