//! A simulated storage array with a handful of volumes. What is changed stays changed as long as the process runs.
//!
//! - `GET /v1/volumes`, `GET /v1/volumes/{name}`, `PATCH /v1/volumes/{name}` with `{"size_gib": N}`; a volume only grows, and
//!   only as far as the array has free space (409).
//! - Every request needs HTTP basic authentication (401 without it). Any user will do, and any password but `wrong`.
//! - `vol_busy` always answers 503. `POST /simulator/faults` with `{"count": 2}` lets the next two requests fail:
//!   with 503, with another `status`, or with `"dropped": true` by closing the connection; `delay_ms` comes before.

mod fault;

use runner_sdk::prelude::{Deserialize, Serialize, json};
use runner_sdk::simulator::{Reply, Request, Router};

use fault::Fault;

/// The array.
pub struct Array {
    volumes: Vec<Volume>,
    free_gib: u64,
    fault: Option<Fault>,
}

#[derive(Serialize)]
struct Volume {
    name: &'static str,
    size_gib: u64,
    used_gib: u64,
    used_percent: f64,
}

impl Volume {
    fn new(name: &'static str, size_gib: u64, used_gib: u64) -> Self {
        Self { name, size_gib, used_gib, used_percent: percent(used_gib, size_gib) }
    }
}

/// In percent, with one decimal.
#[allow(clippy::cast_precision_loss, reason = "volumes of 2^53 GiB are not simulated")]
fn percent(part: u64, whole: u64) -> f64 {
    (part * 1000 / whole.max(1)) as f64 / 10.0
}

/// A new array.
#[must_use]
pub fn array() -> Router<Array> {
    let volumes = vec![
        Volume::new("vol_db", 1000, 930),
        Volume::new("vol_web", 500, 210),
        Volume::new("vol_archive", 9000, 8900),
        Volume::new("vol_busy", 100, 90),
    ];
    Router::new(Array { volumes, free_gib: 2000, fault: None })
        .before(|_, request| unauthorized(request))
        .before(|array, request| fault::take(&mut array.fault, request))
        .post("/simulator/faults", |array, request| -> Result<Reply, Reply> {
            array.fault = Some(request.json()?);
            Ok(Reply::status(204))
        })
        .get("/v1/volumes", |array, _| Reply::json(200, &json!({ "volumes": array.volumes })))
        .get("/v1/volumes/{name}", get_volume)
        .patch("/v1/volumes/{name}", resize_volume)
}

fn unauthorized(request: &Request) -> Option<Reply> {
    match request.basic_auth() {
        Some((user, password)) if !user.is_empty() && password != "wrong" => None,
        _ => Some(problem(401, "log in").header("www-authenticate", "Basic realm=\"array\"")),
    }
}

fn get_volume(array: &mut Array, request: &Request) -> Result<Reply, Reply> {
    Ok(Reply::json(200, find(&mut array.volumes, request)?))
}

#[derive(Deserialize)]
struct Resize {
    size_gib: u64,
}

fn resize_volume(array: &mut Array, request: &Request) -> Result<Reply, Reply> {
    let Resize { size_gib } = request.json()?;
    let volume = find(&mut array.volumes, request)?;
    let Some(more) = size_gib.checked_sub(volume.size_gib) else {
        return Err(problem(422, "a volume does not shrink"));
    };
    let Some(free) = array.free_gib.checked_sub(more) else {
        return Err(problem(409, &format!("only {} GiB are free", array.free_gib)));
    };
    array.free_gib = free;
    *volume = Volume::new(volume.name, size_gib, volume.used_gib);
    // A resize takes its time.
    Ok(Reply::json(200, volume).delay_ms(50))
}

fn find<'a>(volumes: &'a mut [Volume], request: &Request) -> Result<&'a mut Volume, Reply> {
    let name = request.param("name");
    match volumes.iter_mut().find(|volume| volume.name == name) {
        Some(Volume { name: "vol_busy", .. }) => Err(problem(503, "the volume is busy").header("retry-after", "1")),
        Some(volume) => Ok(volume),
        None => Err(problem(404, &format!("there is no volume `{name}`"))),
    }
}

fn problem(status: u16, error: &str) -> Reply {
    Reply::json(status, &json!({ "error": error }))
}

runner_sdk::export_simulator!(array);

#[cfg(test)]
mod tests;
