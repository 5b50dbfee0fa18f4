//! The events that are kept, and the one that is meant.

use runner_model::view::masked;
use runner_model::{Event, EventId, Timestamp, code};
use runner_pack::Library;
use runner_store::{EventFilter, Events as _, SqliteStore, StoreError};
use serde_json::Value;

use crate::app::App;
use crate::command::asked::Asked;
use crate::error::CliError;
use crate::exit::Exit;
use crate::remote::segment;

/// The event with this id, or the newest.
pub(crate) async fn find(app: &App, asked: &Asked, text: &str) -> Result<Event, CliError> {
    if text == "last" {
        let newest = listed(app, asked, &EventFilter::default(), 1).await?;
        return newest.into_iter().next().ok_or_else(|| missing(text));
    }
    let id: EventId = text.parse().map_err(|_| missing(text))?;
    match asked {
        Asked::Daemon(daemon) => {
            let found = daemon.get(&format!("/api/v1/events/{}", segment(&id.to_string())), &[]).await;
            found.map_err(|error| if error.exit == Exit::NotFound { missing(text) } else { error })
        }
        Asked::Here(None) => Err(missing(text)),
        Asked::Here(Some(store)) => match store.event(id).await {
            Ok(event) => Ok(shown(&app.library().0, event)),
            Err(StoreError::NoEvent) => Err(missing(text)),
            Err(error) => Err(error.into()),
        },
    }
}

/// The newest events that the filter admits.
pub(super) async fn listed(
    app: &App,
    asked: &Asked,
    filter: &EventFilter,
    limit: usize,
) -> Result<Vec<Event>, CliError> {
    match asked {
        Asked::Daemon(daemon) => daemon.list("/api/v1/events", &query(filter), limit).await,
        Asked::Here(None) => Ok(Vec::new()),
        Asked::Here(Some(store)) => {
            let events = pages(store, filter, limit).await?;
            let library = &app.library().0;
            Ok(events.into_iter().map(|event| shown(library, event)).collect())
        }
    }
}

async fn pages(store: &SqliteStore, filter: &EventFilter, limit: usize) -> Result<Vec<Event>, CliError> {
    /// Payloads are large: one page at a time is in the hands of the store.
    const PAGE: usize = 200;
    let mut found: Vec<Event> = Vec::new();
    while found.len() < limit {
        let wanted = PAGE.min(limit - found.len());
        let page = store.events(filter, found.last().map(|event| event.id), wanted).await?;
        let is_last = page.len() < wanted;
        found.extend(page);
        if is_last {
            break;
        }
    }
    Ok(found)
}

/// An event as it may be shown: parameters that the actions of today call secret are masked.
fn shown(library: &Library, event: Event) -> Event {
    let mut event = event.masked();
    for one in &mut event.matches {
        let Some((_, action)) = library.action(&one.action) else { continue };
        let parameters = Value::Object(std::mem::take(&mut one.parameters));
        if let Value::Object(parameters) = masked(&parameters, &action.parameters.secret_names()) {
            one.parameters = parameters;
        }
    }
    event
}

fn query(filter: &EventFilter) -> Vec<(&'static str, String)> {
    let moment = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string());
    let all = [
        ("trigger", filter.trigger.as_ref().map(ToString::to_string)),
        ("source", filter.source.clone()),
        ("rule", filter.rule.as_ref().map(ToString::to_string)),
        ("open", filter.open.map(|open| open.to_string())),
        ("after", moment(filter.received_after)),
        ("before", moment(filter.received_before)),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// There is no such event.
pub(super) fn missing(text: &str) -> CliError {
    CliError::new(Exit::NotFound, code::STORE_NO_EVENT, format!("there is no event `{text}`"))
        .hint("list what is kept with `runner event list`")
}
