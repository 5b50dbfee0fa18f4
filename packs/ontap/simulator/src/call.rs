//! One request to the API, understood: where it leads, what it asks for, on whose behalf.

use runner_sdk::simulator::Request;
use serde_json::Value;

use crate::fault::JobFault;
use crate::filter::Filter;
use crate::path;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::route::{self, Place};
use crate::site::Site;

/// A request, understood.
pub(crate) struct Call<'r> {
    /// The request.
    pub(crate) request: &'r Request,
    /// Where it leads.
    pub(crate) place: Place,
    /// What it asks for.
    pub(crate) query: Query,
    /// The SVM that it is tunnelled to.
    pub(crate) svm: Option<Value>,
    /// What is to go wrong with its job.
    pub(crate) job_fault: Option<JobFault>,
}

impl<'r> Call<'r> {
    /// Understands a request.
    pub(crate) fn read(site: &Site<'_>, request: &'r Request, job_fault: Option<JobFault>) -> Result<Self, Refusal> {
        let place = route::find(&request.path).ok_or_else(Refusal::no_such_path)?;
        let mut query = Query::read(&request.query)?;
        let svm = tunnel(site, request)?;
        if let Some(svm) = svm.as_ref().filter(|_| place.resource.of_svm()) {
            query.filters.push(Filter::new("svm.uuid", &format!("\"{}\"", path::owned(svm, "uuid"))));
        }
        Ok(Self { request, place, query, svm, job_fault })
    }

    /// Whether it leads to one object.
    pub(crate) fn is_for_one(&self) -> bool {
        self.place.keys.is_some() || self.place.resource.keys.is_empty()
    }

    /// The records that it is about, as a client sees them.
    pub(crate) fn records(&self, site: &Site<'_>) -> Vec<Value> {
        let resource = self.place.resource;
        let jobs = || site.cluster().map(|cluster| crate::jobs::records(cluster, site.now())).unwrap_or_default();
        let all = if resource.path == crate::jobs::PATH { jobs() } else { site.records(resource.path).to_vec() };
        let mut records: Vec<Value> = all.into_iter().filter(|record| self.place.holds(record)).collect();
        for record in &mut records {
            (resource.view)(site, record);
            crate::refer::refresh(site, resource, record);
        }
        if !self.is_for_one() {
            records.retain(|record| self.query.filters.iter().all(|filter| filter.fits(record)));
        }
        if let Some(job) = &self.query.job_results {
            records.retain(|record| path::text(record, "~job") == Some(job));
        }
        records
    }

    /// The one record that it is about.
    pub(crate) fn record(&self, site: &Site<'_>) -> Result<Value, Refusal> {
        self.records(site).into_iter().next().ok_or_else(Refusal::absent)
    }
}

/// The SVM that the headers name.
fn tunnel(site: &Site<'_>, request: &Request) -> Result<Option<Value>, Refusal> {
    let (name, uuid) = (request.header("x-dot-svm-name"), request.header("x-dot-svm-uuid"));
    if name.is_none() && uuid.is_none() {
        return Ok(None);
    }
    let fits = |svm: &&Value| {
        name.is_none_or(|name| path::text(svm, "name") == Some(name))
            && uuid.is_none_or(|uuid| path::text(svm, "uuid") == Some(uuid))
    };
    let which = name.or(uuid).unwrap_or_default();
    let unknown = || Refusal::new(404, 2_621_462, format!("SVM \"{which}\" does not exist."));
    site.records("/svm/svms").iter().find(fits).cloned().map(Some).ok_or_else(unknown)
}
