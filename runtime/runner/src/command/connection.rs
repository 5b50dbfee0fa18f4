//! `runner connection`: the endpoints that are configured, and whether they can be reached.

use clap::{Args, Subcommand};
use runner_host::TestReport;
use runner_model::{ConnectionName, code};
use serde_json::{Value, json};

use crate::app::App;
use crate::config::{Connection, Sources};
use crate::error::{CliError, Mistake};
use crate::exit::Exit;
use crate::output::{one_line, table};
use crate::stored::connection_user;
use runner_pack::suggest;
use runner_store::Store;
use std::collections::BTreeMap;
use std::sync::Arc;

/// List connections, or test one
#[derive(Debug, Args)]
pub(crate) struct ConnectionCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the connections that are configured
    List,
    /// Resolve, connect, check the certificate, get an access token, and send one GET with the credentials
    Test {
        /// The connection's name
        name: String,
    },
}

impl ConnectionCommand {
    /// Does it.
    pub(crate) async fn run(&self, app: &App) -> Result<Exit, CliError> {
        match &self.what {
            What::List => list(app),
            What::Test { name } => {
                let report = Box::pin(test(app, name)).await?;
                show(app, &report);
                if !report.ok {
                    return Ok(Exit::Failed);
                }
            }
        }
        Ok(Exit::Succeeded)
    }
}

/// A connection as it is configured, and whether what it names can be read.
struct Line<'a> {
    name: &'a str,
    kind: &'a str,
    base_url: String,
    auth: &'static str,
    client_certificate: bool,
    tls: &'static str,
    problem: Option<Mistake>,
}

fn list(app: &App) {
    let line = |(name, connection)| {
        let (name, connection): (&ConnectionName, &Connection) = (name, connection);
        let (auth, tls) = connection.summary();
        // A connection that can be used has a credential that can be read.
        let usable = connection.resolve(&Sources::shown(app.environment)).map(|_| ()).map_err(|error| error.mistakes);
        Line {
            name: name.as_str(),
            kind: &connection.settings.kind,
            base_url: connection.base_url(),
            auth,
            client_certificate: connection.has_client_certificate(),
            tls,
            problem: usable.err().and_then(|mistakes| mistakes.into_iter().next()),
        }
    };
    let lines: Vec<_> = app.config.connections.iter().map(line).collect();
    if app.output.json {
        let all: Vec<_> = lines.iter().map(Line::json).collect();
        return app.output.value(&all);
    }
    if lines.is_empty() {
        return app.output.note("no connections are configured: write `[connections.NAME]` into `runner.toml`");
    }
    let rows: Vec<_> = lines.into_iter().map(Line::row).collect();
    app.output.line(table(&app.output, &["name", "kind", "base url", "auth", "tls", "credentials"], rows));
}

impl Line<'_> {
    fn json(&self) -> Value {
        json!({
            "name": self.name, "kind": self.kind, "base_url": self.base_url, "auth": self.auth,
            "client_certificate": self.client_certificate, "tls": self.tls, "problem": self.problem,
        })
    }

    fn row(self) -> Vec<String> {
        let auth = match (self.auth, self.client_certificate) {
            ("none", true) => "certificate".to_owned(),
            (auth, true) => format!("{auth}, certificate"),
            (auth, false) => auth.to_owned(),
        };
        let status = self.problem.map_or_else(|| "ok".to_owned(), |mistake| mistake.code);
        vec![self.name.to_owned(), self.kind.to_owned(), self.base_url, auth, self.tls.to_owned(), status]
    }
}

async fn test(app: &App, name: &str) -> Result<TestReport, CliError> {
    let Some((name, connection)) = app.config.connections.iter().find(|(known, _)| known.as_str() == name) else {
        let known = app.config.connections.keys().map(ConnectionName::as_str);
        let hint = suggest::hint(name, known, "configured are");
        return Err(CliError::new(
            Exit::NotFound,
            code::NET_UNKNOWN_CONNECTION,
            format!("there is no connection `{name}`"),
        )
        .hint(hint.unwrap_or_else(|| format!("write `[connections.{name}]` into `runner.toml`"))));
    };
    let (library, _) = app.library();
    let names = connection.settings.stored_secrets();
    let stored = if names.is_empty() {
        BTreeMap::new()
    } else {
        let store: Arc<dyn Store> = Arc::new(app.store().await?);
        app.stored_secrets(store, &App::node()).open(&names, &connection_user(name)).await?
    };
    let config = connection.resolve(&Sources::with(app.environment, &stored))?;
    let connections = app.made(vec![(name.clone(), config)], library)?;
    connections.test(name.as_str()).await.map_err(|failure| CliError::of_failure(Exit::Failed, &failure))
}

fn show(app: &App, report: &TestReport) {
    if app.output.json {
        return app.output.value(report);
    }
    let mut lines = Vec::new();
    let mut fact = |name: &str, value: String| lines.push(format!("{name:<12} {value}"));
    fact("connection", report.connection.name.clone());
    if let Some(url) = &report.connection.base_url {
        fact("base url", url.to_string());
    }
    fact("addresses", report.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    if let Some(certificate) = &report.certificate {
        fact("certificate", one_line(&certificate.subject, 200));
        fact("issuer", one_line(&certificate.issuer, 200));
        fact("expires", certificate.expires.clone());
        fact("pin", certificate.sha256.clone());
    }
    if let Some(token) = &report.token {
        let life = token.expires_in.map(|seconds| format!(", good for {seconds} s")).unwrap_or_default();
        fact("token", format!("granted by {}{life}", token.endpoint));
    }
    fact("status", format!("{} for GET {}", report.status, report.path));
    fact("took", format!("{} ms", report.elapsed_ms));
    if let Some(note) = &report.note {
        fact("note", note.clone());
    }
    if let Some(hint) = &report.hint {
        fact("hint", hint.clone());
    }
    app.output.line(lines.join("\n"));
}
