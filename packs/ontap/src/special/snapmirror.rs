//! What is done with mirrors: initialized, updated, quiesced, resumed, broken, resynchronized. They are ONTAP's own words; in its API each
//! but the update is another `state`.

use runner_sdk::prelude::{Result, Value, bail, json, log};

use super::Special;
use crate::body;
use crate::call::Call;
use crate::field::Field;
use crate::locate::Place;
use crate::resources::SNAPMIRROR;
use crate::verbs::{RETURN_TIMEOUT, change, result, written};

const DESTINATION: Field = Field::text("destination_path", "destination.path", "What is written: `svm:volume`.");
const UUID: Field = Field::text("uuid", "", "Its UUID, instead of its destination.");
const COMMON: &[Field] = &[DESTINATION, UUID, RETURN_TIMEOUT];

const fn special(
    name: &'static str,
    about: &'static str,
    fields: &'static [Field],
    run: fn(&Call) -> Result<Value>,
) -> Special {
    Special { name, about, fields, connected: true, output: written, idempotent: true, timeout: 180, run }
}

pub(super) static ALL: &[Special] = &[
    special("initialize_snapmirror", "Copies everything for the first time.", COMMON, |call| {
        to(call, "snapmirrored", &["uninitialized"])
    }),
    Special {
        idempotent: false,
        ..special(
            "update_snapmirror",
            "Copies what has changed, now.",
            &[
                DESTINATION,
                UUID,
                Field::text("source_snapshot", "", "The snapshot to copy; none makes one now."),
                RETURN_TIMEOUT,
            ],
            transfer,
        )
    },
    special("quiesce_snapmirror", "Ends the transfers, and begins no more.", COMMON, |call| {
        to(call, "paused", &["snapmirrored"])
    }),
    special("resume_snapmirror", "Goes on with what was quiesced.", COMMON, |call| {
        to(call, "snapmirrored", &["paused"])
    }),
    special("break_snapmirror", "Makes the destination writable.", COMMON, |call| {
        to(call, "broken_off", &["snapmirrored", "paused"])
    }),
    special(
        "resync_snapmirror",
        "Copies again to a destination that was broken off; what was written there is lost.",
        COMMON,
        |call| to(call, "snapmirrored", &["broken_off"]),
    ),
];

/// Brings a mirror from one of some states to another.
fn to(call: &Call, state: &str, from: &[&str]) -> Result<Value> {
    let place = Place::of(&SNAPMIRROR, call)?;
    let there = place.need(call, Some("*"))?;
    let now = body::text(&there, "state").unwrap_or_default();
    if now == state {
        return Ok(result(false, there, Value::Null));
    }
    if !from.contains(&now.as_str()) {
        let path = body::text(&there, "destination.path").unwrap_or_default();
        bail!("wrong-state", "the mirror of `{path}` is {now}, and must be {} for that", from.join(" or "));
    }
    change(&place, call, &json!({ "state": state }), there)
}

fn transfer(call: &Call) -> Result<Value> {
    let place = Place::of(&SNAPMIRROR, call)?;
    let there = place.need(call, Some("*"))?;
    let state = body::text(&there, "state").unwrap_or_default();
    if state != "snapmirrored" {
        bail!("wrong-state", "the mirror is {state}, and must be snapmirrored to be updated");
    }
    let path = format!("{}/transfers", place.item(&there)?);
    let wanted = call.text("source_snapshot").map_or_else(|| json!({}), |name| json!({ "source_snapshot": name }));
    log::field("path", &path).info("transferring");
    let answer = place.api.send("POST", &path, &call.return_timeout(), Some(&wanted))?;
    let job = answer.job.map_or(Value::Null, |uuid| json!({ "uuid": uuid }));
    Ok(result(true, there, job))
}
