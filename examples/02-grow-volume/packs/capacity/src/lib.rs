//! The actions of the pack `capacity`.

use runner_sdk::http::Response;
use runner_sdk::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct VolumeInput {
    /// The volume's name.
    volume: String,
    /// The array to ask.
    connection: String,
}

/// A volume, as the array describes it.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Volume {
    /// The volume's name.
    name: String,
    /// Its size.
    size_gib: u64,
    /// How much of it is used.
    used_gib: u64,
    /// The same, in percent of its size.
    used_percent: f64,
}

/// Reads how large and how full a volume is.
#[action]
fn get_volume(input: VolumeInput) -> Result<Volume> {
    let response = http::get(&input.connection, path!("/v1/volumes/{input.volume}")).send()?;
    found(response, &input.volume, &input.connection)?.json()
}

#[derive(Deserialize, JsonSchema)]
struct ResizeInput {
    /// The volume's name.
    volume: String,
    /// Its new size.
    size_gib: u64,
    /// The array that it is on.
    connection: String,
}

/// What the array says when it cannot.
#[derive(Deserialize)]
struct Problem {
    error: String,
}

/// Makes a volume larger. A volume that is as large already is left alone.
#[action]
fn resize_volume(input: ResizeInput) -> Result<Volume> {
    let path = path!("/v1/volumes/{input.volume}");
    let response = http::get(&input.connection, path.clone()).send()?;
    let volume: Volume = found(response, &input.volume, &input.connection)?.json()?;
    if volume.size_gib >= input.size_gib {
        log::field("size_gib", volume.size_gib).info("the volume is large enough already");
        return Ok(volume);
    }
    log::field("from_gib", volume.size_gib).field("to_gib", input.size_gib).info("resizing");
    let response = http::patch(&input.connection, path).json(&json!({ "size_gib": input.size_gib })).send()?;
    if response.status() == 409 {
        let Problem { error } = response.json()?;
        bail!("no-space", "`{}` cannot grow to {} GiB: {error}", input.volume, input.size_gib);
    }
    found(response, &input.volume, &input.connection)?.json()
}

#[derive(Deserialize, JsonSchema)]
struct ListInput {
    /// How full, in percent.
    min_used_percent: f64,
    /// The array to ask.
    connection: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Volumes {
    /// The volumes.
    volumes: Vec<Volume>,
}

/// Lists the volumes that are at least so full, the fullest first.
#[action]
fn list_volumes(input: ListInput) -> Result<Volumes> {
    let mut list: Volumes = http::get(&input.connection, "/v1/volumes").send()?.ok()?.json()?;
    list.volumes.retain(|volume| volume.used_percent >= input.min_used_percent);
    list.volumes.sort_by(|a, b| b.used_percent.total_cmp(&a.used_percent));
    Ok(list)
}

/// The response, unless it says that there is no such volume.
fn found(response: Response, volume: &str, connection: &str) -> Result<Response> {
    if response.status() == 404 {
        bail!("volume-not-found", "there is no volume `{volume}` on `{connection}`");
    }
    response.ok()
}

runner_sdk::export!(get_volume, resize_volume, list_volumes);

#[cfg(test)]
mod tests {
    use pack_capacity_simulator::array;
    use runner_sdk::testing::{Host, Run};

    use super::*;

    fn array_host() -> Host {
        Host::new().simulate("array", array())
    }

    fn get(volume: &str) -> Run {
        array_host().run(get_volume, json!({ "volume": volume, "connection": "array" }))
    }

    fn resize(volume: &str, size_gib: u64) -> Run {
        array_host().run(resize_volume, json!({ "volume": volume, "size_gib": size_gib, "connection": "array" }))
    }

    #[test]
    fn a_volume_is_read() {
        assert_eq!(get("vol_db").output()["used_percent"], 93.0);
    }

    #[test]
    fn a_volume_that_is_not_there_is_a_clear_failure() {
        for name in ["vol_x", "../volumes/vol_db", "vol_db/../vol_web"] {
            let failure = get(name).failure();
            assert_eq!(failure.to_string(), format!("volume-not-found: there is no volume `{name}` on `array`"));
        }
    }

    #[test]
    fn a_volume_that_is_busy_is_worth_another_try() {
        let failure = get("vol_busy").failure();
        assert_eq!((failure.code.as_str(), failure.retryable), ("http-503", true));
    }

    #[test]
    fn a_volume_grows_once() {
        let run = resize("vol_db", 1500);
        assert_eq!(run.output(), json!({ "name": "vol_db", "size_gib": 1500, "used_gib": 930, "used_percent": 62.0 }));
        let methods: Vec<_> = run.requests.iter().map(|request| request.method.as_str()).collect();
        assert_eq!(methods, ["GET", "PATCH"]);
        assert_eq!(resize("vol_db", 1000).requests.len(), 1);
    }

    #[test]
    fn an_array_without_space_is_a_clear_failure() {
        let failure = resize("vol_archive", 20_000).failure();
        assert_eq!(failure.code, "no-space");
        assert_eq!(failure.message, "`vol_archive` cannot grow to 20000 GiB: only 2000 GiB are free");
    }

    #[test]
    fn the_fullest_volumes_come_first() {
        let run = array_host().run(list_volumes, json!({ "min_used_percent": 80, "connection": "array" }));
        let output = run.output();
        let names: Vec<_> = output["volumes"].as_array().unwrap().iter().map(|v| v["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["vol_archive", "vol_db", "vol_busy"]);
    }
}
