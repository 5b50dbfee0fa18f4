//! Clusters, their nodes and their aggregates: is it well, and where is room?

use runner_sdk::http::Effect;
use runner_sdk::prelude::*;

use crate::api::{Api, number, text};
use crate::{key, size};

const CLUSTERS: &str = "/api/v2/datacenter/cluster/clusters";
/// How many clusters, nodes or aggregates are looked at: more than one Unified Manager watches.
const MANY: usize = 5000;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct ClusterInput {
    /// The cluster's key in Unified Manager, or its name.
    cluster_key: String,
    /// The connection to Unified Manager.
    connection: String,
}

/// The cluster of a key or a name.
pub(crate) fn cluster(api: Api<'_>, wanted: &str) -> Result<Value> {
    if key::is_key(wanted) {
        key::parse(wanted, "cluster")?;
        let found = api.find(path!("/api/v2/datacenter/cluster/clusters/{wanted}"))?;
        return found.ok_or_else(|| {
            Failure::new("cluster-not-found", format!("Unified Manager watches no cluster with the key `{wanted}`"))
        });
    }
    let mut clusters = api.list(CLUSTERS, &vec![], MANY)?;
    if let Some(at) = clusters.iter().position(|cluster| text(cluster, "/name") == wanted) {
        return Ok(clusters.swap_remove(at));
    }
    let names: Vec<_> = clusters.iter().map(|cluster| format!("`{}`", text(cluster, "/name"))).collect();
    bail!("cluster-not-found", "Unified Manager watches no cluster `{wanted}`, only {}", names.join(", "))
}

/// Reads a cluster.
#[action]
pub(crate) fn get_cluster(input: ClusterInput) -> Result<Value> {
    cluster(Api::new(&input.connection), &input.cluster_key)
}

/// How a cluster is.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Health {
    /// Whether all of its nodes are well.
    healthy: bool,
    /// In a sentence.
    summary: String,
    /// The cluster's key.
    cluster_key: String,
    /// Its name.
    name: String,
    /// Its uuid.
    uuid: String,
    /// Its release of ONTAP.
    version: String,
    /// The nodes that are not well.
    unhealthy_nodes: Vec<String>,
}

/// Says whether a cluster is well: whether all of its nodes are.
#[action]
pub(crate) fn check_cluster_health(input: ClusterInput) -> Result<Health> {
    let cluster = cluster(Api::new(&input.connection), &input.cluster_key)?;
    let nodes = cluster.get("nodes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_ill = |node: &&Value| node.get("health").and_then(Value::as_bool) != Some(true);
    let unhealthy_nodes: Vec<String> = nodes.iter().filter(is_ill).map(|node| text(node, "/name")).collect();
    let name = text(&cluster, "/name");
    let summary = match (nodes.is_empty(), unhealthy_nodes.is_empty()) {
        (true, _) => format!("nothing is known of the nodes of {name}"),
        (_, true) => format!("all {} nodes of {name} are healthy", nodes.len()),
        _ => format!("not healthy on {name}: {}", unhealthy_nodes.join(", ")),
    };
    Ok(Health {
        healthy: !nodes.is_empty() && unhealthy_nodes.is_empty(),
        summary,
        cluster_key: text(&cluster, "/key"),
        uuid: text(&cluster, "/uuid"),
        version: text(&cluster, "/version/full"),
        name,
        unhealthy_nodes,
    })
}

/// Records of a collection.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Records {
    /// What Unified Manager shows of each.
    pub(crate) records: Vec<Value>,
    /// How many they are.
    pub(crate) num_records: usize,
}

impl From<Vec<Value>> for Records {
    fn from(records: Vec<Value>) -> Self {
        Self { num_records: records.len(), records }
    }
}

