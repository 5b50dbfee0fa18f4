//! Files that are part of the binary, so that a pack can be made where there is no checkout of runner. Gathered by
//! `build.rs`.

/// A file: its path, with `/`, and its text.
pub(crate) type File = (&'static str, &'static str);

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
