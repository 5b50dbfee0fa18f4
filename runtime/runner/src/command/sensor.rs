//! `runner sensor`: what is asked again and again whether something has happened, and how it stands.

use std::time::Duration;

use clap::{Args, Subcommand};
use runner_model::{Failure, Timestamp};
use runner_pack::Sensor;
use runner_store::{Events as _, SqliteStore};
use serde::{Deserialize, Serialize};

use super::asked::{ALL, Asked, asking};
use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{elapsed, one_line, table};

/// List sensors, and how they stand
#[derive(Debug, Args)]
pub(crate) struct SensorCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List sensors: when each was polled last, what it emitted, what went wrong
    List {
        /// Only those of this pack
        #[arg(long, value_name = "PACK")]
        pack: Option<String>,
    },
}

/// A sensor, and how it stands; in the words of a daemon.
#[derive(Debug, Serialize, Deserialize)]
struct SensorView {
    sensor: String,
    description: String,
    enabled: bool,
    /// In seconds.
    interval: f64,
    triggers: Vec<String>,
    /// How far it has come.
    cursor: Option<String>,
    last_poll: Option<Timestamp>,
    last_error: Option<Failure>,
    /// Since the daemon started.
    emitted: u64,
    /// None if nobody polls it.
    next: Option<Timestamp>,
}

impl SensorCommand {
    /// Does it.
    pub(crate) async fn run(self, app: &App) -> Result<Exit, CliError> {
        let What::List { pack } = self.what;
        asking(app, app.daemon(), async |asked| list(app, asked, pack.as_deref()).await).await
    }
}

async fn list(app: &App, asked: &Asked, pack: Option<&str>) -> Result<Exit, CliError> {
    let mut sensors = match asked {
        Asked::Daemon(daemon) => daemon.list("/api/v1/sensors", &[], ALL).await?,
        Asked::Here(store) => here(app, store.as_ref()).await?,
    };
    let own = |sensor: &SensorView| sensor.sensor.split_once('.').map(|(own, _)| own.to_owned());
    sensors.retain(|sensor| pack.is_none_or(|pack| own(sensor).as_deref() == Some(pack)));
    if app.output.json {
        app.output.value(&sensors);
    } else if sensors.is_empty() {
        app.output.note("no sensors");
    } else {
        let headings = ["sensor", "state", "interval", "last poll", "next", "emitted", "cursor", "error"];
        app.output.line(table(&app.output, &headings, sensors.iter().map(row)));
    }
    Ok(Exit::Succeeded)
}

/// As the files and the store here say: nobody polls them.
async fn here(app: &App, store: Option<&SqliteStore>) -> Result<Vec<SensorView>, CliError> {
    let mut views = Vec::new();
    for (_, sensor) in app.library().0.sensors() {
        let cursor = match store.filter(|_| sensor.enabled) {
            Some(store) => store.mark(&format!("sensor/{}", sensor.reference)).await?,
            None => None,
        };
        views.push(view(sensor, cursor));
    }
    views.sort_by(|one, other| one.sensor.cmp(&other.sensor));
    Ok(views)
}

fn view(sensor: &Sensor, cursor: Option<String>) -> SensorView {
    SensorView {
        sensor: sensor.reference.to_string(),
        description: sensor.description.clone(),
        enabled: sensor.enabled,
        interval: sensor.interval.as_secs_f64(),
        triggers: sensor.triggers.iter().map(|kind| kind.reference.to_string()).collect(),
        cursor,
        last_poll: None,
        last_error: None,
        emitted: 0,
        next: None,
    }
}

fn row(sensor: &SensorView) -> Vec<String> {
    let moment = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string()).unwrap_or_default();
    let interval = Duration::try_from_secs_f64(sensor.interval).unwrap_or_default();
    let error = sensor.last_error.as_ref().map(|failure| format!("{}: {}", failure.code, failure.message));
    vec![
        sensor.sensor.clone(),
        if sensor.enabled { "on" } else { "off" }.to_owned(),
        elapsed(interval),
        moment(sensor.last_poll),
        moment(sensor.next),
        sensor.emitted.to_string(),
        one_line(sensor.cursor.as_deref().unwrap_or_default(), 40),
        one_line(&error.unwrap_or_default(), 80),
    ]
}