/// Lists the nodes of a cluster.
#[action]
pub(crate) fn list_nodes(input: ClusterInput) -> Result<Records> {
    let api = Api::new(&input.connection);
    let cluster = cluster(api, &input.cluster_key)?;
    let query = vec![("cluster.key", text(&cluster, "/key"))];
    Ok(api.list("/api/v2/datacenter/cluster/nodes", &query, MANY)?.into())
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct AggregatesInput {
    /// The cluster's key in Unified Manager, or its name.
    cluster_key: String,
    /// Only those in this state; null shows all.
    state: Option<String>,
    /// Only those with at least so much room: bytes, or a text such as `10GB`.
    min_available: Value,
    /// The connection to Unified Manager.
    connection: String,
}

/// An aggregate.
#[derive(Serialize, JsonSchema, Clone)]
pub(crate) struct Aggregate {
    /// Its key.
    key: String,
    /// Its name.
    name: String,
    /// Its uuid.
    uuid: String,
    /// Its state: `online`, if it can be used.
    state: String,
    /// The node that it is on.
    node: String,
    /// Its size in bytes.
    size: u64,
    /// How much of that is free.
    available: u64,
    /// How much is used.
    used: u64,
}

impl From<&Value> for Aggregate {
    fn from(record: &Value) -> Self {
        Self {
            key: text(record, "/key"),
            name: text(record, "/name"),
            uuid: text(record, "/uuid"),
            state: text(record, "/state"),
            node: text(record, "/node/name"),
            size: number(record, "/space/block_storage/size"),
            available: number(record, "/space/block_storage/available"),
            used: number(record, "/space/block_storage/used"),
        }
    }
}

/// Aggregates, the one with the most room first.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Aggregates {
    /// The aggregates, the one with the most room first.
    aggregates: Vec<Aggregate>,
}

fn aggregates(api: Api<'_>, cluster: &str) -> Result<Vec<Aggregate>> {
    let query = vec![("cluster.key", cluster.to_owned())];
    let records = api.list("/api/v2/datacenter/storage/aggregates", &query, MANY)?;
    let mut all: Vec<Aggregate> = records.iter().map(Aggregate::from).collect();
    all.sort_by(|a, b| b.available.cmp(&a.available).then_with(|| a.name.cmp(&b.name)));
    Ok(all)
}

/// Lists the aggregates of a cluster, the one with the most room first.
#[action]
pub(crate) fn list_aggregates(input: AggregatesInput) -> Result<Aggregates> {
    let api = Api::new(&input.connection);
    let least = size::bytes(&input.min_available)?;
    let key = text(&cluster(api, &input.cluster_key)?, "/key");
    let mut list = aggregates(api, &key)?;
    list.retain(|one| one.available >= least && input.state.as_ref().is_none_or(|state| one.state == *state));
    Ok(Aggregates { aggregates: list })
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct PickInput {
    /// The cluster's key in Unified Manager, or its name.
    cluster_key: String,
    /// Take this one, if it is online and has the room.
    aggregate_name: Option<String>,
    /// How much room it needs at least: bytes, or a text such as `10GB`.
    min_available: Value,
    /// Who chooses: `most_free` takes the one with the most room, `data_placement` leaves it to Unified Manager.
    strategy: String,
    /// The connection to Unified Manager.
    connection: String,
}

/// Picks the aggregate of a cluster that something new shall lie on.
#[action]
pub(crate) fn pick_aggregate(input: PickInput) -> Result<Aggregate> {
    let api = Api::new(&input.connection);
    let least = size::bytes(&input.min_available)?;
    let cluster = cluster(api, &input.cluster_key)?;
    let (key, name) = (text(&cluster, "/key"), text(&cluster, "/name"));
    let all = aggregates(api, &key)?;
    let fits = |one: &&Aggregate| {
        one.state == "online"
            && one.available > least
            && input.aggregate_name.as_ref().is_none_or(|wanted| one.name == *wanted)
    };
    let Some(best) = all.iter().find(fits) else {
        let there: Vec<_> = all
            .iter()
            .map(|one| format!("`{}` is {} with {} bytes free", one.name, one.state, one.available))
            .collect();
        let wanted = input
            .aggregate_name
            .as_deref()
            .map_or_else(|| "no aggregate".to_owned(), |wanted| format!("not `{wanted}`"));
        bail!("no-aggregate", "{wanted} of `{name}` is online with more than {least} bytes free: {}", there.join(", "))
    };
    match input.strategy.as_str() {
        "most_free" => Ok(best.clone()),
        "data_placement" => placed(&input.connection, &key, least),
        other => bail!("bad-input", "there is no strategy `{other}`, only `most_free` and `data_placement`"),
    }
}

/// What Unified Manager itself would take.
fn placed(connection: &str, cluster: &str, least: u64) -> Result<Aggregate> {
    let body = json!({ "capacity": least.to_string(), "resource_keys": [cluster] });
    // A POST that changes nothing.
    let request = http::post(connection, "/api/v2/storage-provider/data-placement").effect(Effect::Read).json(&body);
    let best: Value = request.send()?.ok()?.json()?;
    Ok(Aggregate::from(&best))
}
