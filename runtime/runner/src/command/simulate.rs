//! `runner simulate`: serves a simulated system on a socket, for clients that are not runner.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use runner_host::Simulator;
use runner_model::{Clock as _, ConnectionName, SystemClock, code};
use runner_pack::suggest;
use runner_server::{Certificate, Options, Running, ServeError, serve};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::stop;

/// Serve the simulator of a kind of connection, until Ctrl-C
///
/// Any client can be pointed at it. Without `--tls` it speaks plain HTTP.
#[derive(Debug, Args)]
pub(crate) struct SimulateCommand {
    /// The kind of connection
    kind: String,
    /// The port to listen on; 0 takes a free one. With a name, `NAME=PORT`, the one for that connection: given several
    /// times, several systems of the same world are served, and know each other
    #[arg(long, required = true, value_name = "[NAME=]PORT")]
    port: Vec<Port>,
    /// The address to listen on
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_name = "ADDRESS")]
    listen: IpAddr,
    /// Speak TLS, with a certificate made for this run
    #[arg(long)]
    tls: bool,
    /// Write the certificate to trust to this file, in PEM
    #[arg(long, value_name = "FILE", requires = "tls")]
    cert_out: Option<PathBuf>,
}

/// Where one connection is served. Without a name it is the one that is called like the kind.
#[derive(Debug, Clone)]
struct Port {
    name: Option<ConnectionName>,
    number: u16,
}

impl FromStr for Port {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, number) = match text.split_once('=') {
            Some((name, number)) => (Some(ConnectionName::new(name).map_err(|error| error.to_string())?), number),
            None => (None, text),
        };
        let number = number.parse().map_err(|_| format!("`{number}` is not a port: write a number up to 65535"))?;
        Ok(Self { name, number })
    }
}

/// A system that is served.
struct Served {
    name: ConnectionName,
    running: Running,
}

impl SimulateCommand {
    /// Serves it.
    pub(crate) async fn run(&self, mut app: App) -> Result<Exit, CliError> {
        let host = app.host()?;
        let world = app.packs(true, None)?.simulators(&host, &self.kind).await;
        let world = world.map_err(|failure| CliError::of_failure(Exit::NotFound, &failure))?;
        let chosen = self.chosen(&world)?;
        let certificate = self.certificate()?;
        let output = app.output;
        let stop = stop::on_signal(move || output.note("stopping; once more to exit at once"));
        let mut served = Vec::new();
        for (name, simulator, port) in chosen {
            let options = Options {
                listen: SocketAddr::new(self.listen, port),
                tls: certificate.clone(),
                limits: app.config.limits.http.clone(),
            };
            let running = serve(simulator, options, CancellationToken::clone(&stop)).await.map_err(|e| refused(&e))?;
            served.push(Served { name, running });
        }
        self.announce(&app.output, &served, certificate.as_ref());
        for Served { running, .. } in served {
            running.finished().await;
        }
        Ok(Exit::Succeeded)
    }

    /// The systems that are asked for, each with its port.
    fn chosen(
        &self,
        world: &BTreeMap<ConnectionName, Simulator>,
    ) -> Result<Vec<(ConnectionName, Simulator, u16)>, CliError> {
        let mut chosen: Vec<(ConnectionName, Simulator, u16)> = Vec::new();
        for port in &self.port {
            let name = port.name.as_ref().map_or(self.kind.as_str(), ConnectionName::as_str);
            let Some((name, simulator)) = world.get_key_value(name) else {
                let message = format!("there is no simulated connection `{name}` of the kind `{}`", self.kind);
                let hint = suggest::hint(name, world.keys().map(ConnectionName::as_str), "there are");
                return Err(CliError::new(Exit::NotFound, code::NET_UNKNOWN_CONNECTION, message).maybe_hint(hint));
            };
            if chosen.iter().any(|(other, ..)| other == name) {
                let message = format!("the connection `{name}` has two ports");
                return Err(CliError::new(Exit::Usage, code::CLI_USAGE, message)
                    .hint("write `--port NAME=PORT` once for each connection"));
            }
            chosen.push((name.clone(), simulator.clone(), port.number));
        }
        Ok(chosen)
    }

    fn certificate(&self) -> Result<Option<Certificate>, CliError> {
        if !self.tls {
            return Ok(None);
        }
        let made = Certificate::for_this_machine(SystemClock.now()).map_err(|error| {
            CliError::new(Exit::Broken, code::HOST_OTHER, "no certificate for TLS").caused_by(&error)
        })?;
        if let Some(path) = &self.cert_out {
            std::fs::write(path, made.authority_pem()).map_err(|error| {
                let message = format!("the certificate cannot be written to `{}`: {error}", path.display());
                CliError::new(Exit::Usage, code::CONF_UNREADABLE, message)
            })?;
        }
        Ok(Some(made))
    }

    fn announce(&self, output: &Output, served: &[Served], certificate: Option<&Certificate>) {
        let kind = &self.kind;
        let pin = certificate.map(|certificate| certificate.pin().to_string());
        if output.json {
            let all: Vec<Value> = served.iter().map(Served::described).collect();
            // The only one, or the first, stands at the top as well.
            let mut value = all.first().cloned().unwrap_or_default();
            if let Some(map) = value.as_object_mut() {
                map.insert("kind".to_owned(), json!(kind));
                map.insert("pin".to_owned(), json!(pin));
                map.insert("certificate".to_owned(), json!(self.cert_out));
                map.insert("connections".to_owned(), json!(all));
            }
            return output.value(&value);
        }
        let tls = pin.map(|pin| format!("tls = {{ pin = \"{pin}\" }}\n")).unwrap_or_default();
        let places: String = served.iter().map(|one| one.place(kind)).collect();
        let settings: String = served.iter().map(|one| one.settings(kind, &tls)).collect();
        output.line(format!(
            "{places}\nTo use it, write into `runner.toml`:\n\n{settings}\
             Add `auth` if the simulated system asks for it. Ctrl-C ends it."
        ));
    }
}

impl Served {
    fn described(&self) -> Value {
        json!({ "connection": self.name, "address": self.running.address(), "url": self.running.url() })
    }

    fn place(&self, kind: &str) -> String {
        let name = if self.name.as_str() == kind { String::new() } else { format!(" as `{}`", self.name) };
        format!("the simulator of `{kind}` listens{name} on {}\n", self.running.url())
    }

    fn settings(&self, kind: &str, tls: &str) -> String {
        let (name, url) = (&self.name, self.running.url());
        format!("[connections.{name}]\nkind = \"{kind}\"\nbase_url = \"{url}\"\n{tls}\n")
    }
}

fn refused(error: &ServeError) -> CliError {
    let ServeError::Listen { address, source } = error;
    let hint = match source.kind() {
        std::io::ErrorKind::AddrInUse => "another process listens there: choose another `--port`, or 0 for a free one",
        std::io::ErrorKind::PermissionDenied => "ports below 1024 need privileges: choose another `--port`",
        _ => "choose an address of this machine with `--listen`",
    };
    CliError::new(Exit::Usage, code::CLI_LISTEN, format!("cannot listen on {address}: {source}")).hint(hint)
}
