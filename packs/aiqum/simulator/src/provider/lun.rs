//! LUNs with a performance service level, each in a volume of its own.

use runner_sdk::simulator::Reply;
use serde_json::{Value, json};

use crate::Aiqum;
use crate::call::Call;
use crate::estate::Cluster;
use crate::job;
use crate::problem::Problem;
use crate::provider::share;
use crate::{key, path, view};

/// How long it takes, in milliseconds.
const CREATE_MS: u64 = 3000;
const MODIFY_MS: u64 = 1500;
const DELETE_MS: u64 = 2500;

/// All LUNs.
pub(super) fn all(aiqum: &Aiqum) -> Vec<Value> {
    let of_cluster = |cluster| {
        let luns: &[Value] = Cluster::records(cluster, "/storage/luns");
        luns.iter().map(move |lun| shown(aiqum, cluster, lun))
    };
    aiqum.estate.clusters().flat_map(of_cluster).collect()
}

fn shown(aiqum: &Aiqum, cluster: &Cluster, lun: &Value) -> Value {
    let uuid = path::owned(lun, "uuid");
    let own = key::of(cluster.uuid(), "lun", &uuid);
    let href = format!("/api/storage-provider/luns/{}", path::encoded(&own));
    let mut object = json!({
        "key": own, "uuid": uuid, "name": lun["name"], "os_type": lun["os_type"], "space": { "size": path::get(lun, "space.size") },
        "operational_state": "online", "cluster": view::cluster_reference(cluster), "svm": view::reference(cluster, "vserver", lun.get("svm")),
        "volume": view::reference(cluster, "volume", path::get(lun, "location.volume")), "_links": { "self": { "href": href } },
    });
    path::copy(lun, &mut object, "lun_maps");
    aiqum.provider.show_assigned(&mut object);
    object
}

/// `POST /storage-provider/luns`.
pub(super) fn create(aiqum: &mut Aiqum, call: &Call<'_>) -> Result<Reply, Problem> {
    let name = call.need("name")?.to_owned();
    let os_type = call.need("os_type")?.to_owned();
    let size = path::number(&call.body, "space.size").ok_or_else(|| Problem::missing("space.size"))?;
    let mut of_volume = call.body.clone();
    // A little more than the LUN, for what the file system itself needs.
    path::set(&mut of_volume, "space.size", size + size / 20);
    let volume = path::text(&call.body, "volume.name_tag").map_or_else(|| format!("NSLM_VOL_{name}"), str::to_owned);
    path::set(&mut of_volume, "name", volume.as_str());
    let order = share::ordered(aiqum, &of_volume)?;
    let (connection, svm) = share::svm_of(aiqum, call.need("svm.key")?)?;
    let cluster = key::parse(call.need("svm.key")?).map(|key| key.cluster.to_owned()).unwrap_or_default();
    let maps = maps(aiqum, &call.body)?;
    let (level, policy) = super::named(aiqum, &call.body)?;
    let job_name = format!("Create LUN {name}");
    let work = move |aiqum: &mut Aiqum| {
        let volume_key = share::made(aiqum, &order)?;
        // The level is the LUN's, not its volume's.
        aiqum.provider.assigned.retain(|assigned| volume_key.iter().all(|(_, key)| assigned.key != *key));
        let path = format!("/vol/{volume}/{name}");
        let body = json!({ "name": path, "svm": { "uuid": svm }, "os_type": os_type, "space": { "size": size } });
        aiqum.estate.ask(&connection, "POST", "/storage/luns", &[], &body)?;
        for igroup in &maps {
            let map = json!({ "svm": { "uuid": svm }, "lun": { "name": path }, "igroup": { "name": igroup } });
            aiqum.estate.ask(&connection, "POST", "/protocols/san/lun-maps", &[], &map)?;
        }
        let luns = aiqum.estate.list(&connection, "/storage/luns");
        let it = |lun: &&Value| path::text(lun, "name") == Some(&path) && path::text(lun, "svm.uuid") == Some(&svm);
        let uuid = luns.iter().find(it).map(|lun| path::owned(lun, "uuid")).unwrap_or_default();
        let own = key::of(&cluster, "lun", &uuid);
        aiqum.provider.assign(&own, Some(&level), policy.as_deref());
        Ok(vec![("lunKey", own)])
    };
    Ok(job::accept(aiqum, call, "lun_create", job_name, CREATE_MS, Box::new(work)))
}

