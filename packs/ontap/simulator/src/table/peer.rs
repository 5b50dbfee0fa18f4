//! Cluster peers: what may be asked for.
//!
//! Rules and codes are those of NetApp's document of `/cluster/peers`. Passphrases are notes of the simulator: what was
//! generated is said once, in the answer to the request that had it generated.

mod meet;

use serde_json::{Value, json};

pub(crate) use meet::settle;

use crate::moment::{self, DAY_MS};
use crate::path;
use crate::refusal::Refusal;
use crate::resource::{Edit, Link, Params, Resource, Way};
use crate::site::Site;

/// The path of the collection.
pub(crate) const PATH: &str = "/cluster/peers";
const INTERFACES: &str = "/network/ip/interfaces";
/// The longest that a passphrase is valid.
const EXPIRY_MAX_MS: u64 = 7 * DAY_MS;
/// How long it is if nothing else is said.
const EXPIRY_MS: u64 = 3_600_000;
/// The shortest passphrase.
const PASSPHRASE_MIN: usize = 8;

/// The rows.
pub(crate) static ROWS: &[Resource] = &[Resource {
    path: PATH,
    post: Way::Now,
    patch: Way::Now,
    delete: Way::Now,
    unique: &[&["name"]],
    links: &[Link::to("ipspace", "/network/ipspaces"), Link::to("initial_allowed_svms", "/svm/svms").code(2_621_462)],
    defaults: r#"{"authentication": {"in_use": "ok", "state": "pending"}, "encryption": {"proposed": "tls_psk", "state": "none"},
        "status": {"state": "pending"}, "peer_applications": ["snapmirror", "flexcache"]}"#,
    check: complete,
    create: make_interfaces,
    admit: |site, edit| admit(site, edit),
    change,
    spare: is_unused,
    delete_with: leave,
    answer,
    ..Resource::BASE
}];

fn complete(site: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    let addresses = addresses(record)?;
    let passphrase = path::text(record, "authentication.passphrase").map(str::to_owned);
    let generate = path::is_true(record, "authentication.generate_passphrase");
    if passphrase.is_some() && addresses.is_empty() {
        let message = "A passphrase can only be given together with \"remote.ip_addresses\".";
        return Err(Refusal::bad(4_656_069, message).at("authentication.passphrase"));
    }
    if passphrase.is_none() && !generate && !addresses.is_empty() && site.world.rules.strict_peers {
        let message = "Addresses of the peer need a passphrase, or \"authentication.generate_passphrase\".";
        return Err(Refusal::bad(4_656_077, message).at("authentication"));
    }
    check_passphrase(record)?;
    check_encryption(record)?;
    check_name(site, record)?;
    check_expiry(site, record)?;
    check_local_network(site, record)?;
    in_ipspace(site, record);
    let generated = set_passphrase(site, record);
    path::set(record, "~generated", generated);
    path::set(record, "~anonymous", addresses.is_empty());
    if path::text(record, "name").is_none() {
        let found = addresses.iter().find_map(|address| meet::owner(site.world, address)).filter(|at| *at != site.at);
        let name = match found {
            Some(at) => site.name_of(at),
            None => format!("Clus_{}", path::owned(record, "uuid").split('-').next().unwrap_or_default()),
        };
        path::set(record, "~unnamed", found.is_none());
        path::set(record, "name", name);
    }
    let moment = site.moment();
    path::set(record, "status.update_time", moment);
    Ok(())
}

/// The addresses of the peer, each of which has to be one.
fn addresses(record: &Value) -> Result<Vec<String>, Refusal> {
    let list = path::get(record, "remote.ip_addresses").and_then(Value::as_array).cloned().unwrap_or_default();
    let texts: Vec<String> = list.iter().map(path::plain).collect();
    match texts.iter().find(|text| text.parse::<std::net::IpAddr>().is_err()) {
        Some(wrong) => {
            Err(Refusal::bad(4_656_076, format!("\"{wrong}\" is not a valid address.")).at("remote.ip_addresses"))
        }
        None => Ok(texts),
    }
}

fn check_passphrase(body: &Value) -> Result<(), Refusal> {
    let Some(passphrase) = path::text(body, "authentication.passphrase") else { return Ok(()) };
    if path::is_true(body, "authentication.generate_passphrase") {
        let message = "A passphrase cannot be both given and generated.";
        return Err(Refusal::bad(4_656_083, message).at("authentication.generate_passphrase"));
    }
    if passphrase.chars().count() < PASSPHRASE_MIN {
        let message = format!("A passphrase has to have at least {PASSPHRASE_MIN} characters.");
        return Err(Refusal::bad(4_656_082, message).at("authentication.passphrase"));
    }
    Ok(())
}

