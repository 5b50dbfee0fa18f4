//! Requests that are made again: `Idempotency-Key`. The key is reserved for an execution before that is begun, with the
//! id it will have; so a request that comes twice, at the same time or after a crash, makes one.

use runner_model::limits::{IDEMPOTENCY_KEPT, IDEMPOTENCY_KEY_CHARS_MAX};
use runner_model::{ActionRef, ExecutionId, code};
use runner_store::{Digest, Reservation};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use http::{HeaderMap, StatusCode};

use super::access::Principal;
use super::context::Context;
use super::executions::Asked;
use super::problem::ApiProblem;

/// What was reserved.
pub(super) struct Reserved {
    /// The execution that it is for.
    pub(super) execution: ExecutionId,
    /// Whether it was asked for before.
    pub(super) is_known: bool,
}

/// Whether a request has a key.
pub(super) fn asks(headers: &HeaderMap) -> bool {
    headers.contains_key(HEADER)
}

const HEADER: &str = "idempotency-key";

/// Reserves, if the request has a key.
pub(super) async fn reserve(
    context: &Context,
    principal: &Principal,
    action: &ActionRef,
    asked: &Asked,
) -> Result<Option<Reserved>, ApiProblem> {
    let Some(given) = asked.headers.get(HEADER) else { return Ok(None) };
    let fits = |key: &&str| {
        (1..=IDEMPOTENCY_KEY_CHARS_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let key = given.to_str().ok().filter(fits);
    let Some(key) = key else {
        let detail = format!("`Idempotency-Key` must be 1 to {IDEMPOTENCY_KEY_CHARS_MAX} visible characters of ASCII");
        return Err(ApiProblem::bad(detail));
    };
    let options = &context.options;
    let (now, digest) = (context.now(), digest(action, asked));
    let kept_ms = i64::try_from(IDEMPOTENCY_KEPT.as_millis()).unwrap_or(i64::MAX);
    let reservation = Reservation {
        scope: principal.scope(),
        key: key.to_owned(),
        digest,
        execution: ExecutionId::new(&*options.clock, &*options.entropy),
        until: now.plus_ms(kept_ms),
    };
    let execution = reservation.execution;
    match options.store.reserve(reservation, now).await? {
        runner_store::Reserved::New => Ok(Some(Reserved { execution, is_known: false })),
        runner_store::Reserved::Known { digest: before, execution } if before == digest => {
            Ok(Some(Reserved { execution, is_known: true }))
        }
        runner_store::Reserved::Known { .. } => {
            let detail = "the `Idempotency-Key` was used for another request within the last 24 hours";
            Err(ApiProblem::new(StatusCode::UNPROCESSABLE_ENTITY, code::API_IDEMPOTENCY, detail)
                .hint("use another key for another request"))
        }
    }
}

/// Of everything that was asked, but not of how long to wait for it.
fn digest(action: &ActionRef, asked: &Asked) -> Digest {
    let all = json!({"action": action, "parameters": asked.parameters});
    Sha256::digest(all.to_string().as_bytes()).into()
}
