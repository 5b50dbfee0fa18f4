//! What is done with volumes: resized, cloned, moved, mounted, taken offline.

use runner_sdk::prelude::{Result, Value, bail, json};

use super::Special;
use crate::body;
use crate::call::Call;
use crate::field::{Field, Kind};
use crate::locate::Place;
use crate::resources::VOLUME;
use crate::size;
use crate::verbs::{RETURN_TIMEOUT, change, make, result, written};

const NAME: Field = Field::text("name", "name", "The volume's name.");
const SVM: Field = Field::text("svm", "svm.name", "The SVM that it belongs to.");
const UUID: Field = Field::text("uuid", "", "Its UUID, instead of its name.");
const ONLY_IF: Field = Field::flag("only_if", "", "False: nothing is done.").default("true");

const fn special(
    name: &'static str,
    about: &'static str,
    fields: &'static [Field],
    run: fn(&Call) -> Result<Value>,
) -> Special {
    Special { name, about, fields, connected: true, output: written, idempotent: true, timeout: 180, run }
}

pub(super) static ALL: &[Special] = &[
    special(
        "resize_volume",
        "Changes a volume's size.",
        &[
            NAME,
            SVM,
            Field::new("size", "size", Kind::Size, "Its new size: bytes, or a text such as `500GB`.").required(),
            Field::flag("may_shrink", "", "Whether it may become smaller.").default("false"),
            UUID,
            RETURN_TIMEOUT,
        ],
        resize,
    ),
    special(
        "clone_volume",
        "Makes a FlexClone of a volume, unless there is one with this name.",
        &[
            Field::text("name", "name", "The clone's name.").required(),
            Field::text("svm", "svm.name", "The SVM of both.").required(),
            Field::text("parent", "clone.parent_volume.name", "The volume to clone.").required(),
            Field::text(
                "parent_snapshot",
                "clone.parent_snapshot.name",
                "The snapshot to begin with; none makes one now.",
            ),
            Field::text("junction_path", "nas.path", "Where it is mounted in the SVM, such as `/test`."),
            Field::text("export_policy", "nas.export_policy.name", "Its export policy."),
            Field::text("comment", "comment", "A remark."),
            RETURN_TIMEOUT,
        ],
        clone,
    ),
    special(
        "move_volume",
        "Moves a volume to another aggregate, while it is used.",
        &[NAME, SVM, Field::text("aggregate", "", "Where to.").required(), UUID, RETURN_TIMEOUT],
        move_to,
    ),
    special(
        "offline_volume",
        "Takes a volume offline: nobody can use it.",
        &[NAME, SVM, UUID, ONLY_IF, RETURN_TIMEOUT],
        |call| wanted(call, &json!({ "state": "offline" })),
    ),
    special("online_volume", "Brings a volume online.", &[NAME, SVM, UUID, ONLY_IF, RETURN_TIMEOUT], |call| {
        wanted(call, &json!({ "state": "online" }))
    }),
    special(
        "mount_volume",
        "Mounts a volume in its SVM.",
        &[NAME, SVM, Field::text("junction_path", "", "Where, such as `/share`.").required(), UUID, RETURN_TIMEOUT],
        |call| wanted(call, &json!({ "nas": { "path": call.need("junction_path")? } })),
    ),
    special(
        "unmount_volume",
        "Unmounts a volume: clients lose it.",
        &[NAME, SVM, UUID, ONLY_IF, RETURN_TIMEOUT],
        unmount,
    ),
];

/// The volume, and what is to become of it.
fn wanted(call: &Call, wanted: &Value) -> Result<Value> {
    if call.flag("only_if") == Some(false) {
        return Ok(result(false, json!({}), Value::Null));
    }
    let place = Place::of(&VOLUME, call)?;
    let there = place.need(call, Some("*"))?;
    change(&place, call, wanted, there)
}

fn resize(call: &Call) -> Result<Value> {
    let size = size::bytes(call.get("size").unwrap_or(&Value::Null))?;
    let place = Place::of(&VOLUME, call)?;
    let there = place.need(call, Some("*"))?;
    let now = body::get(&there, "size")
        .or_else(|| body::get(&there, "space.size"))
        .and_then(Value::as_u64)
        .unwrap_or_default();
    if size + size::ROUNDING_BYTES < now && call.flag("may_shrink") != Some(true) {
        bail!(
            "would-shrink",
            "the volume has {now} bytes, more than {size}: give `may_shrink=true` if it shall become smaller"
        );
    }
    change(&place, call, &json!({ "size": size }), there)
}

fn clone(call: &Call) -> Result<Value> {
    let mut wanted = json!({ "clone": { "is_flexclone": true } });
    for (parameter, path) in [
        ("name", "name"),
        ("svm", "svm.name"),
        ("parent", "clone.parent_volume.name"),
        ("parent_snapshot", "clone.parent_snapshot.name"),
        ("junction_path", "nas.path"),
        ("export_policy", "nas.export_policy.name"),
        ("comment", "comment"),
    ] {
        if let Some(value) = call.get(parameter) {
            body::set(&mut wanted, path, value.clone());
        }
    }
    make(&Place::of(&VOLUME, call)?, call, &wanted)
}

fn move_to(call: &Call) -> Result<Value> {
    let aggregate = call.need("aggregate")?;
    let place = Place::of(&VOLUME, call)?;
    let there = place.need(call, Some("*"))?;
    let aggregates = body::get(&there, "aggregates").and_then(Value::as_array);
    let names: Vec<_> =
        aggregates.into_iter().flatten().filter_map(|aggregate| body::text(aggregate, "name")).collect();
    if names == [aggregate] {
        return Ok(result(false, there, Value::Null));
    }
    change(&place, call, &json!({ "movement": { "destination_aggregate": { "name": aggregate } } }), there)
}

fn unmount(call: &Call) -> Result<Value> {
    if call.flag("only_if") == Some(false) {
        return Ok(result(false, json!({}), Value::Null));
    }
    let place = Place::of(&VOLUME, call)?;
    let there = place.need(call, Some("*"))?;
    // What is not mounted has no path at all.
    if body::text(&there, "nas.path").is_none_or(|path| path.is_empty()) {
        return Ok(result(false, there, Value::Null));
    }
    change(&place, call, &json!({ "nas": { "path": "" } }), there)
}
