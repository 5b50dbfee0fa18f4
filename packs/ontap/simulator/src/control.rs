//! What is for tests and not of ONTAP: `/simulator/…`. Needs no login.

use runner_sdk::simulator::{Reply, Request};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::Ontap;
use crate::fault::Fault;
use crate::path;
use crate::site::Site;
use crate::world::Rules;

/// The paths below this prefix are answered here.
pub(crate) const PREFIX: &str = "/simulator/";

/// Answers a request to the simulator itself.
pub(crate) fn handle(ontap: &mut Ontap, request: &Request) -> Reply {
    let what = request.path.strip_prefix(PREFIX).unwrap_or_default().trim_end_matches('/');
    let result = match (request.method.as_str(), what) {
        ("GET", "requests") => Ok(ok(&ontap.log.record())),
        ("DELETE", "requests") => {
            ontap.log = crate::log::Log::default();
            Ok(ok(&json!({})))
        }
        ("GET", "faults") => Ok(ok(&json!({ "faults": ontap.faults }))),
        ("DELETE", "faults") => {
            ontap.faults.clear();
            Ok(ok(&json!({})))
        }
        ("POST", "faults") => add_faults(ontap, request),
        ("GET", "rules") => Ok(ok(&json!(ontap.world.rules))),
        ("POST", "rules") => set_rules(ontap, request),
        ("POST", "used") => set_used(ontap, request),
        ("POST", "reset") => {
            (ontap.world, ontap.faults, ontap.log) = (crate::setup::world(), Vec::new(), crate::log::Log::default());
            Ok(ok(&json!({})))
        }
        _ => Err(problem(404, "no such path of the simulator")),
    };
    result.into()
}

fn ok(value: &Value) -> Reply {
    Reply::json(200, value)
}

fn problem(status: u16, error: impl Into<String>) -> Reply {
    Reply::json(status, &json!({ "error": error.into() }))
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, Reply> {
    serde_json::from_value(value).map_err(|error| problem(400, error.to_string()))
}

/// One fault, or a list of them.
fn add_faults(ontap: &mut Ontap, request: &Request) -> Result<Reply, Reply> {
    let body: Value = request.json()?;
    let faults: Vec<Fault> = if body.is_array() { read(body)? } else { vec![read(body)?] };
    ontap.faults.extend(faults);
    Ok(ok(&json!({ "faults": ontap.faults })))
}

/// Sets the rules that are named; the others stay.
fn set_rules(ontap: &mut Ontap, request: &Request) -> Result<Reply, Reply> {
    let mut rules = json!(ontap.world.rules);
    path::merge(&mut rules, &request.json()?);
    ontap.world.rules = read::<Rules>(rules)?;
    Ok(ok(&json!(ontap.world.rules)))
}

/// How full a volume is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Used {
    #[serde(default = "first")]
    connection: String,
    #[serde(default)]
    svm: Option<String>,
    volume: String,
    percent: u64,
}

fn first() -> String {
    "ontap".to_owned()
}

fn set_used(ontap: &mut Ontap, request: &Request) -> Result<Reply, Reply> {
    let used: Used = read(request.json()?)?;
    let at = crate::setup::cluster(&mut ontap.world, &used.connection);
    let site = Site { world: &mut ontap.world, at };
    let fits = |volume: &&Value| {
        path::text(volume, "name") == Some(&used.volume)
            && used.svm.as_ref().is_none_or(|svm| path::text(volume, "svm.name") == Some(svm))
    };
    let Some(volume) = site.records("/storage/volumes").iter().find(fits) else {
        return Err(problem(404, format!("there is no volume `{}`", used.volume)));
    };
    let bytes = path::number(volume, "size").unwrap_or_default() / 100 * used.percent.min(100);
    let uuid = path::owned(volume, "uuid");
    let mut site = site;
    site.update("/storage/volumes", &uuid, |volume| path::set(volume, "~used", bytes));
    Ok(ok(&json!({ "used": bytes })))
}