/// Some of NetApp's own examples write `tls-psk`.
fn check_encryption(record: &mut Value) -> Result<(), Refusal> {
    let proposed = path::owned(record, "encryption.proposed");
    let proposed = match proposed.as_str() {
        "" => return Ok(()),
        "none" => "none",
        "tls_psk" | "tls-psk" => "tls_psk",
        other => return Err(Refusal::invalid("encryption.proposed", other)),
    };
    if proposed == "tls_psk" && path::text(record, "authentication.in_use") == Some("absent") {
        return Err(Refusal::bad(4_656_070, "Encryption needs authentication.").at("encryption.proposed"));
    }
    path::set(record, "encryption.proposed", proposed);
    Ok(())
}

fn check_name(site: &Site<'_>, record: &Value) -> Result<(), Refusal> {
    let Some(name) = path::text(record, "name") else { return Ok(()) };
    if name == site.name_of(site.at) {
        let message = "The name of the peer cannot be the name of the local cluster.";
        return Err(Refusal::bad(4_656_071, message).at("name"));
    }
    let blank = name.trim().is_empty() || name.len() > 255 || name.chars().any(char::is_control);
    if blank {
        return Err(Refusal::bad(4_656_072, format!("\"{name}\" is not a valid name of a peer.")).at("name"));
    }
    Ok(())
}

fn check_expiry(site: &Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    let text = path::owned(record, "authentication.expiry_time");
    if text.is_empty() {
        return Ok(());
    }
    let away = moment::away(&text, site.now()).ok_or_else(|| Refusal::invalid("authentication.expiry_time", &text))?;
    if away > EXPIRY_MAX_MS {
        let message = "The expiration time cannot be more than seven days in the future.";
        return Err(Refusal::bad(4_655_058, message).at("authentication.expiry_time"));
    }
    path::set(record, "~expires", site.now() + away);
    path::set(record, "authentication.expiry_time", moment::written(site.now() + away));
    Ok(())
}

fn check_local_network(site: &Site<'_>, record: &Value) -> Result<(), Refusal> {
    let Some(network) = path::get(record, "local_network").filter(|network| network.is_object()) else { return Ok(()) };
    let refuse =
        |code: u64, message: &str, field: &str| Err(Refusal::bad(code, message).at(format!("local_network.{field}")));
    let addresses = local_addresses(network);
    if addresses.is_empty() {
        return refuse(4_656_081, "The list of addresses for intercluster interfaces is empty.", "interfaces");
    }
    if addresses.len() > site.records("/cluster/nodes").len() {
        return refuse(4_656_087, "There are more addresses than nodes in the cluster.", "interfaces");
    }
    if addresses.iter().any(|address| address.parse::<std::net::IpAddr>().is_err()) {
        return refuse(4_656_085, "An address for an intercluster interface is not valid.", "interfaces");
    }
    let domain = path::text(network, "broadcast_domain").unwrap_or("Default");
    let known = site.find("/network/ethernet/broadcast-domains", "name", domain);
    if known.is_none() {
        return refuse(4_656_086, "The broadcast domain does not exist.", "broadcast_domain");
    }
    let mask = path::get(network, "netmask").map(path::plain).unwrap_or_default();
    if mask.parse::<u8>().map_or(true, |bits| bits > 128) && mask.parse::<std::net::IpAddr>().is_err() {
        return refuse(4_656_090, "A valid netmask is required.", "netmask");
    }
    match path::text(network, "gateway") {
        Some(gateway) if gateway.parse::<std::net::IpAddr>().is_err() => {
            refuse(4_656_091, "The gateway is not a valid address.", "gateway")
        }
        _ => Ok(()),
    }
}

fn local_addresses(network: &Value) -> Vec<String> {
    let found = path::all(network, "interfaces.ip_address").into_iter().chain(path::all(network, "ip_addresses"));
    found.map(path::plain).collect()
}

fn in_ipspace(site: &Site<'_>, record: &mut Value) {
    if path::text(record, "ipspace.uuid").is_none() {
        let uuid = site.find("/network/ipspaces", "name", "Default").map(|found| path::owned(found, "uuid"));
        path::set(record, "ipspace", json!({ "name": "Default", "uuid": uuid }));
    }
}

/// Keeps the passphrase, or generates one; says whether it did.
fn set_passphrase(site: &mut Site<'_>, record: &mut Value) -> bool {
    let given = path::remove(record, "authentication.passphrase").and_then(|text| text.as_str().map(str::to_owned));
    path::remove(record, "authentication.generate_passphrase");
    let generated = given.is_none();
    let passphrase = given.unwrap_or_else(|| site.uuid().replace('-', "").chars().take(24).collect());
    path::set(record, "~passphrase", passphrase);
    if path::text(record, "authentication.expiry_time").is_none() {
        path::set(record, "~expires", site.now() + EXPIRY_MS);
        path::set(record, "authentication.expiry_time", moment::written(site.now() + EXPIRY_MS));
    }
    generated
}

