//! Export policies. Unified Manager shows them; they are made through the gateway.

use runner_sdk::prelude::*;

use crate::api::{Api, number, text};
use crate::cluster::Records;
use crate::gateway::{Deleted, Gateway};
use crate::{key, system};

const POLICIES: &str = "/protocols/nfs/export-policies";
/// More policies than one storage VM has.
const MANY: usize = 1000;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListInput {
    /// The key of the storage VM.
    svm_key: String,
    /// Only the one of this name.
    name: Option<String>,
    /// The connection to Unified Manager.
    connection: String,
}

/// Lists the export policies of a storage VM as Unified Manager sees them.
#[action]
pub(crate) fn list_export_policies(input: ListInput) -> Result<Records> {
    Ok(known(Api::new(&input.connection), &input.svm_key, input.name)?.into())
}

fn known(api: Api<'_>, svm: &str, name: Option<String>) -> Result<Vec<Value>> {
    let mut query = vec![("svm.key", svm.to_owned())];
    query.extend(name.map(|name| ("name", name)));
    api.list("/api/v2/datacenter/protocols/nfs/export-policies", &query, MANY)
}

/// The key of an export policy of a storage VM, by its name.
pub(crate) fn key_of(api: Api<'_>, svm: &str, name: &str) -> Result<String> {
    match known(api, svm, Some(name.to_owned()))?.first() {
        Some(policy) => Ok(text(policy, "/key")),
        None => {
            let message = format!(
                "Unified Manager sees no export policy `{name}` of the storage VM; it sees new ones some minutes after they are made"
            );
            Err(Failure::new("export-policy-not-found", message).retryable())
        }
    }
}

/// A rule: who may do what.
#[derive(Deserialize, JsonSchema, Clone)]
struct Rule {
    /// Clients: addresses, networks, host names, `@netgroup`.
    clients: Vec<String>,
    /// `nfs3`, `nfs4`, `cifs`, `any` …
    protocols: Option<Vec<String>>,
    /// Who may read, by how they log in: `sys`, `krb5`, `any`, `none` …
    ro_rule: Vec<String>,
    /// Who may write.
    rw_rule: Vec<String>,
    /// Who may be root.
    superuser: Option<Vec<String>>,
    /// Whether set-user-id bits count.
    allow_suid: Option<bool>,
}

impl Rule {
    /// As ONTAP has it.
    fn body(&self) -> Value {
        let clients: Vec<_> = self.clients.iter().map(|client| json!({ "match": client })).collect();
        let mut body = json!({ "clients": clients, "ro_rule": self.ro_rule, "rw_rule": self.rw_rule });
        if let Some(map) = body.as_object_mut() {
            let more = [
                ("protocols", json!(self.protocols)),
                ("superuser", json!(self.superuser)),
                ("allow_suid", json!(self.allow_suid)),
            ];
            map.extend(
                more.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value)),
            );
        }
        body
    }
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct CreateInput {
    /// The key of the storage VM.
    svm_key: String,
    /// The policy's name.
    name: String,
    /// Its rules: `{clients, protocols, ro_rule, rw_rule, superuser, allow_suid}`.
    rules: Vec<Rule>,
    /// The connection to Unified Manager.
    connection: String,
}

/// A policy that was made or added to, or was so already.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Created {
    /// Whether anything was changed.
    changed: bool,
    /// Whether the policy itself was made.
    created: bool,
    /// Its name.
    name: String,
    /// ONTAP's number of it.
    id: u64,
    /// The indexes of the rules that were added to a policy that was there.
    added_rules: Vec<u64>,
}

/// Creates an export policy through the gateway. If it is there already, the rules that it lacks are added; none is removed.
#[action]
pub(crate) fn create_export_policy(input: CreateInput) -> Result<Created> {
    let gateway = Gateway::of_key(Api::new(&input.connection), &input.svm_key, "vserver")?;
    let svm = key::parse(&input.svm_key, "vserver")?.uuid;
    let query = [("name", input.name.clone()), ("svm.uuid", svm.to_owned())];
    let rules: Vec<Value> = input.rules.iter().map(Rule::body).collect();
    if let Some(there) = gateway.first(POLICIES, &query)? {
        let id = number(&there, "/id");
        let added_rules = add_missing(&gateway, id, &there, &rules)?;
        return Ok(Created { changed: !added_rules.is_empty(), created: false, name: input.name, id, added_rules });
    }
    gateway.post_now(POLICIES, &json!({ "name": input.name, "svm": { "uuid": svm }, "rules": rules }))?;
    let id = gateway.first(POLICIES, &query)?.map(|made| number(&made, "/id")).unwrap_or_default();
    Ok(Created { changed: true, created: true, name: input.name, id, added_rules: Vec::new() })
}

fn add_missing(gateway: &Gateway<'_>, id: u64, policy: &Value, rules: &[Value]) -> Result<Vec<u64>> {
    let path = format!("{POLICIES}/{id}/rules");
    let there = policy.get("rules").and_then(Value::as_array).cloned().unwrap_or_default();
    let before = indexes(gateway, &path)?;
    for rule in rules.iter().filter(|rule| !there.iter().any(|there| system::holds(there, rule))) {
        gateway.post_now(&path, rule)?;
    }
    Ok(indexes(gateway, &path)?.into_iter().filter(|index| !before.contains(index)).collect())
}

fn indexes(gateway: &Gateway<'_>, path: &str) -> Result<Vec<u64>> {
    let rules = gateway.get(path, &[("fields", "index".to_owned())])?;
    let records = rules.get("records").and_then(Value::as_array).into_iter().flatten();
    Ok(records.map(|rule| number(rule, "/index")).collect())
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeleteInput {
    /// The key of the storage VM.
    svm_key: String,
    /// The policy's name.
    name: String,
    /// Whether the policy itself goes; otherwise only the rules.
    whole: bool,
    /// The indexes of the rules that go.
    rules: Vec<u64>,
    /// The connection to Unified Manager.
    connection: String,
}

/// Deletes an export policy through the gateway, or rules of it, if it is there.
#[action]
pub(crate) fn delete_export_policy(input: DeleteInput) -> Result<Deleted> {
    let gateway = Gateway::of_key(Api::new(&input.connection), &input.svm_key, "vserver")?;
    let svm = key::parse(&input.svm_key, "vserver")?.uuid;
    let Some(there) = gateway.first(POLICIES, &[("name", input.name.clone()), ("svm.uuid", svm.to_owned())])? else {
        return Ok(Deleted { changed: false });
    };
    let place = format!("{POLICIES}/{}", number(&there, "/id"));
    if input.whole {
        gateway.write("DELETE", &place, None)?;
        return Ok(Deleted { changed: true });
    }
    for index in &input.rules {
        gateway.write("DELETE", &format!("{place}/rules/{index}"), None)?;
    }
    Ok(Deleted { changed: !input.rules.is_empty() })
}
