//! The gateway: hands requests on to ONTAP and makes its links lead through the gateway again.

use runner_sdk::simulator::{Ending, Reply, Request};
use serde_json::{Value, json};

use crate::Aiqum;
use crate::call::Call;
use crate::problem::Problem;
use crate::{list, path};

/// Headers that ONTAP sees; all others are between the client and Unified Manager.
const HANDED_ON: [&str; 4] = ["accept", "content-type", "x-dot-svm-name", "x-dot-svm-uuid"];

/// `GET /gateways`.
pub(crate) fn list(aiqum: &Aiqum, call: &Call<'_>) -> Result<Reply, Problem> {
    let gateways = aiqum.estate.clusters().map(|cluster| {
        let interfaces = cluster.records("/network/ip/interfaces").iter();
        let management = interfaces.filter(|lif| path::text(lif, "name") == Some("cluster_mgmt"));
        let address = management.filter_map(|lif| path::text(lif, "ip.address")).next();
        let href = format!("/api/gateways/{}", cluster.uuid());
        json!({ "uuid": cluster.uuid(), "name": cluster.name(), "type": "ONTAP", "ip_address": address, "_links": { "self": { "href": href } } })
    });
    list::reply(call.request, gateways.collect(), list::PAGE)
}

/// `… /gateways/{uuid}/{path}`.
pub(crate) fn forward(aiqum: &mut Aiqum, call: &Call<'_>, uuid: &str) -> Result<Reply, Problem> {
    let cluster = aiqum.estate.cluster(uuid).ok_or_else(|| Problem::absent("gateway", uuid))?;
    let connection = cluster.connection.clone();
    // Only one who may do everything may also do everything to the clusters.
    let user = call.request.basic_auth().map(|(user, _)| user).unwrap_or_default();
    if user == "storage_admin" && !matches!(call.method, "GET" | "HEAD" | "OPTIONS") {
        return Err(Problem::new(403, "Changes through the gateway need the role Application Administrator."));
    }
    // As it came, so that what is percent-encoded stays so.
    let rest = call.rest.splitn(3, '/').nth(2).unwrap_or_default();
    let mut request = Request::new(call.method, format!("/api/{rest}"));
    request.connection = connection;
    request.query.clone_from(&call.request.query);
    request.headers =
        call.request.headers.iter().filter(|(name, _)| HANDED_ON.contains(&name.as_str())).cloned().collect();
    request.body.clone_from(&call.request.body);
    let reply = aiqum.estate.forward(request);
    Ok(through(uuid, reply))
}

/// The answer with links that lead through the gateway.
fn through(uuid: &str, reply: Reply) -> Reply {
    let Ending::Response { status, headers, body } = reply.ending else { return reply };
    let gate = format!("/api/gateways/{uuid}/");
    let body = match serde_json::from_slice::<Value>(&body) {
        Ok(mut value) => {
            rewrite(&mut value, &gate);
            value.to_string().into_bytes()
        }
        Err(_) => body,
    };
    let location = |(name, value): (String, String)| {
        let value = if name == "location" { value.replacen("/api/", &gate, 1) } else { value };
        (name, value)
    };
    let headers = headers.into_iter().map(location).collect();
    Reply { delay_ms: reply.delay_ms, ending: Ending::Response { status, headers, body } }
}

fn rewrite(value: &mut Value, gate: &str) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(href) if key == "href" => *href = href.replacen("/api/", gate, 1),
                    other => rewrite(other, gate),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite(item, gate)),
        _ => {}
    }
}
