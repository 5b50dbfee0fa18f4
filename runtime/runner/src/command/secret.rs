//! `runner secret`: values that connections and webhooks use by name. They go in, and never out.

mod place;
mod value;

use clap::{Args, Subcommand};
use runner_model::{SecretName, code};
use runner_server::api::SecretView;
use runner_store::{MustBe, check_secret};
use serde_json::json;

use crate::app::App;
use crate::config::seal;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{one_line, table};
use place::Place;
use value::From;

/// Put secrets in, change and remove them; list them without their values
#[derive(Debug, Args)]
pub(crate) struct SecretCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Give a secret a value, whether or not it has one
    Set(Set),
    /// Give a secret that is there another value, or seal all of them with the current key
    Rotate(Rotate),
    /// List the secrets, never their values
    List,
    /// Remove a secret
    Delete {
        /// Its name
        #[arg(value_parser = name)]
        name: SecretName,
        /// Although connections or webhooks use it
        #[arg(long)]
        force: bool,
    },
    /// The key that seals secrets
    Key {
        #[command(subcommand)]
        what: KeyWhat,
    },
}

#[derive(Debug, Subcommand)]
enum KeyWhat {
    /// Print a new key; it is kept nowhere
    New,
}

/// A value is read from a file, the environment, the standard input or the terminal: never from the command line, where
/// others can see it.
#[derive(Debug, Args)]
struct Set {
    /// Its name: letters, digits, `_` and `-`
    #[arg(value_parser = name)]
    name: SecretName,
    #[command(flatten)]
    from: From,
    /// What it is for, for whoever lists it
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

#[derive(Debug, Args)]
struct Rotate {
    /// Its name
    #[arg(value_parser = name, required_unless_present = "key")]
    name: Option<SecretName>,
    #[command(flatten)]
    from: From,
    /// Seal every secret with the current key that is sealed with an earlier one; the values stay
    #[arg(long, conflicts_with_all = ["name", "from_file", "from_env"])]
    key: bool,
}

fn name(text: &str) -> Result<SecretName, String> {
    SecretName::new(text).map_err(|error| error.to_string())
}

impl SecretCommand {
    /// Does it.
    pub(crate) async fn run(self, app: App) -> Result<Exit, CliError> {
        if let What::Key { what: KeyWhat::New } = &self.what {
            return new_key(&app);
        }
        let place = Place::open(&app).await?;
        let done = match self.what {
            What::Set(Set { name, from, description }) => {
                put(&app, &place, &name, &from, description, MustBe::Whatever).await
            }
            What::Rotate(Rotate { name: Some(name), from, .. }) => {
                put(&app, &place, &name, &from, None, MustBe::There).await
            }
            What::Rotate(_) => reseal(&app, &place).await,
            What::List => list(&app, &place).await,
            What::Delete { name, force } => delete(&app, &place, &name, force).await,
            What::Key { .. } => Ok(()),
        };
        place.close().await;
        done.map_err(|error| app.respelled(error)).map(|()| Exit::Succeeded)
    }
}

fn new_key(app: &App) -> Result<Exit, CliError> {
    let key = seal::new_key().map_err(|error| CliError::new(Exit::Broken, error.code, error.message))?;
    if app.output.json {
        app.output.value(&json!({ "key": key.expose() }));
    } else {
        app.output.line(key.expose());
        app.output
            .note("kept nowhere: put it where `[secrets] key` in runner.toml says, and a copy where backups are not");
    }
    Ok(Exit::Succeeded)
}

async fn put(
    app: &App,
    place: &Place,
    name: &SecretName,
    from: &From,
    description: Option<String>,
    must: MustBe,
) -> Result<(), CliError> {
    // Before anybody is asked for a value.
    place.check(name, must).await?;
    let value = from.read(name, &app.environment)?;
    check_secret(&value).map_err(|(code, message)| CliError::new(Exit::Usage, code, message))?;
    let kept = place.put(name, &value, description, must).await?;
    if app.output.json {
        app.output.value(&kept);
    } else {
        app.output.line(format!("{} version {}", kept.name, kept.version));
    }
    Ok(())
}

async fn reseal(app: &App, place: &Place) -> Result<(), CliError> {
    let secrets = place.reseal().await?;
    if app.output.json {
        app.output.value(&json!({ "secrets": secrets }));
    } else {
        app.output.line(format!("{secrets} sealed with the current key"));
    }
    Ok(())
}

async fn list(app: &App, place: &Place) -> Result<(), CliError> {
    let secrets = place.all(app).await?;
    if app.output.json {
        app.output.value(&secrets);
    } else if secrets.is_empty() {
        app.output.note("no secrets: `runner secret set NAME` puts one in");
    } else {
        let row = |secret: &SecretView| {
            let used_by = if secret.used_by.is_empty() { "-".to_owned() } else { secret.used_by.join(", ") };
            let (version, changed) = (secret.version.to_string(), secret.rotated_at.clone());
            vec![
                secret.name.clone(),
                version,
                changed,
                secret.set_by.clone(),
                used_by,
                one_line(&secret.description, 60),
            ]
        };
        let headings = ["name", "version", "changed", "by", "used by", "description"];
        app.output.line(table(&app.output, &headings, secrets.iter().map(row)));
    }
    Ok(())
}

async fn delete(app: &App, place: &Place, name: &SecretName, force: bool) -> Result<(), CliError> {
    place.delete(app, name, force).await?;
    if app.output.json {
        app.output.value(&json!({ "name": name, "deleted": true }));
    } else {
        app.output.line(format!("{name} removed"));
    }
    Ok(())
}

/// Somebody uses it.
fn in_use(name: &SecretName, users: &[String]) -> CliError {
    let message = format!("the secret `{name}` is used by {}", users.join(", "));
    CliError::new(Exit::Usage, code::SECRET_IN_USE, message)
        .hint("take it out of the configuration first, or remove it all the same with `--force`")
}
