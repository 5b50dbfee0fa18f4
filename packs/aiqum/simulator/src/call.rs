//! One request to the API, understood: its path below the base, its body, and who asks.

use runner_sdk::simulator::Request;
use serde_json::{Map, Value};

use crate::path;
use crate::problem::Problem;
use crate::seed::Dialect;

/// A request, understood.
pub(crate) struct Call<'r> {
    /// The request.
    pub(crate) request: &'r Request,
    /// Its method.
    pub(crate) method: &'r str,
    /// The path below `/api` or `/api/v2`, decoded.
    pub(crate) segments: Vec<String>,
    /// The same as it came, without the slash before it.
    pub(crate) rest: &'r str,
    /// The body: an object.
    pub(crate) body: Value,
    /// In which dialect it is written.
    pub(crate) dialect: Dialect,
    /// The time, in milliseconds.
    pub(crate) now: u64,
}

/// What leads to the dialect of the document, whatever is set: a host of `unified-manager/seed` in its script.
const SEED_BASE: &str = "/seed";

impl<'r> Call<'r> {
    /// Understands a request.
    pub(crate) fn read(request: &'r Request, set: Dialect, now: u64) -> Result<Self, Problem> {
        let (whole, based) = match request.path.strip_prefix(SEED_BASE) {
            Some(rest) => (rest, Some(Dialect::Seed)),
            None => (request.path.as_str(), None),
        };
        let by_header = request.header("x-simulator-dialect").and_then(Dialect::named);
        let nowhere = || Problem::new(404, format!("There is no resource at {}.", request.path));
        let rest = whole.strip_prefix("/api/").ok_or_else(nowhere)?;
        let rest = ["v2/", "v1/"].iter().find_map(|version| rest.strip_prefix(version)).unwrap_or(rest);
        let segments = rest.split('/').filter(|segment| !segment.is_empty()).map(path::decoded).collect();
        let dialect = based.or(by_header).unwrap_or(set);
        // What goes through the gateway is read by ONTAP.
        let body = if rest.starts_with("gateways/") { Value::Null } else { body(&request.body)? };
        Ok(Self { request, method: &request.method, segments, rest, body, dialect, now })
    }

    /// A field of the body that must be a text.
    pub(crate) fn need(&self, field: &str) -> Result<&str, Problem> {
        path::text(&self.body, field).filter(|text| !text.is_empty()).ok_or_else(|| Problem::missing(field))
    }
}

fn body(bytes: &[u8]) -> Result<Value, Problem> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(Map::new()));
    }
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| Problem::new(400, format!("The request body is not valid JSON: {error}.")))?;
    if value.is_object() { Ok(value) } else { Err(Problem::new(400, "The request body has to be a JSON object.")) }
}
