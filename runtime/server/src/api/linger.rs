//! What becomes of the rest of a body that is refused.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use runner_model::limits::WEBHOOK_BODY_BYTES_MAX;

/// How long a body that is refused is listened to: what a sender of megabytes needs, and no more than a nuisance for
/// who waits for the answer before sending.
const LINGER: Duration = Duration::from_secs(2);

/// Lets a body that is refused come to its end, and keeps nothing of it: many senders listen only after they have sent,
/// and a connection that is closed before that takes the answer with it.
pub(super) async fn linger(mut body: Body) {
    let rest = async {
        let mut length = 0;
        while let Some(Ok(frame)) = body.frame().await {
            length += frame.data_ref().map_or(0, Bytes::len);
            if length > WEBHOOK_BODY_BYTES_MAX {
                break;
            }
        }
    };
    // Whether it ends or not, the answer is the same.
    let _ = tokio::time::timeout(LINGER, rest).await;
}
