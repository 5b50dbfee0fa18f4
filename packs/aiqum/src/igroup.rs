//! Initiator groups: which hosts may see a LUN. Unified Manager shows them; they are made through the gateway.

use runner_sdk::prelude::*;

use crate::api::{Api, text};
use crate::cluster::Records;
use crate::gateway::{Deleted, Gateway};
use crate::key;

const IGROUPS: &str = "/protocols/san/igroups";
/// More groups than one storage VM has.
const MANY: usize = 5000;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListInput {
    /// The key of the storage VM.
    svm_key: String,
    /// Only those of this name, with `*` and `|`.
    name: Option<String>,
    /// The connection to Unified Manager.
    connection: String,
}

/// Lists the initiator groups of a storage VM as Unified Manager sees them.
#[action]
pub(crate) fn list_igroups(input: ListInput) -> Result<Records> {
    let mut query = vec![("svm.key", input.svm_key)];
    query.extend(input.name.map(|name| ("name", name)));
    Ok(Api::new(&input.connection).list("/api/v2/datacenter/protocols/san/igroups", &query, MANY)?.into())
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct CreateInput {
    /// The key of the storage VM.
    svm_key: String,
    /// The group's name.
    name: String,
    /// What runs on the hosts.
    os_type: String,
    /// How they come: `iscsi`, `fcp` or `mixed`.
    protocol: String,
    /// Who is in it: IQNs or WWPNs.
    initiators: Vec<String>,
    /// The connection to Unified Manager.
    connection: String,
}

/// A group that was made or added to, or was so already.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Created {
    /// Whether anything was changed.
    changed: bool,
    /// Whether the group itself was made.
    created: bool,
    /// Its name.
    name: String,
    /// Its key, by which Unified Manager knows it once it has seen it; null if the group is only planned.
    key: Option<String>,
    /// The initiators that were added to a group that was there.
    added_initiators: Vec<String>,
}

/// Creates an initiator group through the gateway. If it is there already, the initiators that it lacks are added; none is removed.
#[action]
pub(crate) fn create_igroup(input: CreateInput) -> Result<Created> {
    let gateway = Gateway::of_key(Api::new(&input.connection), &input.svm_key, "vserver")?;
    let svm = key::parse(&input.svm_key, "vserver")?.uuid;
    let query = [("name", input.name.clone()), ("svm.uuid", svm.to_owned())];
    if let Some(there) = gateway.first(IGROUPS, &query)? {
        is_alike(&input, &there)?;
        let added_initiators = add_missing(&gateway, &there, &input.initiators)?;
        let key = key_of(&gateway, &there);
        return Ok(Created {
            changed: !added_initiators.is_empty(),
            created: false,
            name: input.name,
            key,
            added_initiators,
        });
    }
    let mut body = json!({
        "name": input.name,
        "svm": { "uuid": svm },
        "os_type": input.os_type,
        "protocol": input.protocol,
    });
    if let (false, Some(map)) = (input.initiators.is_empty(), body.as_object_mut()) {
        let initiators: Vec<_> = input.initiators.iter().map(|name| json!({ "name": name })).collect();
        map.insert("initiators".to_owned(), json!(initiators));
    }
    gateway.post_now(IGROUPS, &body)?;
    let key = gateway.first(IGROUPS, &query)?.and_then(|made| key_of(&gateway, &made));
    Ok(Created { changed: true, created: true, name: input.name, key, added_initiators: Vec::new() })
}

/// What a group is for stays as it was made: another use needs another group.
fn is_alike(input: &CreateInput, there: &Value) -> Result<()> {
    for (field, wanted) in [("os_type", &input.os_type), ("protocol", &input.protocol)] {
        let has = text(there, &format!("/{field}"));
        if has != *wanted {
            bail!(
                "igroup-differs",
                "the initiator group `{}` is there with the {field} {has}, not {wanted}",
                input.name
            )
        }
    }
    Ok(())
}

fn add_missing(gateway: &Gateway<'_>, igroup: &Value, wanted: &[String]) -> Result<Vec<String>> {
    let there: Vec<String> = igroup
        .get("initiators")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|initiator| text(initiator, "/name"))
        .collect();
    let path = format!("{IGROUPS}/{}/initiators", text(igroup, "/uuid"));
    let mut added: Vec<String> = Vec::new();
    for name in wanted {
        // IQNs and WWPNs are the same in capitals.
        let is_same = |other: &String| other.eq_ignore_ascii_case(name);
        if !there.iter().any(is_same) && !added.iter().any(is_same) {
            gateway.post_now(&path, &json!({ "name": name }))?;
            added.push(name.clone());
        }
    }
    Ok(added)
}

fn key_of(gateway: &Gateway<'_>, igroup: &Value) -> Option<String> {
    let uuid = igroup.get("uuid").and_then(Value::as_str)?;
    Some(format!("{}:type=igroup,uuid={uuid}", gateway.cluster()))
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeleteInput {
    /// The key of the storage VM.
    svm_key: String,
    /// The group's name.
    name: String,
    /// False: nothing is done. A `compensate` says here whether it was made.
    only_if: bool,
    /// The connection to Unified Manager.
    connection: String,
}

/// Deletes an initiator group through the gateway, if it is there. ONTAP refuses one that is mapped to a LUN.
#[action]
pub(crate) fn delete_igroup(input: DeleteInput) -> Result<Deleted> {
    if !input.only_if {
        return Ok(Deleted { changed: false });
    }
    let gateway = Gateway::of_key(Api::new(&input.connection), &input.svm_key, "vserver")?;
    let svm = key::parse(&input.svm_key, "vserver")?.uuid.to_owned();
    let Some(uuid) = gateway.uuid(IGROUPS, &[("name", input.name), ("svm.uuid", svm)])? else {
        return Ok(Deleted { changed: false });
    };
    gateway.delete_now(&format!("{IGROUPS}/{uuid}"))?;
    Ok(Deleted { changed: true })
}