/// The interfaces that the cluster is to get first, one for each node.
fn make_interfaces(site: &mut Site<'_>, record: &mut Value) -> Result<(), Refusal> {
    let Some(network) = path::remove(record, "local_network") else { return Ok(()) };
    let nodes: Vec<String> = site.records("/cluster/nodes").iter().map(|node| path::owned(node, "name")).collect();
    let mask = path::get(&network, "netmask").map(path::plain).unwrap_or_else(|| "24".to_owned());
    for (index, (address, node)) in local_addresses(&network).into_iter().zip(nodes).enumerate() {
        super::svm::add(
            site,
            INTERFACES,
            json!({
                "name": format!("{node}_icl{}", index + 1), "ip": { "address": address, "netmask": mask }, "ipspace": record["ipspace"],
                "service_policy": { "name": "default-intercluster" }, "location": { "home_node": { "name": node } },
            }),
        )?;
    }
    Ok(())
}

fn admit(site: &Site<'_>, edit: &Edit) -> Result<(), Refusal> {
    let patch = &edit.patch;
    let renewed = path::text(patch, "authentication.passphrase").is_some()
        || path::is_true(patch, "authentication.generate_passphrase");
    check_passphrase(patch)?;
    let mut changed = edit.after.clone();
    check_encryption(&mut changed)?;
    let (old, new) = (path::text(&edit.before, "encryption.proposed"), path::text(&changed, "encryption.proposed"));
    if old != new && !renewed {
        let message = "A change of the encryption protocol needs a new passphrase.";
        return Err(Refusal::bad(4_656_073, message).at("encryption.proposed"));
    }
    if path::get(patch, "name").is_some() {
        check_name(site, &edit.after)?;
    }
    if path::get(patch, "remote.ip_addresses").is_some() && addresses(&edit.after)?.is_empty() {
        return Err(Refusal::bad(4_656_076, "The list of addresses of the peer is empty.").at("remote.ip_addresses"));
    }
    if path::get(patch, "authentication.expiry_time").is_some() {
        check_expiry(site, &mut changed)?;
    }
    Ok(())
}

fn change(site: &mut Site<'_>, edit: &mut Edit) -> Result<(), Refusal> {
    let (patch, after) = (&edit.patch, &mut edit.after);
    check_encryption(after)?;
    if path::get(patch, "authentication.expiry_time").is_some() {
        check_expiry(site, after)?;
    }
    let given = path::text(patch, "authentication.passphrase").is_some();
    let generate = path::is_true(patch, "authentication.generate_passphrase");
    path::set(after, "~generated", generate);
    if given || generate {
        if path::get(patch, "authentication.expiry_time").is_none() {
            path::remove(after, "authentication.expiry_time");
        }
        set_passphrase(site, after);
        // Until the other side has it too.
        path::set(after, "~joined", false);
        path::set(after, "authentication.state", "pending");
    }
    if path::get(patch, "remote.ip_addresses").is_some() {
        path::set(after, "~joined", false);
        path::set(after, "~anonymous", false);
    }
    let moment = site.moment();
    path::set(after, "status.update_time", moment);
    Ok(())
}

fn is_unused(site: &mut Site<'_>, record: &Value, _: &Params) -> Result<(), Refusal> {
    let name = path::text(record, "name");
    if site.records(super::svm_peer::PATH).iter().any(|peer| path::text(peer, "peer.cluster.name") == name) {
        return Err(Refusal::new(
            409,
            4_663_070,
            "The cluster peer is in use by SVM peer relationships. Delete those first.",
        ));
    }
    Ok(())
}

/// The other side notices that nobody answers any more.
fn leave(site: &mut Site<'_>, record: &Value) -> Result<(), Refusal> {
    let (local, remote) = (site.uuid_of(site.at), path::owned(record, "~cluster"));
    let other = (0..site.world.clusters.len()).find(|at| site.uuid_of(*at) == remote);
    let Some(mut site) = other.map(|at| site.other(at)) else { return Ok(()) };
    for peer in site.table(PATH).into_iter().flatten().filter(|peer| path::text(peer, "~cluster") == Some(&local)) {
        path::set(peer, "~joined", false);
        path::set(peer, "~left", true);
        path::set(peer, "status.state", "unavailable");
        path::set(peer, "authentication.state", "absent");
    }
    Ok(())
}

/// What an answer says of a peer that was made or got a new passphrase.
fn answer(record: &Value) -> Option<Value> {
    let mut said = json!({ "uuid": record["uuid"], "name": record["name"], "authentication": { "expiry_time": record["authentication"]["expiry_time"] } });
    if path::is_true(record, "~generated") {
        path::set(&mut said, "authentication.passphrase", path::owned(record, "~passphrase"));
    }
    if let Some(address) = path::all(record, "remote.ip_addresses").first() {
        path::set(&mut said, "ip_address", path::plain(address));
    }
    Some(said)
}
