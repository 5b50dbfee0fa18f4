//! The daemon: what `runner serve` puts together, in which order it begins, and in which it ends.
//!
//! It begins with what can be refused (the certificate, the address, the keys, the place), then takes up what was left, and only then does
//! anybody get an answer: who asks earlier waits in the socket's queue. It ends the other way round: nothing new, what runs to its end, nobody left on the line.

mod certificate;
mod grants;
mod measure;
mod reload;
mod retention;
mod secrets;
mod socket;
#[cfg(feature = "otlp")]
mod trace;

use std::sync::Arc;
use std::time::Duration;

use runner_executor::Executor;
use runner_model::{Clock as _, SystemClock, SystemEntropy, code};
use runner_server::{AccessMode, Api, ApiOptions, HttpOptions, serve_http};
use runner_store::{Access as _, SqliteStore};
use runner_triggers::{HostSensors, Triggers, TriggersOptions};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::process::{Process, Takes};
use crate::stop;
use measure::Measures;
use socket::Socket;

/// Serves until the first signal, then drains.
pub(crate) async fn run(mut app: App, simulate: bool) -> Result<Exit, CliError> {
    let store = Arc::new(app.store().await?);
    let served = serve(&mut app, &store, simulate).await;
    store.close().await;
    served.map_err(|error| app.respelled(error)).map(|()| Exit::Succeeded)
}

async fn serve(app: &mut App, store: &Arc<SqliteStore>, simulate: bool) -> Result<(), CliError> {
    let certificate = app.config.daemon.tls.as_ref().map(certificate::read).transpose()?;
    let socket = Socket::open(app.config.daemon.listen, certificate).await?;
    refuse_to_be_open(&socket, store).await?;
    // Before any pack makes a request: none reaches the API by a URL.
    let _listening = app.door.listening(socket.address());
    // Before anything that is counted.
    let recorder = measure::Recorder::install()?;
    let process = Process::start(app, store, simulate, Takes::Open).await?;
    let begun = begin(app, store, &process, socket, recorder).await;
    match begun {
        Ok(daemon) => {
            daemon.until_told(app).await;
            daemon.end(app.config.daemon.grace).await;
            process.end().await;
            Ok(())
        }
        Err(error) => {
            process.end().await;
            Err(error)
        }
    }
}

/// Nobody gets in from another machine without a key; so there has to be one.
async fn refuse_to_be_open(socket: &Socket, store: &SqliteStore) -> Result<(), CliError> {
    if socket.is_local() {
        return Ok(());
    }
    let now = SystemClock.now();
    if store.keys_of_api().await?.iter().any(|key| key.is_valid(now)) {
        return Ok(());
    }
    let message = format!("{} can be reached from other machines, and there is no key", socket.address());
    Err(CliError::new(Exit::Usage, code::CLI_LISTEN, message)
        .hint("make one with `runner key create NAME --role admin`, or listen on 127.0.0.1"))
}

/// Everything that has begun.
struct Daemon {
    executor: Executor,
    triggers: Triggers,
    api: Api,
    /// Ends listening.
    hang_up: CancellationToken,
    /// Ends what runs beside it.
    stop: CancellationToken,
    tasks: TaskTracker,
    _watch: Option<runner_pack::Watch>,
    _office: runner_server::local::Office,
}

