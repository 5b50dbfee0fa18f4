//! Jobs: looking at one, and telling it what to do.

use runner_sdk::prelude::{Result, Value, json};

use super::Special;
use crate::call::Call;
use crate::field::{Field, Kind};
use crate::job::check;

pub(super) static ALL: &[Special] = &[
    Special {
        name: "check_job",
        about: "Looks at a job once: done, going on, or a failure. A task waits for it with `poll`; `ontap.wait_job` does so by itself.",
        fields: &[
            Field::new("job", "", Kind::Object, "The `job` of an action's result; null is done at once."),
            Field::text("uuid", "", "The job's UUID, instead."),
            Field::text("location", "", "Where its object is, to be looked at when ONTAP has forgotten the job."),
            Field::new(
                "effect",
                "",
                Kind::Choice(&["create", "update", "delete"]),
                "What the job does to that object.",
            )
            .default("\"create\""),
        ],
        connected: true,
        output: checked,
        idempotent: true,
        timeout: 60,
        run: check,
    },
    Special {
        name: "update_job",
        about: "Cancels, pauses or resumes a job.",
        fields: &[
            Field::text("uuid", "", "The job's UUID.").required(),
            Field::new(
                "action",
                "",
                Kind::Choice(&["cancel", "pause", "resume"]),
                "What to do with it. Not every job can be paused or cancelled.",
            )
            .required(),
        ],
        connected: true,
        output: crate::verbs::written,
        idempotent: true,
        timeout: 60,
        run: update,
    },
];

fn checked() -> Value {
    json!({
        "type": "object",
        "properties": {
            "done": { "type": "boolean", "description": "Whether it is done. One that failed is a failure with its code." },
            "state": { "type": "string", "description": "ONTAP's word: `queued`, `running`, `paused`, `success`; `gone` if only its object could be looked at." },
            "message": { "type": "string", "description": "What ONTAP says of it." },
            "job": { "description": "What ONTAP shows of it." },
        },
        "required": ["done", "state", "message"],
    })
}

fn update(call: &Call) -> Result<Value> {
    let uuid = call.need("uuid")?;
    let path = format!("/api/cluster/jobs/{}", crate::api::encode(uuid));
    let action = ("action".to_owned(), call.need("action")?.to_owned());
    call.api()?.send("PATCH", &path, &[action], Some(&json!({})))?;
    Ok(crate::verbs::result(true, json!({ "uuid": uuid }), Value::Null))
}
