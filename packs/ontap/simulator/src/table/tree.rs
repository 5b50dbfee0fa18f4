//! Qtrees and quotas.

use serde_json::{Value, json};

use crate::path;
use crate::refusal::Refusal;
use crate::resource::{Link, Params, Resource, Way};
use crate::site::Site;

const QTREES: &str = "/storage/qtrees";
const RULES: &str = "/storage/quota/rules";
const VOLUMES: &str = "/storage/volumes";

/// The rows.
pub(crate) static ROWS: &[Resource] = &[
    Resource {
        path: QTREES,
        keys: &["volume.uuid", "id"],
        brief: &["name", "volume.name", "svm.name"],
        expensive: &["statistics", "metric"],
        post: Way::Job(600),
        patch: Way::Job(400),
        delete: Way::Job(400),
        required: &["svm", "volume", "name"],
        unique: &[&["volume.uuid", "name"]],
        links: &[
            Link::SVM,
            Link::of_svm("volume", VOLUMES),
            Link::of_svm("export_policy", "/protocols/nfs/export-policies"),
            Link::of_svm("qos_policy", "/storage/qos/policies"),
        ],
        defaults: r#"{"security_style": "unix", "unix_permissions": 755, "user": {"name": "root", "id": "0"}, "group": {"name": "daemon", "id": "1"}}"#,
        enums: &[("security_style", &["unix", "ntfs", "mixed"])],
        check: complete,
        spare: no_quota_limits,
        view: |_, record| {
            let place = format!("/{}/{}", path::owned(record, "volume.name"), path::owned(record, "name"));
            path::set(record, "path", place);
        },
        ..Resource::BASE
    },
    Resource {
        path: RULES,
        brief: &["svm.name", "volume.name", "type", "qtree.name"],
        post: Way::Job(600),
        patch: Way::Job(400),
        delete: Way::Job(400),
        required: &["svm", "volume", "type"],
        unique: &[&["volume.uuid", "~subject"]],
        links: &[Link::SVM, Link::of_svm("volume", VOLUMES)],
        sizes: &["space.hard_limit", "space.soft_limit"],
        enums: &[("type", &["tree", "user", "group"])],
        fixed: &["type", "qtree.name"],
        check: complete_rule,
        admit: |_, edit| limits_in_order(&edit.after),
        ..Resource::BASE
    },
    Resource {
        path: "/storage/quota/reports",
        keys: &["volume.uuid", "index"],
        brief: &["svm.name", "volume.name", "type"],
        ..Resource::BASE
    },
];

fn complete(site: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    let name = path::owned(record, "name");
    if name.contains('/') || name.len() > 64 {
        return Err(Refusal::invalid("name", &name));
    }
    let Some(volume) = site.find(VOLUMES, "uuid", &path::owned(record, "volume.uuid")) else {
        return Err(Refusal::absent());
    };
    if path::text(volume, "state") != Some("online") {
        return Err(Refusal::bad(13_001, format!("Volume \"{}\" is not online.", path::owned(volume, "name"))));
    }
    if path::get(record, "export_policy").is_none()
        && let Some(policy) = path::get(volume, "nas.export_policy").cloned()
    {
        path::set(record, "export_policy", policy);
    }
    Ok(())
}

fn no_quota_limits(site: &mut Site<'_>, record: &Value, _: &Params) -> Result<(), Refusal> {
    let (volume, name) = (path::owned(record, "volume.uuid"), path::owned(record, "name"));
    match site.find_all(RULES, &[("volume.uuid", &volume), ("qtree.name", &name)]) {
        Some(_) => Err(Refusal::in_use(format!("A quota rule limits qtree \"{name}\". Delete that first."))),
        None => Ok(()),
    }
}

fn complete_rule(site: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    limits_in_order(record)?;
    let (volume, kind) = (path::owned(record, "volume.uuid"), path::owned(record, "type"));
    let name = path::owned(record, "qtree.name");
    if !name.is_empty() {
        let Some(qtree) = site.find_all(QTREES, &[("volume.uuid", &volume), ("name", &name)]) else {
            return Err(Refusal::new(404, 4, format!("Qtree \"{name}\" does not exist.")).at("qtree.name"));
        };
        let reference = json!({ "name": qtree["name"], "id": qtree["id"] });
        path::set(record, "qtree", reference);
    } else if kind == "tree" {
        // The rule for every qtree that has none of its own.
        path::set(record, "qtree", json!({ "name": "" }));
    }
    // What the rule limits: one rule for each.
    let subject = json!([kind, record["qtree"]["name"], record["users"], record["group"]]).to_string();
    path::set(record, "~subject", subject);
    Ok(())
}

/// A soft limit above the hard one would never be met.
fn limits_in_order(record: &Value) -> Result<(), Refusal> {
    for what in ["space", "files"] {
        let limit = |kind: &str| path::number(record, &format!("{what}.{kind}_limit"));
        if let (Some(soft), Some(hard)) = (limit("soft"), limit("hard"))
            && soft > hard
        {
            return Err(Refusal::bad(5_308_498, "The soft limit cannot be above the hard limit.")
                .at(format!("{what}.soft_limit")));
        }
    }
    Ok(())
}