async fn begin(
    app: &App,
    store: &Arc<SqliteStore>,
    process: &Process,
    socket: Socket,
    recorder: measure::Recorder,
) -> Result<Daemon, CliError> {
    let office = process.take_office(app)?;
    let executor = process.executor.clone();
    let (hang_up, stop, tasks) = (CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
    // Until nothing runs any more, and from before the first thing does.
    #[cfg(feature = "otlp")]
    trace::start(&app.environment, &executor, store, &hang_up, &tasks);
    reload::bring_back(app, executor.packs()).await;
    reload::tell_missing(if app.config.packs_named { &app.config.packs } else { &[] });
    executor.packs().library().broken().iter().for_each(reload::tell_broken);
    reload::tell_all_waiting(executor.packs());
    let measures = recorder.of(executor.clone(), store.clone());
    // Before anything is taken up: what ends meanwhile is announced only to triggers that are there.
    let triggers = Triggers::start(trigger_options(app, store, process)).await?;
    measures.also_of(&triggers);
    let taken = executor.recover_all().await?;
    if taken > 0 {
        info!(executions = taken, "taken up");
    }
    let access = if socket.is_local() { AccessMode::Open } else { AccessMode::Keys };
    let users = Arc::new(secrets::Users::new(app, store.clone(), process));
    // Before the first delivery comes.
    users.open_webhooks().await;
    let api = Api::new(api_options(app, store, process, &triggers, measures, access, users));
    let certificate = socket.certificate().cloned();
    if let (Some(files), Some(certificate)) = (app.config.daemon.tls.clone(), certificate.clone()) {
        tasks.spawn(certificate::follow(files, certificate, reload::HangUps::listen(), stop.clone()));
    }
    let connections_max = app.config.daemon.connections_max;
    let options = HttpOptions { connections_max, tls: certificate, ..HttpOptions::default() };
    let (url, listener) = socket.into_listener();
    tasks.spawn(serve_http(listener, api.entrance(), options, hang_up.clone()));
    let packs = executor.packs().clone();
    let watch = reload::watch(app, packs.clone(), &stop, &tasks);
    tasks.spawn(grants::follow(store.clone(), packs.clone(), stop.clone()));
    tasks.spawn(retention::sweep(retention::Kept::of(&app.config), store.clone(), packs, stop.clone()));
    process.offer(&api);
    api.ready();
    socket::tell_manager(socket::Phase::Ready);
    announce(app, &url);
    Ok(Daemon { executor, triggers, api, hang_up, stop, tasks, _watch: watch, _office: office })
}

fn trigger_options(app: &App, store: &Arc<SqliteStore>, process: &Process) -> TriggersOptions {
    let packs = process.executor.packs().clone();
    let sensors = HostSensors::new(process.host.clone(), packs.clone(), store.clone());
    TriggersOptions {
        executor: process.executor.clone(),
        store: store.clone(),
        packs,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        sensors: Arc::new(sensors.with_timeout(app.config.limits.guest.timeout)),
    }
}

fn api_options(
    app: &App,
    store: &Arc<SqliteStore>,
    process: &Process,
    triggers: &Triggers,
    measures: Measures,
    access: AccessMode,
    users: Arc<secrets::Users>,
) -> ApiOptions {
    let (environment, hooks) = (app.environment, app.config.daemon.webhooks.clone());
    ApiOptions {
        executor: process.executor.clone(),
        store: store.clone(),
        packs: process.executor.packs().clone(),
        triggers: triggers.clone(),
        node: process.node().clone(),
        nodes: Some(app.nodes()),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        access,
        hosts: app.config.daemon.hosts.clone(),
        webhook_secrets: Arc::new(move |name| hooks.of(name, &environment)),
        keys: app.keys().clone(),
        secret_users: users,
        metrics: Arc::new(move || measures.text()),
        body_bytes_max: app.config.daemon.body_bytes_max,
        version: env!("CARGO_PKG_VERSION"),
    }
}

fn announce(app: &App, url: &str) {
    if app.output.json {
        app.output.value(&serde_json::json!({ "listening": url, "version": env!("CARGO_PKG_VERSION") }));
    } else {
        app.output.line(format!("listening on {url}"));
    }
}

impl Daemon {
    async fn until_told(&self, app: &App) {
        let output = app.output;
        let told = stop::on_signal(move || match output.json {
            // Each line is an object there.
            true => info!("draining; once more to exit at once"),
            false => output.note("draining; once more to exit at once"),
        });
        told.cancelled().await;
    }

    /// Nothing new; what runs comes to its end, or is left for the next process; then nobody is on the line any more.
    async fn end(self, grace: Duration) {
        socket::tell_manager(socket::Phase::Stopping);
        self.api.drain();
        self.stop.cancel();
        self.triggers.shutdown().await;
        let drained = self.executor.drain(grace).await;
        if drained.interrupted > 0 {
            warn!(attempts = drained.interrupted, "interrupted: what they did is unknown until they are taken up");
        }
        self.hang_up.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}
