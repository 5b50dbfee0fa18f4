//! Unified Manager itself, and the clusters that it is told to watch.

use runner_sdk::simulator::Reply;
use serde_json::{Value, json};

use crate::Aiqum;
use crate::call::Call;
use crate::estate::{Cluster, Login};
use crate::problem::Problem;
use crate::{list, path, route, view};

/// `GET /management-server/system`.
pub(crate) fn system() -> Reply {
    let service =
        |name: &str| json!({ "name": name, "description": format!("The service {name}"), "status": "running" });
    Reply::json(
        200,
        &json!({
            "uuid": "0d1f2a33-7b54-4c1e-9d0a-5a7f0c6e2b11",
            "product": "Active IQ Unified Manager",
            "vendor": "NetApp",
            "version": "9.18",
            "deployment": "simulator",
            "services": [service("au"), service("em"), service("mysqld")],
        }),
    )
}

/// How many clusters a list shows: all of them, for it has no pages.
const ALL: usize = 1000;

/// `/admin/datasources/clusters…`.
pub(crate) fn datasources(aiqum: &mut Aiqum, call: &Call<'_>, rest: &[&str]) -> Result<Reply, Problem> {
    // Only one who may do everything may also say what is watched.
    let user = call.request.basic_auth().map(|(user, _)| user).unwrap_or_default();
    if user == "storage_admin" && call.method != "GET" {
        return Err(Problem::new(403, "Changes of data sources need the role Application Administrator."));
    }
    match (call.method, rest) {
        ("GET", []) => list::reply(call.request, aiqum.estate.clusters().map(source).collect(), ALL),
        ("POST", []) => add(aiqum, call),
        ("GET", [key]) => Ok(Reply::json(200, &source(find(aiqum, key)?))),
        ("PATCH", [key]) => {
            let cluster = find(aiqum, key)?;
            let (uuid, login) = (cluster.uuid().to_owned(), login(call, &cluster.login)?);
            aiqum.estate.log_in(&uuid, login);
            let shown = source(find(aiqum, key)?);
            Ok(Reply::json(200, &shown))
        }
        ("DELETE", [key]) => {
            let uuid = find(aiqum, key)?.uuid().to_owned();
            aiqum.estate.forget(&uuid);
            Ok(Reply::json(200, &json!({})))
        }
        _ => Err(route::nowhere(call)),
    }
}

fn find<'a>(aiqum: &'a Aiqum, wanted: &str) -> Result<&'a Cluster, Problem> {
    let found = view::find(&aiqum.estate, "cluster", wanted);
    found.map(|(cluster, _)| cluster).ok_or_else(|| Problem::absent("data source", wanted))
}

fn source(cluster: &Cluster) -> Value {
    let key = path::owned(&view::cluster_reference(cluster), "key");
    let href = format!("/api/admin/datasources/clusters/{}", path::encoded(&key));
    json!({
        "key": key, "name": cluster.name(), "address": cluster.connection,
        "port": cluster.login.port, "protocol": cluster.login.protocol, "username": cluster.login.username,
        "status": "normal", "cluster_health_status": "ok", "operation": { "type": "health_poll", "state": "completed" },
        "_links": { "self": { "href": href } },
    })
}

/// How a body says to log in; what it does not say stays.
fn login(call: &Call<'_>, before: &Login) -> Result<Login, Problem> {
    let mut login = before.clone();
    if let Some(port) = path::get(&call.body, "port") {
        let number = port.as_u64().filter(|port| (1..=65_535).contains(port));
        login.port = number.ok_or_else(|| Problem::invalid("port", &path::plain(port)))?;
    }
    if let Some(protocol) = path::get(&call.body, "protocol") {
        let named = protocol.as_str().filter(|name| ["http", "https"].contains(name));
        named.ok_or_else(|| Problem::invalid("protocol", &path::plain(protocol)))?.clone_into(&mut login.protocol);
    }
    if let Some(username) = path::text(&call.body, "username") {
        username.clone_into(&mut login.username);
    }
    Ok(login)
}

/// Any address leads to a cluster of that name.
fn add(aiqum: &mut Aiqum, call: &Call<'_>) -> Result<Reply, Problem> {
    let address = call.need("address")?.to_owned();
    call.need("username")?;
    call.need("password")?;
    let login = login(call, &Login::default())?;
    if aiqum.estate.clusters().any(|cluster| cluster.connection == address) {
        return Err(Problem::new(400, format!("The cluster {address} is watched already.")).at("address"));
    }
    aiqum.estate.watch(&address, login);
    let added = aiqum.estate.clusters().find(|cluster| cluster.connection == address).map(source);
    Ok(Reply::json(201, &added))
}
