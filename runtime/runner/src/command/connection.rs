//! `runner connection`: the endpoints that are configured, and whether they can be reached.

use clap::{Args, Subcommand};
use runner_host::{Connections, TestReport};
use runner_model::{ConnectionName, code};
use serde_json::json;

use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{one_line, table};
use runner_pack::suggest;

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
    /// Resolve, connect, check the certificate, and send one GET with the credentials
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
            What::Test { name } => show(app, &Box::pin(test(app, name)).await?),
        }
        Ok(Exit::Succeeded)
    }
}

fn list(app: &App) {
    let row = |(name, connection): (&ConnectionName, &crate::config::Connection)| {
        let (auth, tls) = connection.summary();
        // A connection that can be used has a credential that can be read.
        let usable = connection.resolve(&app.environment).map(|_| ()).map_err(|error| error.mistakes);
        (name.to_string(), connection.settings.kind.clone(), connection.base_url(), auth, tls, usable)
    };
    let rows = app.config.connections.iter().map(row);
    if app.output.json {
        let all: Vec<_> = rows
            .map(|(name, kind, base_url, auth, tls, usable)| {
                let problem = usable.err().and_then(|mistakes| mistakes.into_iter().next());
                json!({ "name": name, "kind": kind, "base_url": base_url, "auth": auth, "tls": tls, "problem": problem })
            })
            .collect();
        return app.output.value(&all);
    }
    let rows: Vec<_> = rows
        .map(|(name, kind, base_url, auth, tls, usable)| {
            let status = match usable {
                Ok(()) => "ok".to_owned(),
                Err(mistakes) => mistakes.first().map(|mistake| mistake.code.clone()).unwrap_or_default(),
            };
            vec![name, kind, base_url, auth.to_owned(), tls.to_owned(), status]
        })
        .collect();
    if rows.is_empty() {
        return app.output.note("no connections are configured: write `[connections.NAME]` into `runner.toml`");
    }
    app.output.line(table(&app.output, &["name", "kind", "base url", "auth", "tls", "credentials"], rows));
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
    let config = connection.resolve(&app.environment)?;
    let connections = Connections::new(vec![(name.clone(), config)], &app.config.limits)
        .map_err(|failure| CliError::of_failure(Exit::Invalid, &failure))?;
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
    fact("status", report.status.to_string());
    fact("took", format!("{} ms", report.elapsed_ms));
    if let Some(note) = &report.note {
        fact("note", note.clone());
    }
    app.output.line(lines.join("\n"));
}
