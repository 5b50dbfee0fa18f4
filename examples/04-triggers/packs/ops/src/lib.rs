//! The sensor of the pack `ops`.

use std::collections::BTreeSet;

use runner_sdk::prelude::*;
use runner_sdk::sensor::{Event, Poll};

/// A volume, as the array describes it.
#[derive(Serialize, Deserialize)]
struct Volume {
    name: String,
    size_gib: u64,
    used_gib: u64,
    used_percent: f64,
}

/// What the array lists.
#[derive(Deserialize)]
struct Volumes {
    volumes: Vec<Volume>,
}

/// From here on a volume counts as full, in percent.
const FULL_PERCENT: f64 = 85.0;

/// Looks for volumes that have become full since the last poll. The cursor holds those that were full then, so that each is
/// told once, and again when it has been emptied in between.
fn volumes(cursor: Option<BTreeSet<String>>) -> Result<Poll<BTreeSet<String>>> {
    let before = cursor.unwrap_or_default();
    let Volumes { mut volumes } = http::get("array", "/v1/volumes").send()?.ok()?.json()?;
    volumes.retain(|volume| volume.used_percent >= FULL_PERCENT);
    let now = volumes.iter().map(|volume| volume.name.clone()).collect();
    let mut poll = Poll::new().cursor(now);
    for volume in volumes.iter().filter(|volume| !before.contains(&volume.name)) {
        poll = poll.event(Event::new("volume_full", volume)?);
    }
    Ok(poll)
}

runner_sdk::export_sensor!(volumes);

#[cfg(test)]
mod tests {
    use runner_sdk::sensor::Polled;
    use runner_sdk::testing::Host;

    use super::*;

    fn poll(percent: f64, cursor: Option<&str>) -> Polled {
        let volume = json!({ "name": "vol_db", "size_gib": 1000, "used_gib": 900, "used_percent": percent });
        Host::new()
            .on("GET", "array", "/v1/volumes", 200, json!({ "volumes": [volume] }))
            .inside(|| poll_sensor("volumes", cursor))
            .unwrap()
    }

    #[test]
    fn a_volume_that_becomes_full_is_told_once() {
        let first = poll(90.0, None);
        assert_eq!(first.events.len(), 1);
        assert_eq!(first.events[0].payload["name"], "vol_db");
        let again = poll(91.0, first.cursor.as_deref());
        assert!(again.events.is_empty());
    }

    #[test]
    fn a_volume_that_was_emptied_in_between_is_told_again() {
        let emptied = poll(50.0, Some(r#"["vol_db"]"#));
        assert!(emptied.events.is_empty());
        assert_eq!(poll(90.0, emptied.cursor.as_deref()).events.len(), 1);
    }
}
