//! File shares: volumes with a performance service level, mounted and exported. What Unified Manager cannot set of their
//! volume is set through the gateway.

use runner_sdk::prelude::*;
use runner_sdk::serde_json::Map;

use crate::api::{Api, number, text};
use crate::cluster::Records;
use crate::gateway::Gateway;
use crate::job::{Made, Written};
use crate::{export, key, level, size, system};

const SHARES: &str = "/api/v2/storage-provider/file-shares";

#[derive(Deserialize, JsonSchema)]
pub(crate) struct CreateInput {
    /// The share's name.
    name: String,
    /// Its size: bytes, or a text such as `500GB`.
    size: Value,
    /// The key of the storage VM.
    svm_key: String,
    /// The performance service level, by its key or its name.
    performance_service_level: String,
    /// Where it is mounted in the storage VM; null is `/` and its name.
    mountpoint: Option<String>,
    /// The export policy, by its name.
    export_policy_name: Option<String>,
    /// Who may do what over SMB: `{user_or_group, permission}`.
    acl: Vec<Value>,
    /// The key of the aggregate that it lies on; null leaves it to Unified Manager.
    aggregate_key: Option<String>,
    /// The connection to Unified Manager.
    connection: String,
}

/// Creates a file share, unless it is there already. A job makes it.
#[action]
pub(crate) fn create_file_share(input: CreateInput) -> Result<Written> {
    let api = Api::new(&input.connection);
    let bytes = size::bytes(&input.size)?;
    if let Some(there) = find(api, &input.svm_key, &input.name)? {
        let has = number(&there, "/space/size");
        if has < bytes {
            bail!(
                "share-differs",
                "the share `{}` is there with {has} bytes, not {bytes}: change it with `aiqum.update_file_share`",
                input.name
            );
        }
        return Ok(Written::nothing(Some(text(&there, "/key"))));
    }
    // A share that is there without Unified Manager having seen it: the volume says so.
    let gateway = Gateway::of_key(api, &input.svm_key, "vserver")?;
    let svm = key::parse(&input.svm_key, "vserver")?.uuid;
    if let Some(uuid) =
        gateway.uuid("/storage/volumes", &[("name", input.name.clone()), ("svm.uuid", svm.to_owned())])?
    {
        return Ok(Written::nothing(Some(format!("{}:type=volume,uuid={uuid}", gateway.cluster()))));
    }
    let answer = api.write("POST", SHARES, Some(&body(api, &input, bytes)?))?;
    let query = json!({ "name": input.name, "svm.key": input.svm_key });
    Written::making(
        &answer,
        Made { cluster: gateway.cluster(), kind: "volume", result: "fileshareKey", path: SHARES, query },
    )
}

fn body(api: Api<'_>, input: &CreateInput, bytes: u64) -> Result<Value> {
    let mut body = json!({
        "name": input.name,
        "space": { "size": bytes },
        "svm": { "key": input.svm_key },
        "performance_service_level": { "key": level::key_of(api, &input.performance_service_level)? },
    });
    let mut access = Map::new();
    if let Some(name) = &input.export_policy_name {
        access.insert("export_policy".to_owned(), json!({ "key": export::key_of(api, &input.svm_key, name)? }));
    }
    if !input.acl.is_empty() {
        access.insert("acl".to_owned(), json!(input.acl));
    }
    if let Some(map) = body.as_object_mut() {
        if let Some(mountpoint) = &input.mountpoint {
            map.insert("mountpoint".to_owned(), json!(mountpoint));
        }
        if let Some(key) = &input.aggregate_key {
            map.insert("aggregate".to_owned(), json!({ "key": key }));
        }
        if !access.is_empty() {
            map.insert("access_control".to_owned(), access.into());
        }
    }
    Ok(body)
}

