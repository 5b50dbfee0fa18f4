//! Initiator groups. Initiators are objects of their own, which their group shows.

use serde_json::{Value, json};

use super::san::MAPS;
use crate::path;
use crate::refusal::Refusal;
use crate::resource::{Edit, Link, Params, Resource, Way, flag};
use crate::site::Site;

/// The path of the collection.
pub(crate) const PATH: &str = "/protocols/san/igroups";
const INITIATORS: &str = "/protocols/san/igroups/{igroup.uuid}/initiators";

/// The rows.
pub(crate) static ROWS: &[Resource] = &[
    Resource {
        path: PATH,
        brief: &["name", "svm.name"],
        post: Way::Now,
        patch: Way::Now,
        delete: Way::Now,
        required: &["svm", "name", "os_type"],
        links: &[Link::SVM],
        defaults: r#"{"protocol": "mixed", "supports_igroups": true, "delete_on_unmap": false}"#,
        enums: &[
            ("protocol", &["fcp", "iscsi", "mixed"]),
            (
                "os_type",
                &["aix", "hpux", "hyper_v", "linux", "netware", "openvms", "solaris", "vmware", "windows", "xen"],
            ),
        ],
        fixed: &["protocol"],
        check: name_is_free,
        create: put_initiators,
        change: |site, edit: &mut Edit| {
            if edit.patch.get("initiators").is_some() {
                remove_initiators(site, &edit.after);
                put_initiators(site, &mut edit.after)?;
            }
            Ok(())
        },
        spare: is_unmapped,
        delete_with: |site, record| {
            remove_initiators(site, record);
            Ok(())
        },
        view,
        ..Resource::BASE
    },
    Resource {
        path: INITIATORS,
        keys: &["name"],
        brief: &["comment"],
        post: Way::Now,
        patch: Way::Now,
        delete: Way::Now,
        required: &["name"],
        unique: &[&["igroup.uuid", "name"]],
        links: &[Link::to("igroup", PATH)],
        ..Resource::BASE
    },
];

fn name_is_free(site: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    let (svm, name) = (path::owned(record, "svm.uuid"), path::owned(record, "name"));
    if site.find_all(PATH, &[("svm.uuid", &svm), ("name", &name)]).is_some() {
        let message = "An initiator group with the supplied name already exists.";
        return Err(Refusal::new(409, 5_374_733, message).at("name"));
    }
    Ok(())
}

fn put_initiators(site: &mut Site<'_>, group: &mut Value) -> Result<(), Refusal> {
    let reference = json!({ "name": group["name"], "uuid": group["uuid"] });
    let initiators = path::remove(group, "initiators").and_then(|list| list.as_array().cloned()).unwrap_or_default();
    for mut initiator in initiators {
        if path::text(&initiator, "name").is_none() {
            return Err(Refusal::missing("initiators.name"));
        }
        path::set(&mut initiator, "igroup", reference.clone());
        site.insert(INITIATORS, initiator);
    }
    Ok(())
}

fn remove_initiators(site: &mut Site<'_>, group: &Value) {
    let uuid = path::owned(group, "uuid");
    site.remove(INITIATORS, |one| path::text(one, "igroup.uuid") == Some(&uuid));
}

fn is_unmapped(site: &mut Site<'_>, record: &Value, params: &Params) -> Result<(), Refusal> {
    let uuid = path::text(record, "uuid");
    let mapped = site.records(MAPS).iter().any(|map| path::text(map, "igroup.uuid") == uuid);
    if mapped && !flag(params, "allow_delete_while_mapped") {
        let message = "The initiator group is mapped to LUNs. Delete the maps first, or allow_delete_while_mapped.";
        return Err(Refusal::in_use(message));
    }
    Ok(())
}

fn view(site: &Site<'_>, record: &mut Value) {
    let uuid = path::owned(record, "uuid");
    let of_it = |other: &&Value| path::text(other, "igroup.uuid") == Some(&uuid);
    let maps = site.records(MAPS).iter().filter(of_it);
    let maps: Vec<Value> =
        maps.map(|map| json!({ "logical_unit_number": map["logical_unit_number"], "lun": map["lun"] })).collect();
    let initiators = site.records(INITIATORS).iter().filter(of_it);
    let initiators: Vec<Value> =
        initiators.map(|one| json!({ "name": one["name"], "comment": one["comment"] })).collect();
    path::set(record, "lun_maps", maps);
    if !initiators.is_empty() {
        path::set(record, "initiators", initiators);
    }
}