/// The names of the initiator groups that a body names.
fn maps(aiqum: &Aiqum, body: &Value) -> Result<Vec<String>, Problem> {
    let name = |map: &Value| match path::text(map, "igroup.key") {
        Some(wanted) => view::find(&aiqum.estate, "igroup", wanted)
            .map(|(_, record)| path::owned(record, "name"))
            .ok_or_else(|| Problem::invalid("lun_maps.igroup.key", wanted)),
        None => {
            path::text(map, "igroup.name").map(str::to_owned).ok_or_else(|| Problem::missing("lun_maps.igroup.key"))
        }
    };
    path::array(body, "lun_maps").map(name).collect()
}

fn found(aiqum: &Aiqum, wanted: &str) -> Result<(String, Value), Problem> {
    let (cluster, lun) = view::find(&aiqum.estate, "lun", wanted).ok_or_else(|| Problem::absent("LUN", wanted))?;
    Ok((cluster.connection.clone(), lun.clone()))
}

/// `PATCH /storage-provider/luns/{key}`: one property at a time.
pub(super) fn modify(aiqum: &mut Aiqum, call: &Call<'_>, wanted: &str) -> Result<Reply, Problem> {
    let (connection, lun) = found(aiqum, wanted)?;
    super::only_property(&call.body)?;
    let level =
        path::get(&call.body, "performance_service_level").map(|_| super::named(aiqum, &call.body)).transpose()?;
    let size = path::number(&call.body, "space.size");
    if level.is_none() && size.is_none() {
        return Err(Problem::new(400, "Of a LUN, its size and its level can be changed."));
    }
    let own = wanted.to_owned();
    let work = move |aiqum: &mut Aiqum| {
        if let Some(size) = size {
            let volume = format!("/storage/volumes/{}", path::owned(&lun, "location.volume.uuid"));
            aiqum.estate.ask(&connection, "PATCH", &volume, &[], &json!({ "size": size + size / 20 }))?;
            let place = format!("/storage/luns/{}", path::owned(&lun, "uuid"));
            aiqum.estate.ask(&connection, "PATCH", &place, &[], &json!({ "space": { "size": size } }))?;
        }
        if let Some((level, policy)) = &level {
            aiqum.provider.assign(&own, Some(level), policy.as_deref());
        }
        Ok(vec![("lunKey", own)])
    };
    Ok(job::accept(aiqum, call, "lun_modify", format!("Modify LUN {wanted}"), MODIFY_MS, Box::new(work)))
}

/// `DELETE /storage-provider/luns/{key}`: with its volume.
pub(super) fn delete(aiqum: &mut Aiqum, call: &Call<'_>, wanted: &str) -> Result<Reply, Problem> {
    let (connection, lun) = found(aiqum, wanted)?;
    let own = wanted.to_owned();
    let work = move |aiqum: &mut Aiqum| {
        let force = [("allow_delete_while_mapped", "true")];
        aiqum.estate.ask(
            &connection,
            "DELETE",
            &format!("/storage/luns/{}", path::owned(&lun, "uuid")),
            &force,
            &Value::Null,
        )?;
        share::gone(aiqum, &connection, &path::owned(&lun, "location.volume.uuid"))?;
        aiqum.provider.assigned.retain(|assigned| assigned.key != own);
        Ok(Vec::new())
    };
    Ok(job::accept(aiqum, call, "lun_delete", format!("Delete LUN {wanted}"), DELETE_MS, Box::new(work)))
}
