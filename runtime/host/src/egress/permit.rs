//! Whether a request may leave: the pack asks for it and the operator granted it. A denial names the line that is missing.

use runner_model::{HttpAsk, HttpTarget};

use super::error::{ErrorKind, NetError};
use crate::attempt::PackContext;
use crate::grant::CurrentGrant;

/// Checks one request against both sides.
pub(super) fn check(pack: &PackContext, ask: &HttpAsk<'_>) -> Result<(), NetError> {
    let name = &pack.pack;
    let what = describe(ask);
    if !pack.permissions.allows(ask) {
        let line = wish(ask);
        return Err(NetError::new(ErrorKind::Denied, format!("the pack `{name}` does not ask for {what}"))
            .with_hint(format!("add to `permissions.http` in the pack's pack.yaml: `- {line}`")));
    }
    // What was taken back holds for attempts that run, too.
    let is_standing = |grant: &CurrentGrant| grant.get().allows(ask);
    if !pack.grant.allows(ask) || !pack.current.as_ref().is_none_or(is_standing) {
        let line = grant(ask);
        let command = command(pack, ask);
        return Err(NetError::new(ErrorKind::Denied, format!("the operator has not granted the pack `{name}` {what}"))
            .with_hint(format!("`{command}`, or add to `http` under `[grants.{name}]` in runner.toml: `{line}`")));
    }
    Ok(())
}

/// The command that grants what the pack asks for where this request goes.
fn command(pack: &PackContext, ask: &HttpAsk<'_>) -> String {
    match &ask.target {
        HttpTarget::Connection { name, .. } => format!("runner pack grant {} --connection {name}", pack.pack),
        HttpTarget::Url(_) => format!("runner pack grant {}", pack.pack),
    }
}

fn describe(ask: &HttpAsk<'_>) -> String {
    let (method, path) = (ask.method, ask.path);
    match &ask.target {
        HttpTarget::Connection { name, kind } => format!("{method} {path} on the connection `{name}` (kind `{kind}`)"),
        HttpTarget::Url(url) => format!("{method} {path} on {}", url.origin().ascii_serialization()),
    }
}

/// The rule that would allow this request and no other, as a pack writes it: YAML, and the kind of the connection.
fn wish(ask: &HttpAsk<'_>) -> String {
    let target = match &ask.target {
        HttpTarget::Connection { kind, .. } => format!("connection: {kind}"),
        HttpTarget::Url(url) => format!("url: \"{}\"", url.origin().ascii_serialization()),
    };
    // A quoted scalar: a path may hold characters that mean something in YAML.
    format!("{{ {target}, methods: [{}], paths: [{}] }}", ask.method, serde_json::Value::from(ask.path))
}

/// The same as the operator writes it: TOML, and the name of the connection.
fn grant(ask: &HttpAsk<'_>) -> String {
    let target = match &ask.target {
        HttpTarget::Connection { name, .. } => format!("connection = \"{name}\""),
        HttpTarget::Url(url) => format!("url = \"{}\"", url.origin().ascii_serialization()),
    };
    // JSON's strings are TOML's, too.
    format!("{{ {target}, methods = [\"{}\"], paths = [{}] }}", ask.method, serde_json::Value::from(ask.path))
}
