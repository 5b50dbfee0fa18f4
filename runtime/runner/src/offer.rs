//! Actions as they are offered to whoever wants to run them: by the packs of this machine, or by a daemon.

use runner_model::{ActionRef, code};
use runner_pack::{Action, Body, Parameters, suggest};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::command::not_loaded;
use crate::error::CliError;
use crate::exit::Exit;
use crate::remote::{Remote, segment};

/// An action, without what runs it.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    /// Its name.
    pub(crate) reference: ActionRef,
    /// What it takes.
    pub(crate) parameters: Parameters,
    /// Everything that is said of it, as JSON.
    pub(crate) described: Value,
}

impl Offer {
    /// An action of a pack that is here.
    pub(crate) fn of(action: &Action) -> Self {
        Self { reference: action.reference.clone(), parameters: action.parameters.clone(), described: describe(action) }
    }

    /// An action as a daemon describes it; none if that cannot be understood.
    fn read(described: Value) -> Option<Self> {
        let reference = described.get("ref")?.as_str()?.parse().ok()?;
        let parameters = Parameters::from_json_schema(described.get("parameters")?)?;
        Some(Self { reference, parameters, described })
    }

    /// What it does.
    pub(crate) fn description(&self) -> &str {
        self.text("description")
    }

    /// What runs it, in a word.
    pub(crate) fn kind(&self) -> &str {
        self.text("runner_type")
    }

    /// Whether it is a workflow.
    pub(crate) fn is_workflow(&self) -> bool {
        self.kind() == "workflow"
    }

    /// A text of its description; empty if there is none.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.described.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// A flag of its description.
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.described.get(key) == Some(&Value::Bool(true))
    }
}

/// An action as JSON.
fn describe(action: &Action) -> Value {
    let tags: Vec<_> = action.tags.iter().map(|tag| json!({ "name": tag.name, "value": tag.value })).collect();
    let mut described = json!({
        "ref": action.reference,
        "pack": action.reference.pack(),
        "name": action.reference.name(),
        "description": action.description,
        "enabled": action.enabled,
        "runner_type": kind(action),
        "idempotent": action.idempotent.is_always(),
        "timeout": action.timeout.map(|timeout| timeout.as_secs_f64()),
        "tags": tags,
        "parameters": action.parameters.json_schema(),
        "output_schema": action.output_schema,
        "source": action.source,
    });
    if let (Body::Wasm { component, function }, Some(map)) = (&action.body, described.as_object_mut()) {
        map.insert("entry_point".to_owned(), format!("{component}#{function}").into());
    }
    if let (Some(condition), Some(map)) = (action.idempotent.condition(), described.as_object_mut()) {
        map.insert("idempotent_where".to_owned(), json!(condition));
    }
    described
}

const fn kind(action: &Action) -> &'static str {
    match action.body {
        Body::Wasm { .. } => "wasm",
        Body::Noop => "noop",
        Body::Inquiry => "inquiry",
        Body::WaitFor => "wait_for",
        Body::Workflow(_) => "workflow",
    }
}

/// More actions than any daemon has.
const ALL: usize = 1_000_000;

/// What a daemon offers: all of it, or what is in one pack.
pub(crate) async fn offers(remote: &Remote, pack: Option<&str>) -> Result<Vec<Offer>, CliError> {
    let query: Vec<_> = pack.iter().map(|pack| ("pack", (*pack).to_owned())).collect();
    let listed: Vec<Value> = remote.list("/api/v1/actions", &query, ALL).await?;
    Ok(listed.into_iter().filter_map(Offer::read).collect())
}

/// The action with this name that a daemon offers.
pub(crate) async fn offered(remote: &Remote, name: &str) -> Result<Offer, CliError> {
    let reference: Result<ActionRef, _> = name.parse();
    let found = match &reference {
        Ok(action) => remote.get::<Value>(&format!("/api/v1/actions/{}", segment(action.as_str())), &[]).await,
        Err(error) => Err(CliError::new(Exit::Usage, code::EXEC_UNKNOWN_ACTION, error.to_string())),
    };
    let error = match found {
        Ok(described) => {
            let unread = || {
                let message = format!("{} describes `{name}` in words that cannot be read", remote.name());
                CliError::new(Exit::Broken, code::CLI_REMOTE, message).hint("is it a `runner serve` of this version?")
            };
            return Offer::read(described).ok_or_else(unread);
        }
        Err(error) if error.exit == Exit::NotFound || reference.is_err() => error,
        Err(error) => return Err(error),
    };
    if let Ok(action) = &reference {
        if let Some(mistakes) = mistakes(remote, action.pack()).await? {
            return Err(not_loaded(action.pack(), mistakes));
        }
        let message = format!("there is no action `{action}`");
        let error = CliError::new(Exit::NotFound, code::EXEC_UNKNOWN_ACTION, message);
        return Err(error.hint(hint(remote, name).await?));
    }
    Err(error.hint(hint(remote, name).await?))
}

/// What to do about a name that nothing has.
async fn hint(remote: &Remote, name: &str) -> Result<String, CliError> {
    let all = offers(remote, None).await?;
    Ok(match suggest::nearest(name, all.iter().map(|offer| offer.reference.as_str())) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("{} has its own packs; see `runner action list`", remote.name()),
    })
}

/// How many mistakes keep a pack from being used there; none if it is used, or not there.
async fn mistakes(remote: &Remote, pack: &str) -> Result<Option<usize>, CliError> {
    #[derive(Deserialize)]
    struct Found {
        #[serde(default)]
        version: Option<String>,
        mistakes: usize,
    }
    match remote.get::<Found>(&format!("/api/v1/packs/{}", segment(pack)), &[]).await {
        Ok(found) => Ok((found.version.is_none() && found.mistakes > 0).then_some(found.mistakes)),
        Err(error) if error.exit == Exit::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
