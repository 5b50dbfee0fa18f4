//! Builds the components of a Rust pack from source: finds a compiler for WebAssembly, runs it reproducibly, and reads what
//! it made. Used by `runner pack build` and by `cargo xtask build-components`.
//!
//! It reads no environment and writes no component: the caller hands in [`Places`] and gets bytes.

mod cargo;
mod component;
mod error;
mod source;
mod toolchain;

pub use cargo::{Built, Options, build};
pub use component::imports;
pub use error::BuildError;
pub use source::{Source, sources};
pub use toolchain::{Places, TARGET, Toolchain, find};
