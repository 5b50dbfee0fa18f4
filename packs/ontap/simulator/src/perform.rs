//! From an accepted write to its answer: done at once, or in a job that the client waits for or polls.

use runner_sdk::simulator::Reply;
use serde_json::{Value, json};

use crate::answer::hal;
use crate::call::Call;
use crate::effect::{self, Effect};
use crate::fault::JobFault;
use crate::job::Job;
use crate::refusal::Refusal;
use crate::resource::{Resource, Way};
use crate::site::Site;
use crate::write::Accepted;
use crate::{path, read};

/// Does what was accepted.
pub(crate) fn perform(site: &mut Site<'_>, call: &Call<'_>, accepted: Accepted) -> Result<Reply, Refusal> {
    let Accepted { way, effects, records } = accepted;
    if effects.is_empty() {
        return Ok(hal(200, &if call.is_for_one() { json!({}) } else { json!({ "num_records": records.len() }) }));
    }
    let millis = match way {
        Way::Job(millis) => site.world.rules.job_ms.unwrap_or(millis),
        Way::Now | Way::No => {
            effect::apply_all(site, effects)?;
            return Ok(done(site, call, &records));
        }
    };
    let waited = call.query.return_timeout_ms;
    if waited > 0 && waited >= millis {
        if let Some(JobFault::Fails(refusal)) = &call.job_fault {
            return Err(refusal.clone());
        }
        effect::apply_all(site, effects)?;
        return Ok(done(site, call, &records).delay_ms(u32::try_from(millis).unwrap_or(u32::MAX)));
    }
    Ok(started(site, call, effects, &records, millis))
}

/// The answer to what is done.
fn done(site: &Site<'_>, call: &Call<'_>, records: &[Value]) -> Reply {
    let resource = call.place.resource;
    let made = call.request.method == "POST";
    let status = if made { 201 } else { 200 };
    let now: Vec<Value> = records.iter().map(|record| present(site, resource, record)).collect();
    let said: Vec<Value> =
        now.iter().filter_map(|record| Some(with_link(resource, record, (resource.answer)(record)?))).collect();
    let mut body = json!({});
    if call.query.return_records == Some(true) {
        let shown = |record| {
            let mut shown = read::shown(call, record, true);
            if let Some(more) = (resource.answer)(record) {
                path::merge(&mut shown, &more);
            }
            shown
        };
        body = json!({ "num_records": now.len(), "records": now.iter().map(shown).collect::<Vec<_>>() });
    } else if !said.is_empty() {
        body = json!({ "num_records": said.len(), "records": said });
    } else if !(call.is_for_one() || made && now.len() == 1) {
        body = json!({ "num_records": now.len() });
    }
    let reply = hal(status, &body);
    match now.first().filter(|_| made) {
        Some(record) => reply.header("location", resource.href(record)),
        None => reply,
    }
}

fn with_link(resource: &Resource, record: &Value, mut said: Value) -> Value {
    path::set(&mut said, "_links.self.href", resource.href(record));
    said
}

/// The record as it is now: by its number if it was there before, else by its keys.
fn present(site: &Site<'_>, resource: &Resource, record: &Value) -> Value {
    let number = path::number(record, "~seq");
    let same = |other: &&Value| match number {
        Some(_) => path::number(other, "~seq") == number,
        None => resource.href(other) == resource.href(record),
    };
    let Some(mut found) = site.records(resource.path).iter().find(same).cloned() else { return record.clone() };
    (resource.view)(site, &mut found);
    crate::refer::refresh(site, resource, &mut found);
    found
}

/// Starts a job and answers with it.
fn started(site: &mut Site<'_>, call: &Call<'_>, mut effects: Vec<Effect>, records: &[Value], millis: u64) -> Reply {
    let (uuid, start) = (site.uuid(), site.now());
    for effect in &mut effects {
        if let Effect::Create(_, record) = effect {
            path::set(record, "~job", uuid.as_str());
        }
    }
    let made = call.request.method == "POST";
    let place = records.first().map(|record| call.place.resource.href(record)).unwrap_or_default();
    let description = format!("{} {place}", call.request.method);
    let fault = if let Some(JobFault::Fails(refusal)) = &call.job_fault { Some(refusal.clone()) } else { None };
    let hidden = matches!(call.job_fault, Some(JobFault::Gone));
    let job = Job {
        uuid: uuid.clone(),
        description,
        start,
        end: start + millis,
        effects,
        fault,
        hidden,
        paused: None,
        outcome: None,
    };
    if let Some(cluster) = site.world.clusters.get_mut(site.at) {
        cluster.jobs.push(job);
    }
    let mut body =
        json!({ "job": { "uuid": uuid, "_links": { "self": { "href": format!("/api/cluster/jobs/{uuid}") } } } });
    if made && records.len() > 1 {
        let results = format!("{}?job_results_uuid={uuid}", call.request.path.trim_end_matches('/'));
        path::set(&mut body, "job._links.results.href", results);
    }
    let reply = hal(202, &body);
    if made && records.len() == 1 { reply.header("location", place) } else { reply }
}
