//! Which rules share an endpoint: those with the same path, methods, signature and delivery header. The other settings
//! are those of the first of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use runner_pack::{Trigger, Webhook};
use sha2::{Digest, Sha256};

use crate::Endpoint;
use crate::table::Member;

/// The endpoints of these rules, by path.
pub(crate) fn of<'a>(members: impl Iterator<Item = &'a Arc<Member>>) -> BTreeMap<String, Vec<Arc<Endpoint>>> {
    let mut found: BTreeMap<String, Endpoint> = BTreeMap::new();
    for member in members {
        let Trigger::Webhook(webhook) = &member.rule.trigger else { continue };
        let source = source(webhook);
        let endpoint = found.entry(source.clone()).or_insert_with(|| Endpoint {
            webhook: webhook.clone(),
            trigger: member.rule.trigger.reference(),
            source,
            rules: Vec::new(),
        });
        endpoint.rules.push(member.name().clone());
    }
    let mut by_path: BTreeMap<String, Vec<Arc<Endpoint>>> = BTreeMap::new();
    for endpoint in found.into_values() {
        by_path.entry(endpoint.webhook.path.clone()).or_default().push(Arc::new(endpoint));
    }
    by_path
}

/// The source of an endpoint's events: `github#1f5e8c02`. What does not tell one sender from another (the reply, the
/// size of a body) is left out, so that a delivery is known again though that was edited.
fn source(webhook: &Webhook) -> String {
    let mut methods = webhook.methods.clone();
    methods.sort();
    let settings = format!("{methods:?} {:?} {:?}", webhook.auth, webhook.delivery_header);
    let digest = hex::encode(Sha256::digest(settings.as_bytes()));
    format!("{}#{}", webhook.path, digest.get(..8).unwrap_or_default())
}

/// The path in an endpoint's source.
pub(crate) fn path_of(source: &str) -> &str {
    source.rsplit_once('#').map_or(source, |(path, _)| path)
}
