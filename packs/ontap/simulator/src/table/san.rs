//! Blocks: LUNs and their maps, the iSCSI service.

use serde_json::{Value, json};

use crate::path;
use crate::refusal::Refusal;
use crate::resource::{Edit, Link, Params, Resource, Way, flag};
use crate::site::Site;

const LUNS: &str = "/storage/luns";
/// The maps of LUNs to initiator groups.
pub(crate) const MAPS: &str = "/protocols/san/lun-maps";
const VOLUMES: &str = "/storage/volumes";

/// The rows.
pub(crate) static ROWS: &[Resource] = &[
    Resource {
        path: LUNS,
        brief: &["name", "svm.name"],
        expensive: &["statistics", "metric", "lun_maps", "attributes"],
        post: Way::Now,
        patch: Way::Now,
        delete: Way::Now,
        required: &["svm", "os_type"],
        unique: &[&["svm.uuid", "name"]],
        links: &[
            Link::SVM,
            Link::of_svm("location.volume", VOLUMES),
            Link::of_svm("qos_policy", "/storage/qos/policies"),
        ],
        defaults: r#"{"enabled": true, "class": "regular", "auto_delete": false, "comment": "", "space": {"guarantee": {"requested": false, "reserved": false}}}"#,
        sizes: &["space.size"],
        fixed: &["os_type"],
        check: complete_lun,
        admit: admit_lun,
        spare: lun_is_unmapped,
        delete_with: |site, record| {
            let uuid = path::owned(record, "uuid");
            site.remove(MAPS, |map| path::text(map, "lun.uuid") == Some(&uuid));
            Ok(())
        },
        view: view_lun,
        ..Resource::BASE
    },
    Resource {
        path: MAPS,
        keys: &["lun.uuid", "igroup.uuid"],
        brief: &["lun.name", "igroup.name", "svm.name"],
        post: Way::Now,
        delete: Way::Now,
        required: &["svm", "lun", "igroup"],
        links: &[
            Link::SVM,
            Link::of_svm("lun", LUNS).code(5_374_875),
            Link::of_svm("igroup", super::igroup::PATH).code(5_374_852),
        ],
        check: complete_map,
        ..Resource::BASE
    },
    Resource {
        path: "/protocols/san/iscsi/services",
        keys: &["svm.uuid"],
        brief: &["svm.name"],
        post: Way::Now,
        patch: Way::Now,
        delete: Way::Now,
        required: &["svm"],
        links: &[Link::SVM],
        defaults: r#"{"enabled": true}"#,
        check: |site, record| {
            super::nas::once(site, "/protocols/san/iscsi/services", record)?;
            let number = site.number("iscsi target");
            let (target, alias) =
                (format!("iqn.1992-08.com.netapp:sn.{number:032x}:vs.{number}"), path::owned(record, "svm.name"));
            path::set(record, "target.name", target);
            if path::get(record, "target.alias").is_none() {
                path::set(record, "target.alias", alias);
            }
            Ok(())
        },
        create: |site, record| super::nas::take_over(site, "/protocols/san/iscsi/services", record),
        ..Resource::BASE
    },
];

fn lun_is_unmapped(site: &mut Site<'_>, record: &Value, params: &Params) -> Result<(), Refusal> {
    let uuid = path::text(record, "uuid");
    let mapped = site.records(MAPS).iter().any(|map| path::text(map, "lun.uuid") == uuid);
    if mapped && !flag(params, "allow_delete_while_mapped") {
        return Err(Refusal::in_use("The LUN is mapped. Delete its maps first, or allow_delete_while_mapped."));
    }
    Ok(())
}

