//! An event taken once more, as a new one: for whoever has mended a rule.

use std::sync::Arc;

use runner_model::{ActionRef, Event, EventId, Status};
use runner_store::StoreError;

use crate::examine::Occurrence;
use crate::shared::Shared;
use crate::table::{Member, Table};
use crate::{Delivered, TriggerError, endpoint};

impl Shared {
    pub(crate) async fn resend(self: &Arc<Self>, id: EventId) -> Result<Delivered, TriggerError> {
        let event = match self.store().event(id).await {
            Ok(event) => event,
            Err(StoreError::NoEvent) => return Err(TriggerError::UnknownEvent { event: id }),
            Err(error) => return Err(error.into()),
        };
        let members = listeners(&self.table(), &event);
        let occurrence = Occurrence {
            trigger: event.trigger,
            source: event.source,
            key: None,
            payload: Arc::new(event.payload),
            occurred_at: event.occurred_at,
            trace_parent: event.trace_parent,
            chain: event.chain,
            sealed: event.sealed,
        };
        self.take(occurrence, members).await
    }
}

/// The rules that would look at the event if it came now. The endpoint of a delivery may have other settings by now.
fn listeners(table: &Table, event: &Event) -> Vec<Arc<Member>> {
    match event.trigger.as_str() {
        "core.webhook" => {
            let same = table.endpoints().find(|endpoint| endpoint.source == event.source);
            match same {
                Some(endpoint) => table.enabled(&endpoint.rules),
                None => {
                    let endpoints = table.endpoints_at(endpoint::path_of(&event.source));
                    table.enabled(endpoints.iter().flat_map(|endpoint| &endpoint.rules))
                }
            }
        }
        "core.cron" | "core.interval" | "core.date" => {
            table.rule(&event.source).filter(|member| member.enabled).into_iter().cloned().collect()
        }
        "core.execution_finished" => {
            let text = |key: &str| event.payload.get(key).and_then(serde_json::Value::as_str);
            let action = text("action").and_then(|action| action.parse::<ActionRef>().ok());
            let status = text("status");
            let status = Status::ALL.into_iter().find(|known| Some(known.as_str()) == status);
            action.zip(status).map(|(action, status)| table.waiting_for_end(&action, status)).unwrap_or_default()
        }
        _ => table.waiting_for(&event.trigger, &event.payload),
    }
}
