//! The network: IPspaces, broadcast domains, ports, addresses, routes, names.

use serde_json::{Value, json};

use crate::path;
use crate::refusal::Refusal;
use crate::resource::{Link, Params, Resource, Way};
use crate::site::Site;

const IPSPACE: Link = Link::to("ipspace", "/network/ipspaces");

/// The rows.
pub(crate) static ROWS: &[Resource] = &[
    Resource {
        path: "/network/ipspaces",
        post: Way::Now,
        patch: Way::Now,
        delete: Way::Now,
        required: &["name"],
        unique: &[&["name"]],
        spare: ipspace_is_free,
        ..Resource::BASE
    },
    Resource {
        path: "/network/ethernet/broadcast-domains",
        brief: &["name", "ipspace.name", "mtu"],
        post: Way::Now,
        patch: Way::Now,
        delete: Way::Now,
        required: &["name", "mtu"],
        unique: &[&["ipspace.uuid", "name"]],
        links: &[IPSPACE],
        check: in_default_ipspace,
        ..Resource::BASE
    },
    Resource {
        path: "/network/ethernet/ports",
        brief: &["name", "node"],
        patch: Way::Now,
        links: &[
            Link::to("node", "/cluster/nodes"),
            Link::to("broadcast_domain", "/network/ethernet/broadcast-domains"),
        ],
        ..Resource::BASE
    },
    Resource {
        path: "/network/ip/interfaces",
        post: Way::Now,
        patch: Way::Now,
        delete: Way::Now,
        required: &["name", "ip.address"],
        unique: &[&["svm.uuid", "name"], &["ipspace.uuid", "ip.address"]],
        links: &[
            Link::SVM,
            IPSPACE,
            Link::to("location.home_node", "/cluster/nodes"),
            Link::to("location.node", "/cluster/nodes"),
            Link::to("location.broadcast_domain", "/network/ethernet/broadcast-domains"),
        ],
        defaults: r#"{"enabled": true, "vip": false, "scope": "svm", "location": {"auto_revert": true, "failover": "sfo_partners_only"}}"#,
        check: complete_interface,
        view: state_of_interface,
        ..Resource::BASE
    },
    Resource {
        path: "/network/ip/routes",
        brief: &["gateway", "destination"],
        post: Way::Now,
        delete: Way::Now,
        required: &["gateway"],
        unique: &[&["svm.uuid", "destination.address", "destination.netmask", "gateway"]],
        links: &[Link::SVM, IPSPACE],
        defaults: r#"{"destination": {"address": "0.0.0.0", "netmask": "0", "family": "ipv4"}, "metric": 20}"#,
        check: |site, route| {
            set_scope(route);
            in_default_ipspace(site, route)?;
            address(route, "gateway")
        },
        ..Resource::BASE
    },
    Resource {
        path: "/name-services/dns",
        keys: &["svm.uuid"],
        brief: &["svm.name", "domains", "servers"],
        post: Way::Now,
        patch: Way::Now,
        delete: Way::Now,
        required: &["svm", "domains", "servers"],
        unique: &[&["svm.uuid"]],
        links: &[Link::SVM],
        defaults: r#"{"timeout": 2, "attempts": 1, "scope": "svm"}"#,
        ..Resource::BASE
    },
];

/// The services of a service policy.
pub(crate) fn services(policy: &str) -> Value {
    match policy {
        "default-intercluster" => json!(["intercluster_core", "management_https"]),
        "default-management" => json!(["management_core", "management_ssh", "management_https"]),
        "default-data-blocks" => json!(["data_core", "data_iscsi"]),
        "default-data-files" => json!(["data_core", "data_nfs", "data_cifs", "data_flexcache"]),
        _ => json!(["data_core"]),
    }
}

fn set_scope(record: &mut Value) {
    let scope = if path::get(record, "svm").is_some() { "svm" } else { "cluster" };
    path::set(record, "scope", scope);
}

fn in_default_ipspace(site: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    if path::text(record, "ipspace.uuid").is_none() {
        let default = site.find("/network/ipspaces", "name", "Default").map(|ipspace| path::owned(ipspace, "uuid"));
        path::set(record, "ipspace", json!({ "name": "Default", "uuid": default }));
    }
    Ok(())
}

/// Refuses what is no address.
pub(crate) fn address(record: &Value, field: &str) -> Result<(), Refusal> {
    let text = path::text(record, field).unwrap_or_default();
    if text.parse::<std::net::IpAddr>().is_err() {
        return Err(Refusal::invalid(field, text));
    }
    Ok(())
}

fn complete_interface(site: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    address(record, "ip.address")?;
    set_scope(record);
    in_default_ipspace(site, record)?;
    let family = if path::text(record, "ip.address").is_some_and(|text| text.contains(':')) { "ipv6" } else { "ipv4" };
    path::set(record, "ip.family", family);
    if let Some(Value::String(policy)) = path::get(record, "service_policy").cloned() {
        path::set(record, "service_policy", json!({ "name": policy }));
    }
    if path::text(record, "service_policy.name").is_none() {
        let policy =
            if path::text(record, "scope") == Some("svm") { "default-data-files" } else { "default-management" };
        path::set(record, "service_policy.name", policy);
    }
    let policy = path::owned(record, "service_policy.name");
    path::set(record, "services", services(&policy));
    place_interface(site, record)
}

/// Where the interface lives: where the client says, else on the first node.
fn place_interface(site: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    let by_port = path::owned(record, "location.home_port.node.name");
    let wanted = path::text(record, "location.home_node.uuid").map(str::to_owned);
    let nodes = site.records("/cluster/nodes");
    let node = nodes.iter().find(|node| match &wanted {
        Some(uuid) => path::text(node, "uuid") == Some(uuid),
        None => by_port.is_empty() || path::text(node, "name") == Some(&by_port),
    });
    let Some(node) = node else {
        return Err(
            Refusal::bad(4, format!("The node \"{by_port}\" does not exist.")).at("location.home_port.node.name")
        );
    };
    let node = json!({ "name": node["name"], "uuid": node["uuid"] });
    let port = path::text(record, "location.home_port.name").unwrap_or("e0c").to_owned();
    let known = site.records("/network/ethernet/ports").iter().any(|one| path::text(one, "name") == Some(&port));
    if !known {
        return Err(Refusal::bad(1_966_189, format!("Port \"{port}\" does not exist.")).at("location.home_port.name"));
    }
    let port = json!({ "name": port, "node": { "name": node["name"] } });
    for (field, value) in [("home_node", &node), ("node", &node), ("home_port", &port), ("port", &port)] {
        path::set(record, &format!("location.{field}"), value.clone());
    }
    path::set(record, "location.is_home", true);
    Ok(())
}

fn state_of_interface(_: &Site<'_>, record: &mut Value) {
    let state = if path::is_true(record, "enabled") { "up" } else { "down" };
    path::set(record, "state", state);
}

fn ipspace_is_free(site: &mut Site<'_>, record: &Value, _: &Params) -> Result<(), Refusal> {
    let uuid = path::text(record, "uuid");
    let used = ["/network/ip/interfaces", "/network/ethernet/broadcast-domains", "/svm/svms"];
    if used.iter().any(|table| site.records(table).iter().any(|other| path::text(other, "ipspace.uuid") == uuid)) {
        return Err(Refusal::in_use("The IPspace is in use."));
    }
    Ok(())
}
