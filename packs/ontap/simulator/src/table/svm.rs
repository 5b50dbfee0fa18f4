//! SVMs: what belongs to one comes and goes with it.

use serde_json::{Value, json};

use crate::path;
use crate::refusal::Refusal;
use crate::resource::{Edit, Link, Params, Resource, Way};
use crate::site::Site;
use crate::table;

const VOLUMES: &str = "/storage/volumes";

/// The rows.
pub(crate) static ROWS: &[Resource] = &[Resource {
    path: "/svm/svms",
    expensive: &["snapmirror"],
    post: Way::Job(2000),
    patch: Way::Job(800),
    delete: Way::Job(1500),
    required: &["name"],
    unique: &[&["name"]],
    links: &[
        Link::to("aggregates", "/storage/aggregates"),
        Link::to("ipspace", "/network/ipspaces"),
        Link::to("snapshot_policy", "/storage/snapshot-policies"),
    ],
    enums: &[
        ("subtype", &["default", "dp_destination", "sync_source", "sync_destination"]),
        ("state", &["running", "stopped"]),
    ],
    fixed: &["subtype"],
    check: complete,
    create: |_, record| {
        set_aside(record);
        Ok(())
    },
    created: furnish,
    change: switch_protocols,
    spare: is_empty,
    delete_with: clear,
    view,
    ..Resource::BASE
}];

const DEFAULTS: &str = r#"{
    "subtype": "default", "language": "c.utf_8", "state": "running", "comment": "", "max_volumes": "unlimited", "aggregates": [],
    "nfs": {"allowed": true, "enabled": false}, "cifs": {"allowed": true, "enabled": false},
    "iscsi": {"allowed": true, "enabled": false}, "fcp": {"allowed": true, "enabled": false},
    "nvme": {"allowed": true, "enabled": false}, "s3": {"allowed": true, "enabled": false}, "ndmp": {"allowed": true},
    "nsswitch": {"hosts": ["files", "dns"], "group": ["files"], "passwd": ["files"], "netgroup": ["files"], "namemap": ["files"]},
    "anti_ransomware_default_volume_state": "disabled", "auto_enable_analytics": false, "auto_enable_activity_tracking": false,
    "is_space_reporting_logical": false, "is_space_enforcement_logical": false
}"#;

/// Makes an SVM with all that belongs to it.
pub(crate) fn found(site: &mut Site<'_>, mut record: Value) -> Result<(), Refusal> {
    if let Some(row) = table::named("/svm/svms") {
        let whole = record.clone();
        crate::refer::resolve(site, row, &mut record, &whole)?;
    }
    complete(site, &mut record)?;
    set_aside(&mut record);
    site.insert("/svm/svms", record.clone());
    furnish(site, &record)
}

fn complete(site: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    let name = path::owned(record, "name");
    let fine = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
    if !name.chars().all(fine) || name.starts_with(|letter: char| letter.is_ascii_digit() || letter == '-') {
        return Err(Refusal::bad(13_434_884, format!("Invalid SVM name \"{name}\".")).at("name"));
    }
    if site.find("/svm/svms", "name", &name).is_some() {
        return Err(Refusal::new(
            409,
            13_434_908,
            format!("SVM name \"{name}\" already in use. Choose a different name."),
        )
        .at("name"));
    }
    let mut whole: Value = serde_json::from_str(DEFAULTS).unwrap_or_default();
    path::merge(&mut whole, record);
    // A protocol that is switched on is one that is allowed.
    for (field, table) in [("ipspace", "/network/ipspaces"), ("snapshot_policy", "/storage/snapshot-policies")] {
        if path::text(&whole, &format!("{field}.uuid")).is_none() {
            let name = if field == "ipspace" { "Default" } else { "default" };
            let uuid = site.find(table, "name", name).map(|found| path::owned(found, "uuid"));
            path::set(&mut whole, field, json!({ "name": name, "uuid": uuid }));
        }
    }
    *record = whole;
    Ok(())
}

/// What becomes objects of their own is not kept in the SVM.
const FURNITURE: [&str; 3] = ["ip_interfaces", "routes", "dns"];

fn set_aside(record: &mut Value) {
    for field in FURNITURE {
        if let Some(value) = path::remove(record, field) {
            path::set(record, &format!("~{field}"), value);
        }
    }
}