fn find(api: Api<'_>, svm: &str, name: &str) -> Result<Option<Value>> {
    let query = vec![("name", name.to_owned()), ("svm.key", svm.to_owned())];
    api.first(SHARES, &query)
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct ShareInput {
    /// The share's key.
    share_key: String,
    /// The connection to Unified Manager.
    connection: String,
}

fn share(api: Api<'_>, wanted: &str) -> Result<Value> {
    key::parse(wanted, "volume")?;
    let found = api.find(path!("/api/v2/storage-provider/file-shares/{wanted}"))?;
    let absent = || {
        let message = format!(
            "Unified Manager knows no file share `{wanted}`; it sees new ones some minutes after they are made"
        );
        Failure::new("share-not-found", message).retryable()
    };
    found.ok_or_else(absent)
}

/// Reads a file share.
#[action]
pub(crate) fn get_file_share(input: ShareInput) -> Result<Value> {
    share(Api::new(&input.connection), &input.share_key)
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListInput {
    /// Filters: fields and what they must be, with `*` and `|`, such as `{svm.name: svm1}`.
    filter: Map<String, Value>,
    /// How many at most.
    limit: usize,
    /// The connection to Unified Manager.
    connection: String,
}

/// Lists file shares.
#[action]
pub(crate) fn list_file_shares(input: ListInput) -> Result<Records> {
    Ok(Api::new(&input.connection).list(SHARES, &system::filters(&input.filter), input.limit)?.into())
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct UpdateInput {
    /// The share's key.
    share_key: String,
    /// Its new name.
    name: Option<String>,
    /// Its new size: bytes, or a text such as `500GB`.
    size: Option<Value>,
    /// Its new performance service level, by its key or its name.
    performance_service_level: Option<String>,
    /// Its new mountpoint.
    mountpoint: Option<String>,
    /// The connection to Unified Manager.
    connection: String,
}

/// Changes one property of a file share, as Unified Manager takes no more at a time. A job does it.
#[action]
pub(crate) fn update_file_share(input: UpdateInput) -> Result<Written> {
    let api = Api::new(&input.connection);
    let there = share(api, &input.share_key)?;
    let mut changes = Vec::new();
    if let Some(name) = &input.name {
        changes.push((json!({ "name": name }), text(&there, "/name") == *name));
    }
    if let Some(wanted) = &input.size {
        let bytes = size::bytes(wanted)?;
        changes.push((json!({ "space": { "size": bytes } }), number(&there, "/space/size") == bytes));
    }
    if let Some(wanted) = &input.performance_service_level {
        let key = level::key_of(api, wanted)?;
        let is_so = text(&there, "/assigned_performance_service_level/key") == key;
        changes.push((json!({ "performance_service_level": { "key": key } }), is_so));
    }
    if let Some(mountpoint) = &input.mountpoint {
        changes.push((json!({ "mountpoint": mountpoint }), text(&there, "/mountpoint") == *mountpoint));
    }
    match changes.as_slice() {
        [] => bail!("bad-input", "give what to change: `name`, `size`, `performance_service_level` or `mountpoint`"),
        [(_, true)] => Ok(Written::nothing(Some(input.share_key))),
        [(body, false)] => patch(api, input.share_key, body),
        _ => bail!("bad-input", "Unified Manager changes one property at a time: use a step for each"),
    }
}

fn patch(api: Api<'_>, share: String, body: &Value) -> Result<Written> {
    let answer = api.write("PATCH", path!("/api/v2/storage-provider/file-shares/{share}"), Some(body))?;
    Written::changing(&answer, share)
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct ApplyInput {
    /// The share's key.
    share_key: String,
    /// The export policy, by its name.
    export_policy_name: String,
    /// The connection to Unified Manager.
    connection: String,
}

/// Applies an export policy to a file share, unless it has it already. A job does it.
#[action]
pub(crate) fn apply_export_policy(input: ApplyInput) -> Result<Written> {
    let api = Api::new(&input.connection);
    let there = share(api, &input.share_key)?;
    if text(&there, "/access_control/export_policy/name") == input.export_policy_name {
        return Ok(Written::nothing(Some(input.share_key)));
    }
    let policy = export::key_of(api, &text(&there, "/svm/key"), &input.export_policy_name)?;
    patch(api, input.share_key, &json!({ "access_control": { "export_policy": { "key": policy } } }))
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct StyleInput {
    /// The share's key.
    share_key: String,
    /// UNIX permissions of its root, in octal, such as `755`.
    unix_permissions: Option<String>,
    /// `unix`, `ntfs` or `mixed`.
    security_style: Option<String>,
    /// The connection to Unified Manager.
    connection: String,
}

/// Sets what Unified Manager cannot: the permissions and the security style of a share's volume, through the gateway.
#[action]
pub(crate) fn set_volume_style(input: StyleInput) -> Result<Written> {
    let mut nas = Map::new();
    if let Some(mode) = &input.unix_permissions {
        let Ok(digits) = mode.parse::<u64>() else {
            bail!("bad-input", "`{mode}` are no permissions: write them as `755`")
        };
        nas.insert("unix_permissions".to_owned(), json!(digits));
    }
    if let Some(style) = &input.security_style {
        nas.insert("security_style".to_owned(), json!(style));
    }
    let gateway = Gateway::of_key(Api::new(&input.connection), &input.share_key, "volume")?;
    let place = format!("/storage/volumes/{}", key::parse(&input.share_key, "volume")?.uuid);
    let there = gateway.get(&place, &[("fields", "nas".to_owned())])?;
    let wanted = json!({ "nas": nas });
    if system::holds(&there, &wanted) {
        return Ok(Written::nothing(Some(input.share_key)));
    }
    gateway.write("PATCH", &place, Some(&wanted))?;
    Ok(Written { changed: true, key: Some(input.share_key), job: None })
}

/// Deletes a file share, if it is there. A job does it.
#[action]
pub(crate) fn delete_file_share(input: ShareInput) -> Result<Written> {
    let api = Api::new(&input.connection);
    key::parse(&input.share_key, "volume")?;
    if api.find(path!("/api/v2/storage-provider/file-shares/{input.share_key}"))?.is_none() {
        return Ok(Written::nothing(Some(input.share_key)));
    }
    let answer = api.write("DELETE", path!("/api/v2/storage-provider/file-shares/{input.share_key}"), None)?;
    Written::changing(&answer, input.share_key)
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct DiscardInput {
    /// The key of the storage VM.
    svm_key: String,
    /// The share's name.
    name: String,
    /// False: nothing is done. A `compensate` says here whether it was made.
    only_if: bool,
    /// The connection to Unified Manager.
    connection: String,
}

/// Undoes the making of a file share: deletes its volume through the gateway, whether Unified Manager has seen it or not.
#[action]
pub(crate) fn discard_file_share(input: DiscardInput) -> Result<Written> {
    if !input.only_if {
        return Ok(Written::nothing(None));
    }
    let gateway = Gateway::of_key(Api::new(&input.connection), &input.svm_key, "vserver")?;
    let svm = key::parse(&input.svm_key, "vserver")?.uuid.to_owned();
    let Some(volume) = gateway.first("/storage/volumes", &[("name", input.name), ("svm.uuid", svm)])? else {
        return Ok(Written::nothing(None));
    };
    let place = format!("/storage/volumes/{}", text(&volume, "/uuid"));
    if !text(&volume, "/nas/path").is_empty() {
        gateway.write("PATCH", &place, Some(&json!({ "nas": { "path": "" } })))?;
    }
    if text(&volume, "/state") != "offline" {
        gateway.write("PATCH", &place, Some(&json!({ "state": "offline" })))?;
    }
    gateway.write("DELETE", &place, None)?;
    Ok(Written { changed: true, key: None, job: None })
}
