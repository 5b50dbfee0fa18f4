//! LUNs with a performance service level.

use runner_sdk::prelude::*;

use crate::api::{Api, number};
use crate::job::{Made, Written};
use crate::{key, level, size};

const LUNS: &str = "/api/v2/storage-provider/luns";

#[derive(Deserialize, JsonSchema)]
pub(crate) struct CreateInput {
    /// The LUN's name.
    name: String,
    /// Its size: bytes, or a text such as `500GB`.
    size: Value,
    /// The key of the storage VM.
    svm_key: String,
    /// What uses it: `linux`, `windows`, `vmware` …
    os_type: String,
    /// The performance service level, by its key or its name.
    performance_service_level: String,
    /// The names of the initiator groups that may see it.
    igroups: Vec<String>,
    /// The key of the aggregate that it lies on; null leaves it to Unified Manager.
    aggregate_key: Option<String>,
    /// The connection to Unified Manager.
    connection: String,
}

/// Creates a LUN, unless it is there already. A job makes it.
#[action]
pub(crate) fn create_lun(input: CreateInput) -> Result<Written> {
    let api = Api::new(&input.connection);
    let query = vec![("svm.key", input.svm_key.clone()), ("name", format!("*{}", input.name))];
    if let Some(there) = api.list(LUNS, &query, 1)?.first() {
        return Ok(Written::nothing(Some(crate::api::text(there, "/key"))));
    }
    let maps: Vec<_> = input.igroups.iter().map(|name| json!({ "igroup": { "name": name } })).collect();
    let mut body = json!({
        "name": input.name,
        "svm": { "key": input.svm_key },
        "os_type": input.os_type,
        "space": { "size": size::bytes(&input.size)? },
        "performance_service_level": { "key": level::key_of(api, &input.performance_service_level)? },
        "lun_maps": maps,
    });
    if let (Some(key), Some(map)) = (&input.aggregate_key, body.as_object_mut()) {
        map.insert("aggregate".to_owned(), json!({ "key": key }));
    }
    let answer = api.write("POST", LUNS, Some(&body))?;
    let query = json!({ "svm.key": input.svm_key, "name": format!("*{}", input.name) });
    let cluster = key::parse(&input.svm_key, "vserver")?.cluster;
    Written::making(&answer, Made { cluster, kind: "lun", result: "lunKey", path: LUNS, query })
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct ExpandInput {
    /// The LUN's key.
    lun_key: String,
    /// Its new size: bytes, or a text such as `500GB`.
    size: Value,
    /// The connection to Unified Manager.
    connection: String,
}

/// Makes a LUN larger. One that is as large already is left alone. A job does it.
#[action]
pub(crate) fn expand_lun(input: ExpandInput) -> Result<Written> {
    let api = Api::new(&input.connection);
    let wanted = size::bytes(&input.size)?;
    let Some(there) = api.find(path!("/api/v2/storage-provider/luns/{input.lun_key}"))? else {
        bail!("lun-not-found", "Unified Manager knows no LUN `{}`", input.lun_key)
    };
    if number(&there, "/space/size") >= wanted {
        return Ok(Written::nothing(Some(input.lun_key)));
    }
    let body = json!({ "space": { "size": wanted } });
    let answer = api.write("PATCH", path!("/api/v2/storage-provider/luns/{input.lun_key}"), Some(&body))?;
    Written::changing(&answer, input.lun_key)
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeleteInput {
    /// The LUN's key.
    lun_key: String,
    /// The connection to Unified Manager.
    connection: String,
}

/// Deletes a LUN, if it is there. A job does it.
#[action]
pub(crate) fn delete_lun(input: DeleteInput) -> Result<Written> {
    let api = Api::new(&input.connection);
    if api.find(path!("/api/v2/storage-provider/luns/{input.lun_key}"))?.is_none() {
        return Ok(Written::nothing(Some(input.lun_key)));
    }
    let answer = api.write("DELETE", path!("/api/v2/storage-provider/luns/{input.lun_key}"), None)?;
    Written::changing(&answer, input.lun_key)
}
