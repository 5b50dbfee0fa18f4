#![doc = include_str!("../README.md")]

// The macros name this crate from outside; so must its own tests.
#[cfg(test)]
extern crate self as runner_sdk;

pub mod action;
pub mod clock;
pub mod config;
pub mod context;
pub mod http;
pub mod kv;
pub mod log;
pub mod random;
pub mod sensor;
pub mod simulator;

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod bindings;
mod export;
mod failure;
mod host;
mod json;
#[cfg(all(target_arch = "wasm32", not(target_feature = "atomics"), feature = "allocator"))]
mod memory;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

pub use action::{Action, Entry};
pub use failure::{Failure, Result};
/// Makes an action of a function: an input that can be deserialized, an output that can be serialized, both with a JSON
/// Schema.
///
/// The action is named as the function, or `#[action(name = "…")]`; its doc comment is its description. Without
/// parameters, leave the input out.
///
/// ```
/// use runner_sdk::prelude::*;
///
/// #[derive(Deserialize, JsonSchema)]
/// struct Input {
///     /// Whom to greet.
///     name: String,
/// }
///
/// /// Greets somebody.
/// #[action]
/// fn hello(input: Input) -> Result<String> {
///     Ok(format!("Hello, {}!", input.name))
/// }
///
/// let run = runner_sdk::testing::Host::new().run(hello, json!({ "name": "Ada" }));
/// assert_eq!(run.output(), "Hello, Ada!");
/// ```
///
/// A type without the derives is an error where the type is written:
/// ```compile_fail
/// use runner_sdk::prelude::*;
/// struct Input;
/// #[action]
/// fn hello(input: Input) -> Result<String> {
///     Ok(String::new())
/// }
/// ```
pub use runner_sdk_macros::action;
/// Makes a [`http::Path`] of a text with values: `{}` takes the next argument, `{expression}` stands for itself. Each value
/// is percent-encoded, so that it stays one segment whatever it holds; sending fails if it is empty, `.` or `..`.
///
/// ```
/// use runner_sdk::{http, path};
/// let (volume, snapshot) = ("vol/../1", 7);
/// assert_eq!(path!("/v1/volumes/{volume}/snapshots/{}", snapshot), http::Path::raw("/v1/volumes/vol%2F..%2F1/snapshots/7"));
/// ```
///
/// What is wrong with the text is found by the compiler:
/// ```compile_fail
/// let path = runner_sdk::path!("v1/volumes");
/// ```
/// ```compile_fail
/// let path = runner_sdk::path!("/v1/volumes/{}");
/// ```
/// ```compile_fail
/// let path = runner_sdk::path!("/v1/volumes?name={}", "x");
/// ```
pub use runner_sdk_macros::path;

#[doc(no_inline)]
pub use schemars;
#[doc(no_inline)]
pub use serde;
#[doc(no_inline)]
pub use serde_json;

/// What nearly every action needs.
pub mod prelude {
    pub use schemars::JsonSchema;
    pub use serde::{Deserialize, Serialize};
    pub use serde_json::{Value, json};

    pub use crate::{Failure, Result, action, bail, clock, config, context, http, kv, log, path, random};
}