/// A LUN is named by its path, `/vol/volume[/qtree]/name`, or by its place and its last name.
fn complete_lun(site: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    let by_place = path::text(record, "location.logical_unit").zip(path::text(record, "location.volume.name"));
    let place = path::text(record, "location.qtree.name").filter(|name| !name.is_empty());
    let name = match (by_place, path::text(record, "name")) {
        (_, Some(name)) => name.to_owned(),
        (Some((unit, volume)), None) => match place {
            Some(qtree) => format!("/vol/{volume}/{qtree}/{unit}"),
            None => format!("/vol/{volume}/{unit}"),
        },
        (None, None) => return Err(Refusal::missing("name")),
    };
    let parts: Vec<&str> = name.split('/').collect();
    let (volume, qtree, unit) = match parts.as_slice() {
        ["", "vol", volume, unit] => ((*volume).to_owned(), String::new(), (*unit).to_owned()),
        ["", "vol", volume, qtree, unit] => ((*volume).to_owned(), (*qtree).to_owned(), (*unit).to_owned()),
        _ => return Err(Refusal::bad(5_374_302, format!("\"{name}\" is not a valid LUN path.")).at("name")),
    };
    let svm = path::owned(record, "svm.uuid");
    let Some(found) = site.find_all(VOLUMES, &[("svm.uuid", &svm), ("name", &volume)]) else {
        return Err(Refusal::new(404, 917_927, format!("The specified volume \"{volume}\" was not found."))
            .at("location.volume.name"));
    };
    if path::text(found, "state") != Some("online") {
        return Err(Refusal::bad(13_001, format!("Volume \"{volume}\" is not online.")));
    }
    let reference = json!({ "name": volume, "uuid": found["uuid"] });
    let room = path::number(found, "size").unwrap_or_default();
    let size = path::number(record, "space.size").ok_or_else(|| Refusal::missing("space.size"))?;
    if size == 0 || path::is_true(record, "space.guarantee.requested") && size > room {
        return Err(Refusal::bad(5_440_509, "The volume has not enough space for the LUN.").at("space.size"));
    }
    path::set(record, "name", name);
    path::set(record, "location", json!({ "volume": reference, "logical_unit": unit }));
    if !qtree.is_empty() {
        path::set(record, "location.qtree.name", qtree);
    }
    let (moment, number) = (site.moment(), site.number("lun serial"));
    path::set(record, "create_time", moment);
    path::set(record, "serial_number", format!("80EPe?{number:06}"));
    Ok(())
}

fn admit_lun(_: &mut Site<'_>, edit: &Edit) -> Result<(), Refusal> {
    let size = |value: &Value| path::number(value, "space.size");
    if size(&edit.patch).is_some_and(|new| size(&edit.before).is_some_and(|old| new < old)) {
        return Err(Refusal::bad(5_374_731, "A LUN does not shrink without being told so.").at("space.size"));
    }
    Ok(())
}

fn view_lun(site: &Site<'_>, record: &mut Value) {
    let uuid = path::text(record, "uuid");
    let maps = site.records(MAPS).iter().filter(|map| path::text(map, "lun.uuid") == uuid);
    let maps: Vec<Value> =
        maps.map(|map| json!({ "logical_unit_number": map["logical_unit_number"], "igroup": map["igroup"] })).collect();
    let volume = path::owned(record, "location.volume.uuid");
    let online =
        site.find(VOLUMES, "uuid", &volume).is_some_and(|volume| path::text(volume, "state") == Some("online"));
    let state = match (online, path::is_true(record, "enabled")) {
        (false, _) => "nvfail",
        (true, true) => "online",
        (true, false) => "offline",
    };
    path::set(
        record,
        "status",
        json!({ "mapped": !maps.is_empty(), "state": state, "container_state": "online", "read_only": false }),
    );
    path::set(record, "space.used", 0);
    path::set(record, "lun_maps", maps);
}

fn complete_map(site: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    let (lun, igroup) = (path::owned(record, "lun.uuid"), path::owned(record, "igroup.uuid"));
    if site.find_all(MAPS, &[("lun.uuid", &lun), ("igroup.uuid", &igroup)]).is_some() {
        return Err(Refusal::new(
            409,
            5_374_922,
            "The specified LUN is already mapped to the specified initiator group.",
        ));
    }
    let taken: Vec<u64> = site
        .records(MAPS)
        .iter()
        .filter(|map| path::text(map, "igroup.uuid") == Some(&igroup))
        .filter_map(|map| path::number(map, "logical_unit_number"))
        .collect();
    let wanted = path::number(record, "logical_unit_number");
    if wanted.is_some_and(|number| taken.contains(&number)) {
        return Err(Refusal::new(
            409,
            5_374_707,
            "The logical unit number is already in use for this initiator group.",
        ));
    }
    let number = wanted.unwrap_or_else(|| (0..).find(|number| !taken.contains(number)).unwrap_or_default());
    path::set(record, "logical_unit_number", number);
    Ok(())
}
