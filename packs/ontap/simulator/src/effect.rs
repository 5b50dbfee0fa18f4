//! What a write does to the tables, at once or at the end of a job.

use serde_json::Value;

use crate::path;
use crate::refusal::Refusal;
use crate::resource::{Edit, Params, Resource};
use crate::site::Site;
use crate::world::World;

/// A change of the tables that was accepted.
pub(crate) enum Effect {
    /// A record is made.
    Create(&'static Resource, Value),
    /// A record is changed.
    Change(&'static Resource, u64, Value, Params),
    /// A record is deleted.
    Delete(&'static Resource, u64, Params),
}

/// Finishes what is due by now, in the order in which it ends.
pub(crate) fn advance(world: &mut World, now: u64) {
    while let Some((at, index, end)) = next_due(world, now) {
        world.now = end;
        finish(world, at, index);
    }
    world.now = now;
    for cluster in &mut world.clusters {
        cluster.jobs.retain(|job| job.outcome.is_none() || job.is_there(now));
    }
}

fn next_due(world: &World, now: u64) -> Option<(usize, usize, u64)> {
    let jobs = world.clusters.iter().enumerate().flat_map(|(at, cluster)| {
        cluster.jobs.iter().enumerate().filter(|(_, job)| job.is_due(now)).map(move |(index, job)| (at, index, job.end))
    });
    jobs.min_by_key(|(_, _, end)| *end)
}

fn finish(world: &mut World, at: usize, index: usize) {
    let Some(job) = world.clusters.get_mut(at).and_then(|cluster| cluster.jobs.get_mut(index)) else { return };
    let effects = std::mem::take(&mut job.effects);
    let outcome = match job.fault.clone() {
        Some(refusal) => Err(refusal),
        None => apply_all(&mut Site { world, at }, effects),
    };
    if let Some(job) = world.clusters.get_mut(at).and_then(|cluster| cluster.jobs.get_mut(index)) {
        job.outcome = Some(outcome);
    }
}

/// Applies effects one after the other; the first that fails is the outcome.
pub(crate) fn apply_all(site: &mut Site<'_>, effects: Vec<Effect>) -> Result<(), Refusal> {
    effects.into_iter().try_for_each(|effect| apply(site, effect))
}

fn apply(site: &mut Site<'_>, effect: Effect) -> Result<(), Refusal> {
    match effect {
        Effect::Create(resource, mut record) => {
            // Between the request and the end of its job another may have taken the name.
            crate::write::check_unique(site, resource, &record)?;
            (resource.create)(site, &mut record)?;
            let number = site.insert(resource.path, record.clone());
            if let Err(refusal) = (resource.created)(site, &record) {
                (resource.delete_with)(site, &record)?;
                site.remove(resource.path, |other| is(other, number));
                return Err(refusal);
            }
        }
        Effect::Change(resource, number, patch, params) => {
            let before = numbered(site, resource, number)?;
            let mut after = before.clone();
            path::merge(&mut after, &patch);
            let mut edit = Edit { before, patch, after, params };
            (resource.change)(site, &mut edit)?;
            let found = site.table(resource.path).and_then(|records| records.iter_mut().find(|r| is(r, number)));
            if let Some(record) = found {
                *record = edit.after;
            }
        }
        Effect::Delete(resource, number, params) => {
            let record = numbered(site, resource, number)?;
            (resource.spare)(site, &record, &params)?;
            (resource.delete_with)(site, &record)?;
            site.remove(resource.path, |record| is(record, number));
        }
    }
    Ok(())
}

fn is(record: &Value, number: u64) -> bool {
    path::number(record, "~seq") == Some(number)
}

fn numbered(site: &Site<'_>, resource: &Resource, number: u64) -> Result<Value, Refusal> {
    site.records(resource.path).iter().find(|record| is(record, number)).cloned().ok_or_else(Refusal::absent)
}
