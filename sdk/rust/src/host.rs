//! The seam to the host: the same functions from the WIT bindings in a component, and from a fake in native tests.
//!
//! Everything above it speaks only the SDK's own types.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crate::testing::seam::*;
#[cfg(target_arch = "wasm32")]
pub(crate) use guest::*;

#[cfg(target_arch = "wasm32")]
mod guest;
