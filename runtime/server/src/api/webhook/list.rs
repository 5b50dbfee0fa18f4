//! `GET /webhooks`: where deliveries can go.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use runner_model::RuleRef;
use runner_pack::{Reply, WebhookAuth};
use runner_triggers::Endpoint;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::access::Principal;
use crate::api::body::Query;
use crate::api::context::Context;
use crate::api::page::{self, Items, PageQuery};
use crate::api::problem::ApiProblem;

/// Where deliveries can go.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(crate) struct WebhookView {
    /// The path below `/api/v1/webhooks/`
    path: String,
    /// Where to send to, on this server
    url: String,
    /// The methods that it takes
    methods: Vec<String>,
    /// Who may deliver: `key`, `none`, or the scheme of the signature
    #[schema(example = "github")]
    auth: &'static str,
    /// The name of the secret in the configuration; null if it has none
    #[schema(required = true)]
    secret: Option<String>,
    /// Whether the secret is configured; null if it has none
    #[schema(required = true)]
    secret_configured: Option<bool>,
    /// How far the time of a signed delivery may be from now, in seconds
    replay_window: u64,
    /// The header that tells deliveries apart, besides the scheme's own; null if there is none
    #[schema(required = true)]
    delivery_header: Option<String>,
    /// A delivery's body, in bytes, at the most
    body_bytes_max: usize,
    /// What is answered: `accepted`, `custom` or `wait`
    reply: &'static str,
    /// The rules that answer it
    rules: Vec<String>,
    /// What sets it apart from others with the same path: the source of its events
    source: String,
}

impl WebhookView {
    fn of(context: &Context, endpoint: &Endpoint, rules: Vec<&RuleRef>) -> Self {
        let hook = &endpoint.webhook;
        let secret = match &hook.auth {
            WebhookAuth::Signature { secret, .. } => Some(secret.clone()),
            WebhookAuth::Key | WebhookAuth::None => None,
        };
        Self {
            path: hook.path.clone(),
            url: format!("/api/v1/webhooks/{}", hook.path),
            methods: hook.methods.clone(),
            auth: hook.auth.as_str(),
            secret_configured: secret.as_deref().map(|name| !(context.options.webhook_secrets)(name).is_empty()),
            secret,
            replay_window: hook.replay_window.as_secs(),
            delivery_header: hook.delivery_header.clone(),
            body_bytes_max: hook.body_bytes_max,
            reply: match hook.reply {
                Reply::Accepted => "accepted",
                Reply::Custom { .. } => "custom",
                Reply::Wait { .. } => "wait",
            },
            rules: rules.into_iter().map(ToString::to_string).collect(),
            source: endpoint.source.clone(),
        }
    }
}

/// Where deliveries can go: the webhooks of rules that are enabled
#[utoipa::path(
    get,
    path = "/api/v1/webhooks",
    tag = "webhooks",
    params(PageQuery),
    responses((status = 200, description = "A page of webhooks, by source", body = Items<WebhookView>))
)]
pub(in crate::api) async fn list_webhooks(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Query(query): Query<PageQuery>,
) -> Result<Json<Items<WebhookView>>, ApiProblem> {
    let limit = page::limit(query.limit)?;
    let endpoints = context.options.triggers.webhook_paths();
    let seen = endpoints.iter().filter_map(|endpoint| {
        let rules: Vec<_> = endpoint.rules.iter().filter(|rule| principal.may_touch(rule.pack())).collect();
        (!rules.is_empty()).then(|| WebhookView::of(&context, endpoint, rules))
    });
    let mut views: Vec<_> = seen.collect();
    views.sort_by(|one, other| one.source.cmp(&other.source));
    Ok(Json(Items::among(views, limit, query.cursor.as_deref(), |view| view.source.clone())))
}