/// The root volume, the export policy, services, addresses, routes and names of a new SVM.
fn furnish(site: &mut Site<'_>, record: &Value) -> Result<(), Refusal> {
    let owner = json!({ "name": record["name"], "uuid": record["uuid"] });
    let id = site.number("/protocols/nfs/export-policies ");
    site.insert("/protocols/nfs/export-policies", json!({ "name": "default", "id": id, "svm": owner }));
    let mut root = table::volume::plain(site, &owner, &format!("{}_root", path::owned(record, "name")), 1 << 30);
    if let Some(aggregate) = path::get(record, "aggregates").and_then(Value::as_array).and_then(|list| list.first()) {
        path::set(&mut root, "aggregates", vec![aggregate.clone()]);
    }
    path::set(&mut root, "is_svm_root", true);
    path::set(&mut root, "nas.path", "/");
    site.insert(VOLUMES, root);
    for (field, table) in [("ip_interfaces", "/network/ip/interfaces"), ("routes", "/network/ip/routes")] {
        for mut one in path::get(record, &format!("~{field}")).and_then(Value::as_array).cloned().unwrap_or_default() {
            path::set(&mut one, "svm", owner.clone());
            path::set(&mut one, "ipspace", record["ipspace"].clone());
            add(site, table, one)?;
        }
    }
    if let Some(mut dns) = path::get(record, "~dns").cloned().filter(|dns| dns.get("servers").is_some()) {
        path::set(&mut dns, "svm", owner.clone());
        add(site, "/name-services/dns", dns)?;
    }
    start_services(site, record, &owner)
}

fn start_services(site: &mut Site<'_>, record: &Value, owner: &Value) -> Result<(), Refusal> {
    for (protocol, table) in [("nfs", "/protocols/nfs/services"), ("iscsi", "/protocols/san/iscsi/services")] {
        let there =
            site.records(table).iter().any(|service| path::text(service, "svm.uuid") == path::text(owner, "uuid"));
        if path::is_true(record, &format!("{protocol}.enabled")) && !there {
            add(site, table, json!({ "svm": owner, "~with_svm": true }))?;
        }
    }
    Ok(())
}

/// Makes an object as a client would, at once.
pub(crate) fn add(site: &mut Site<'_>, table: &'static str, body: Value) -> Result<(), Refusal> {
    let Some(row) = table::named(table) else { return Ok(()) };
    let record = crate::write::completed(site, row, body)?;
    crate::effect::apply_all(site, vec![crate::effect::Effect::Create(row, record)])
}

fn switch_protocols(site: &mut Site<'_>, edit: &mut Edit) -> Result<(), Refusal> {
    let owner = json!({ "name": edit.after["name"], "uuid": edit.after["uuid"] });
    start_services(site, &edit.after, &owner)
}

fn is_empty(site: &mut Site<'_>, record: &Value, _: &Params) -> Result<(), Refusal> {
    let (name, uuid) = (path::owned(record, "name"), path::owned(record, "uuid"));
    let volumes = site.records(VOLUMES).iter();
    let data =
        volumes.filter(|volume| path::text(volume, "svm.uuid") == Some(&uuid) && !path::is_true(volume, "is_svm_root"));
    let names: Vec<String> = data.map(|volume| path::owned(volume, "name")).collect();
    if !names.is_empty() {
        let message = format!("SVM \"{name}\" has volumes ({}). Delete them first.", names.join(", "));
        return Err(Refusal::in_use(message));
    }
    if site.records("/svm/peers").iter().any(|peer| path::text(peer, "svm.uuid") == Some(&uuid)) {
        return Err(Refusal::in_use(format!("SVM \"{name}\" is in a peer relationship. Delete that first.")));
    }
    Ok(())
}

/// What belongs to an SVM goes with it.
fn clear(site: &mut Site<'_>, record: &Value) -> Result<(), Refusal> {
    let uuid = path::owned(record, "uuid");
    for row in table::all().iter().filter(|row| row.of_svm()) {
        site.remove(row.path, |other| path::text(other, "svm.uuid") == Some(&uuid));
    }
    Ok(())
}

fn view(site: &Site<'_>, record: &mut Value) {
    let uuid = path::owned(record, "uuid");
    let of = |table: &str| {
        site.records(table).iter().filter(|other| path::text(other, "svm.uuid") == Some(&uuid)).collect::<Vec<_>>()
    };
    let interfaces: Vec<Value> = of("/network/ip/interfaces").into_iter()
        .map(|one| json!({ "name": one["name"], "uuid": one["uuid"], "ip": { "address": one["ip"]["address"] }, "services": one["services"] })).collect();
    if !interfaces.is_empty() {
        path::set(record, "ip_interfaces", interfaces);
    }
    if let Some(dns) = of("/name-services/dns").first() {
        path::set(record, "dns", json!({ "domains": dns["domains"], "servers": dns["servers"] }));
    }
    for (protocol, table) in [
        ("nfs", "/protocols/nfs/services"),
        ("cifs", "/protocols/cifs/services"),
        ("iscsi", "/protocols/san/iscsi/services"),
    ] {
        let enabled = of(table).first().is_some_and(|service| path::is_true(service, "enabled"));
        path::set(record, &format!("{protocol}.enabled"), enabled);
    }
}
