//! `runner key`: who may use the API, and for what.

mod keys;

use clap::{Args, Subcommand};
use jiff::{Span, SpanRelativeTo, Unit};
use runner_model::{ApiKey, Clock as _, KeyId, PackRef, Role, SystemClock, Timestamp, code};
use serde_json::json;

use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::table;
use keys::{Keys, Made};

/// Make, list and revoke keys to the API
#[derive(Debug, Args)]
pub(crate) struct KeyCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a key; its secret is shown once, now
    Create(Create),
    /// List the keys, without their secrets
    List,
    /// Take a key back; it opens nothing from then on
    Revoke {
        /// Its id, the beginning of it, or its name
        key: String,
    },
}

#[derive(Debug, Args)]
struct Create {
    /// What people call it, such as `ci` or the name of who has it
    name: String,
    /// What it is good for: `viewer` looks, `operator` also runs and answers, `admin` does everything
    #[arg(long, default_value_t = Role::Operator)]
    role: Role,
    /// Only for these packs; may be given several times
    #[arg(long = "pack", value_name = "PACK", value_parser = pack)]
    only: Vec<PackRef>,
    /// When it ends by itself, such as `90d` or `12h`
    #[arg(long, value_name = "DURATION", value_parser = lifetime_ms)]
    expires: Option<i64>,
}

fn pack(text: &str) -> Result<PackRef, String> {
    PackRef::new(text).map_err(|error| error.to_string())
}

/// Reads `90d`, `12h`, `1h 30m`, in milliseconds.
pub(super) fn lifetime_ms(text: &str) -> Result<i64, String> {
    let span: Span = text.parse().map_err(|_| "write a duration such as `90d` or `12h`".to_owned())?;
    let days = SpanRelativeTo::days_are_24_hours();
    let millis = span.total((Unit::Millisecond, days)).map_err(|_| "write it in days or hours".to_owned())?;
    if !(1.0..=1e14).contains(&millis) {
        return Err("it lies in the future, within some thousand years".to_owned());
    }
    #[allow(clippy::cast_possible_truncation, reason = "it was just compared")]
    Ok(millis as i64)
}

impl KeyCommand {
    /// Does it.
    pub(crate) async fn run(self, app: App) -> Result<Exit, CliError> {
        let keys = Keys::open(&app).await?;
        let done = match self.what {
            What::Create(create) => create.run(&app, &keys).await,
            What::List => list(&app, &keys).await,
            What::Revoke { key } => revoke(&app, &keys, &key).await,
        };
        keys.close().await;
        done.map(|()| Exit::Succeeded)
    }
}

impl Create {
    async fn run(self, app: &App, keys: &Keys) -> Result<(), CliError> {
        let expires_at = self.expires.map(|millis| SystemClock.now().plus_ms(millis));
        let packs = (!self.only.is_empty()).then_some(self.only);
        let Made { secret, key } = keys.make(self.name, self.role, packs, expires_at).await?;
        if app.output.json {
            app.output.value(&json!({ "secret": secret, "key": key }));
        } else {
            app.output.line(secret);
            app.output.note("shown once: keep it where secrets are kept; clients send `Authorization: Bearer …`");
        }
        Ok(())
    }
}

async fn list(app: &App, keys: &Keys) -> Result<(), CliError> {
    let keys = keys.all().await?;
    if app.output.json {
        app.output.value(&keys);
    } else if keys.is_empty() {
        app.output.note("no keys: on the loopback none is needed");
    } else {
        let now = SystemClock.now();
        let headings = ["id", "name", "role", "packs", "state", "last used"];
        app.output.line(table(&app.output, &headings, keys.iter().map(|key| row(key, now))));
    }
    Ok(())
}

fn row(key: &ApiKey, now: Timestamp) -> Vec<String> {
    let packs = key
        .packs
        .as_ref()
        .map_or_else(|| "all".to_owned(), |packs| packs.iter().map(PackRef::as_str).collect::<Vec<_>>().join(", "));
    let state = match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {at}"),
        (None, Some(end)) if end <= now => format!("expired {end}"),
        (None, Some(end)) => format!("until {end}"),
        (None, None) => "valid".to_owned(),
    };
    let used = key.last_used_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    vec![key.id.to_string(), key.name.clone(), key.role.to_string(), packs, state, used]
}

async fn revoke(app: &App, keys: &Keys, text: &str) -> Result<(), CliError> {
    let id = identify(&keys.all().await?, text)?;
    let Some(key) = keys.revoke(id).await? else { return Err(not_found(text)) };
    if app.output.json {
        app.output.value(&key);
    } else {
        app.output.line(format!("{} revoked", key.id));
    }
    Ok(())
}

/// The key that is meant: one with this id, an id that begins so, or this name.
fn identify(keys: &[ApiKey], text: &str) -> Result<KeyId, CliError> {
    let named = |key: &&ApiKey| key.name == text && key.revoked_at.is_none();
    let begins = |key: &&ApiKey| text.len() >= 4 && key.id.to_string().starts_with(text);
    let mut found: Vec<_> = keys.iter().filter(named).collect();
    if found.is_empty() {
        found = keys.iter().filter(begins).collect();
    }
    match found.as_slice() {
        [] => Err(not_found(text)),
        [key] => Ok(key.id),
        several => {
            let ids: Vec<_> = several.iter().map(|key| key.id.to_string()).collect();
            let message = format!("several keys are called `{text}`");
            Err(CliError::new(Exit::Usage, code::CLI_USAGE, message).hint(format!("one of {}", ids.join(", "))))
        }
    }
}

fn not_found(text: &str) -> CliError {
    CliError::new(Exit::NotFound, code::CLI_NOT_FOUND, format!("there is no key `{text}`"))
        .hint("list them with `runner key list`")
}

#[cfg(test)]
mod tests {
    use runner_model::SystemEntropy;
    use runner_server::new_key;

    use super::*;

    #[test]
    fn lifetimes_are_read_as_people_write_them() {
        assert_eq!(lifetime_ms("90d"), Ok(90 * 24 * 60 * 60 * 1000));
        assert_eq!(lifetime_ms("1h 30m"), Ok(90 * 60 * 1000));
        for wrong in ["", "soon", "-1d", "0s", "1mo"] {
            assert!(lifetime_ms(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_is_found_by_its_name_before_its_id_and_never_by_chance() {
        let make = |name: &str| new_key(&SystemEntropy, &SystemClock, name.to_owned(), Role::Viewer, None, None).1;
        let keys = [make("ci"), make("ci"), make("ops")];
        assert_eq!(identify(&keys, "ops").unwrap(), keys[2].id);
        assert_eq!(identify(&keys, &keys[0].id.to_string()).unwrap(), keys[0].id);
        assert_eq!(identify(&keys, "ci").unwrap_err().exit, Exit::Usage);
        assert_eq!(identify(&keys, "").unwrap_err().exit, Exit::NotFound);
    }
}
