//! A fake host, so that actions are tested natively, without WebAssembly.
//!
//! ```
//! use runner_sdk::prelude::*;
//! use runner_sdk::testing::Host;
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Input {
//!     volume: String,
//! }
//!
//! #[derive(Serialize, Deserialize, JsonSchema)]
//! struct Output {
//!     used_percent: f64,
//! }
//!
//! /// Reads how full a volume is.
//! #[action]
//! fn get_volume(input: Input) -> Result<Output> {
//!     http::get("array", path!("/v1/volumes/{}", input.volume)).send()?.ok()?.json()
//! }
//!
//! let run = Host::new()
//!     .on("GET", "array", "/v1/volumes/v1", 200, json!({ "used_percent": 91.5, "size": 7 }))
//!     .run(get_volume, json!({ "volume": "v1" }));
//! assert_eq!(run.output(), json!({ "used_percent": 91.5 }));
//! assert_eq!(run.requests.len(), 1);
//! ```
//!
//! The fake is strict: a request that the test did not expect panics. Whether a permission covers a request is the host's
//! business and is not checked here.

#![allow(clippy::panic, reason = "a fake reports a failed test by panicking")]

mod host;
mod run;
pub(crate) mod seam;
mod state;

pub use host::{Host, Testable};
pub use run::{LogLine, Run, Sent};
