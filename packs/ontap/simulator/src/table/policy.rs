//! Policies that others name: schedules, quality of service.

use serde_json::Value;

use crate::path;
use crate::refusal::Refusal;
use crate::resource::{Link, Params, Resource, Way};
use crate::site::Site;

/// The rows.
pub(crate) static ROWS: &[Resource] = &[
    Resource {
        path: "/cluster/schedules",
        brief: &["name", "type"],
        post: Way::Now,
        patch: Way::Now,
        delete: Way::Now,
        required: &["name"],
        unique: &[&["svm.uuid", "name"], &["scope", "name"]],
        links: &[Link::SVM],
        check: complete_schedule,
        spare: schedule_is_unused,
        ..Resource::BASE
    },
    Resource {
        path: "/storage/qos/policies",
        brief: &["name", "svm.name"],
        post: Way::Job(500),
        patch: Way::Job(300),
        delete: Way::Job(300),
        required: &["name", "svm"],
        unique: &[&["svm.uuid", "name"]],
        links: &[Link::SVM],
        defaults: r#"{"scope": "svm", "policy_class": "user_defined", "object_count": 0}"#,
        check: complete_qos,
        spare: qos_is_unused,
        ..Resource::BASE
    },
];

fn complete_schedule(_: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    let kind = match (path::get(record, "cron").is_some(), path::get(record, "interval").is_some()) {
        (true, false) => "cron",
        (false, true) => "interval",
        _ => return Err(Refusal::bad(459_757, "A schedule needs either \"cron\" or \"interval\".")),
    };
    path::set(record, "type", kind);
    let scope = if path::get(record, "svm").is_some() { "svm" } else { "cluster" };
    path::set(record, "scope", scope);
    Ok(())
}

fn schedule_is_unused(site: &mut Site<'_>, record: &Value, _: &Params) -> Result<(), Refusal> {
    let name = path::text(record, "name");
    let uses = |policy: &&Value| path::all(policy, "copies.schedule.name").iter().any(|used| used.as_str() == name);
    match site.records("/storage/snapshot-policies").iter().find(uses) {
        Some(policy) => Err(Refusal::in_use(format!(
            "The schedule is used by snapshot policy \"{}\".",
            path::owned(policy, "name")
        ))),
        None => Ok(()),
    }
}

fn complete_qos(_: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    if path::get(record, "fixed").is_some() && path::get(record, "adaptive").is_some() {
        return Err(Refusal::bad(8_454_260, "A policy is either fixed or adaptive.").at("adaptive"));
    }
    Ok(())
}

fn qos_is_unused(site: &mut Site<'_>, record: &Value, _: &Params) -> Result<(), Refusal> {
    let uuid = path::text(record, "uuid");
    if path::text(record, "policy_class") == Some("preset") {
        return Err(Refusal::in_use("A preset policy cannot be deleted."));
    }
    match site.records("/storage/volumes").iter().find(|volume| path::text(volume, "qos.policy.uuid") == uuid) {
        Some(user) => Err(Refusal::in_use(format!("The policy is used by volume \"{}\".", path::owned(user, "name")))),
        None => Ok(()),
    }
}
