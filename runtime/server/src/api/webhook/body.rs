//! A delivery's body, read up to what its webhook takes. What is read at the same time by all of them is bounded too.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;
use runner_model::code;
use runner_model::limits::{LISTEN_BODY, WEBHOOK_BODIES_BYTES_MAX};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::api::linger::linger;
use crate::api::problem::ApiProblem;

/// Space for bodies, in KiB. Anybody can send one: it is the signature over all of it that says who it was.
static SPACE: Semaphore = Semaphore::const_new(WEBHOOK_BODIES_BYTES_MAX / KIB);
const KIB: usize = 1024;

/// A body, and the space that it takes until it is dropped.
pub(super) struct Whole {
    bytes: Bytes,
    _space: Option<SemaphorePermit<'static>>,
}

impl Whole {
    /// The bytes as they came.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads a body of at most `bytes_max` bytes: not one frame more is kept.
pub(super) async fn read(headers: &HeaderMap, body: Body, bytes_max: usize) -> Result<Whole, ApiProblem> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let is_asking = headers.contains_key(header::EXPECT);
    if declared.is_some_and(|length| usize::try_from(length).is_ok_and(|length| length > bytes_max)) {
        if !is_asking {
            linger(body).await;
        }
        return Err(too_large(bytes_max));
    }
    match tokio::time::timeout(LISTEN_BODY, collect(body, bytes_max)).await {
        Ok(whole) => whole,
        Err(_) => {
            let detail = format!("the body did not come within {} s", LISTEN_BODY.as_secs());
            Err(ApiProblem::new(StatusCode::REQUEST_TIMEOUT, code::API_SLOW, detail))
        }
    }
}

async fn collect(mut body: Body, bytes_max: usize) -> Result<Whole, ApiProblem> {
    let (mut bytes, mut space) = (Bytes::new(), None);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiProblem::bad("the body cannot be read to its end"))?;
        // Trailers are no part of what is signed.
        let Ok(data) = frame.into_data() else { continue };
        let length = bytes.len().saturating_add(data.len());
        if length > bytes_max {
            drop((bytes, space));
            linger(body).await;
            return Err(too_large(bytes_max));
        }
        take(&mut space, length)?;
        bytes = joined(bytes, data);
    }
    Ok(Whole { bytes, _space: space })
}

/// What came until now and what came then. Most bodies come in one piece, which stays where it is.
fn joined(bytes: Bytes, data: Bytes) -> Bytes {
    if bytes.is_empty() {
        return data;
    }
    let mut all = BytesMut::from(bytes);
    all.extend_from_slice(&data);
    all.freeze()
}

/// Takes space for a body of `length` bytes, on top of what it has.
fn take(space: &mut Option<SemaphorePermit<'static>>, length: usize) -> Result<(), ApiProblem> {
    let had = space.as_ref().map_or(0, SemaphorePermit::num_permits);
    let more = length.div_ceil(KIB).saturating_sub(had);
    let permit = SPACE.try_acquire_many(u32::try_from(more).unwrap_or(u32::MAX)).map_err(|_| {
        let detail = "more deliveries come in at the same time than there is space for";
        ApiProblem::new(StatusCode::TOO_MANY_REQUESTS, code::EXEC_FULL, detail).retry_after(AGAIN)
    })?;
    match space {
        Some(space) => space.merge(permit),
        None => *space = Some(permit),
    }
    Ok(())
}

/// When to try again: bodies come and go within a second.
const AGAIN: Duration = Duration::from_secs(1);

/// The body is larger than the webhook takes.
pub(super) fn too_large(bytes_max: usize) -> ApiProblem {
    let detail = format!("the body is larger than the {bytes_max} bytes that the webhook takes");
    ApiProblem::new(StatusCode::PAYLOAD_TOO_LARGE, code::API_TOO_LARGE, detail)
        .hint("the rule can allow up to 25 MiB with `body_max`")
}
