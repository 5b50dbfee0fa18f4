//! What is asked of an execution, as the API takes it.

use runner_executor::Control;
use runner_model::{ExecutionId, Status};
use runner_server::control::Stands;
use serde_json::{Value, json};

use crate::error::CliError;
use crate::records::at;
use crate::remote::Remote;

/// Asks it of the daemon; gives how the execution stands then.
pub(super) async fn ask(remote: &Remote, id: ExecutionId, ask: &Control) -> Result<Status, CliError> {
    let (verb, body) = match ask {
        Control::Pause { .. } => ("/pause", json!({})),
        Control::Resume { .. } => ("/resume", json!({})),
        Control::Cancel { .. } => ("/cancel", json!({})),
        Control::Respond { task, item, answer, .. } => {
            ("/respond", json!({ "task": task, "item": item, "answer": answer }))
        }
        Control::Rerun { tasks, .. } if tasks.is_empty() => ("/rerun", json!({ "mode": "failed" })),
        Control::Rerun { tasks, .. } => ("/rerun", json!({ "tasks": tasks.iter().map(task).collect::<Vec<_>>() })),
        // An event is not for one execution: everything there that waits for it takes it.
        Control::Event { key, payload, .. } => {
            let _: Value = remote.post("/api/v1/events", &json!({ "key": key, "payload": payload })).await?;
            return Ok(remote.get::<Stood>(&at(id, ""), &[]).await?.status);
        }
    };
    Ok(remote.post::<Stands>(&at(id, verb), &body).await?.status)
}

#[derive(serde::Deserialize)]
struct Stood {
    status: Status,
}

fn task(again: &runner_model::RerunTask) -> Value {
    let mut task = json!({ "task": again.task, "reset_items": again.reset_items });
    if let (Some(route), Some(map)) = (again.route, task.as_object_mut()) {
        map.insert("route".to_owned(), json!(route));
    }
    task
}
