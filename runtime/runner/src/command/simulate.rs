//! `runner simulate`: serves a simulated system on a socket, for clients that are not runner.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use runner_model::{Clock as _, SystemClock, code};
use runner_server::{Certificate, Options, Running, ServeError, serve};
use serde_json::json;

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
    /// The port to listen on; 0 takes a free one
    #[arg(long)]
    port: u16,
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

impl SimulateCommand {
    /// Serves it.
    pub(crate) async fn run(&self, mut app: App) -> Result<Exit, CliError> {
        let host = app.host()?;
        let simulator = app.packs(true)?.simulator_for(&host, &self.kind).await;
        let simulator = simulator.map_err(|failure| CliError::of_failure(Exit::NotFound, &failure))?;
        let certificate = self.certificate()?;
        let output = app.output;
        let stop = stop::on_signal(move || output.note("stopping; once more to exit at once"));
        let options = Options {
            listen: SocketAddr::new(self.listen, self.port),
            tls: certificate.clone(),
            limits: app.config.limits.http.clone(),
        };
        let running = serve(simulator, options, stop).await.map_err(|error| refused(&error))?;
        self.announce(&app.output, &running, certificate.as_ref());
        running.finished().await;
        Ok(Exit::Succeeded)
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

    fn announce(&self, output: &Output, running: &Running, certificate: Option<&Certificate>) {
        let (url, kind) = (running.url(), &self.kind);
        let pin = certificate.map(|certificate| certificate.pin().to_string());
        if output.json {
            let (address, cert) = (running.address(), self.cert_out.as_ref());
            output.value(&json!({ "kind": kind, "address": address, "url": url, "pin": pin, "certificate": cert }));
            return;
        }
        let tls = pin.map(|pin| format!("tls = {{ pin = \"{pin}\" }}\n")).unwrap_or_default();
        output.line(format!(
            "the simulator of `{kind}` listens on {url}\n\nTo use it, write into `runner.toml`:\n\n\
             [connections.{kind}]\nkind = \"{kind}\"\nbase_url = \"{url}\"\n{tls}\n\
             Add `auth` if the simulated system asks for it. Ctrl-C ends it."
        ));
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
