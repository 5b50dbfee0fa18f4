//! The query of a request, taken apart: what to show, what to look for, how much of it.

use crate::filter::Filter;
use crate::refusal::Refusal;
use crate::resource::Params;

/// The most records that ONTAP gives at once.
const RECORDS_MAX: usize = 10_000;
/// The longest that a client can wait for a job, in seconds.
const RETURN_TIMEOUT_MAX: u64 = 120;

/// Parameters that are neither filters nor known here; resources look at some of them.
const PARAMETERS: [&str; 15] = [
    "allow_delete_while_mapped",
    "allow_delete_while_bound",
    "continue_on_failure",
    "copy_all_source_snapshots",
    "destination_only",
    "force",
    "ignore_unknown_fields",
    "return_unmatched_nested_array_objects",
    "serial_records",
    "source_info_only",
    "source_only",
    "action",
    "failover",
    "validate_only",
    "privilege_level",
];

/// A query taken apart.
#[derive(Debug, Default)]
pub(crate) struct Query {
    /// Fields to show; empty for the default ones.
    pub(crate) fields: Vec<String>,
    /// Fields to sort by; true for descending.
    pub(crate) order: Vec<(String, bool)>,
    /// How many records at most.
    pub(crate) max_records: usize,
    /// Whether the client wants the records, if it said so.
    pub(crate) return_records: Option<bool>,
    /// How long to wait for a job, in milliseconds.
    pub(crate) return_timeout_ms: u64,
    /// After which record, and after how many of them, a next page starts.
    pub(crate) start: Option<(u64, usize)>,
    /// The job whose results are wanted.
    pub(crate) job_results: Option<String>,
    /// What records must be like.
    pub(crate) filters: Vec<Filter>,
    /// Everything else.
    pub(crate) params: Params,
}

impl Query {
    /// Takes the pairs of a query apart.
    pub(crate) fn read(pairs: &[(String, String)]) -> Result<Self, Refusal> {
        let mut query = Self { max_records: RECORDS_MAX, ..Self::default() };
        let (mut start, mut everywhere, mut within) = ((None, 0), None, "*");
        for (name, value) in pairs {
            match name.as_str() {
                "fields" => query.fields.extend(list(value)),
                "order_by" => query.order.extend(list(value).map(|field| sorted(&field))),
                "max_records" => query.max_records = number(name, value)?.clamp(1, RECORDS_MAX),
                "return_records" => query.return_records = Some(boolean(name, value)?),
                "return_timeout" => query.return_timeout_ms = seconds(name, value)? * 1000,
                "start.record" => start.0 = Some(number(name, value)? as u64),
                "start.offset" => start.1 = number(name, value)?,
                "job_results_uuid" => query.job_results = Some(value.clone()),
                "query" => everywhere = Some(value),
                "query_fields" => within = value,
                known if PARAMETERS.contains(&known) => query.params.push((name.clone(), value.clone())),
                _ => query.filters.push(Filter::new(name, value)),
            }
        }
        query.filters.extend(everywhere.map(|text| Filter::new(within, text)));
        query.start = start.0.map(|record| (record, start.1));
        Ok(query)
    }
}

fn list(value: &str) -> impl Iterator<Item = String> {
    value.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>().into_iter()
}

fn sorted(text: &str) -> (String, bool) {
    match text.split_once(char::is_whitespace) {
        Some((field, direction)) => (field.to_owned(), direction.trim().eq_ignore_ascii_case("desc")),
        None => (text.to_owned(), false),
    }
}

fn number(name: &str, value: &str) -> Result<usize, Refusal> {
    value.parse().map_err(|_| Refusal::invalid(name, value))
}

fn seconds(name: &str, value: &str) -> Result<u64, Refusal> {
    value.parse().ok().filter(|seconds| *seconds <= RETURN_TIMEOUT_MAX).ok_or_else(|| Refusal::invalid(name, value))
}

/// Clients write `true`, `True` and `TRUE`.
fn boolean(name: &str, value: &str) -> Result<bool, Refusal> {
    value.to_ascii_lowercase().parse().map_err(|_| Refusal::invalid(name, value))
}
