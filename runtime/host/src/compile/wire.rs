//! What parent and child say to one another: settings and a component one way, machine code or a reason the other.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

/// The settings' length, in bytes: they are a few numbers.
const SETTINGS_BYTES_MAX: u32 = 4 * 1024;

/// What shapes the engine whose code is made, as far as it can differ between two processes of one program.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Settings {
    pub(super) stack_bytes_max: usize,
}

/// The first byte of an answer: machine code follows.
pub(super) const CODE: u8 = b'+';
/// The first byte of an answer: the reason why there is none follows, as text.
pub(super) const REASON: u8 = b'-';

/// The settings with their length in front: what the parent sends before the component.
pub(super) fn head(settings: &Settings) -> io::Result<Vec<u8>> {
    let body = serde_json::to_vec(settings)?;
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    Ok([&length.to_le_bytes()[..], &body].concat())
}

/// Reads them.
pub(super) fn read_head(input: &mut impl Read) -> io::Result<Settings> {
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > SETTINGS_BYTES_MAX {
        return Err(io::Error::other("the settings are too long"));
    }
    let mut body = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    input.read_exact(&mut body)?;
    Ok(serde_json::from_slice(&body)?)
}

/// Writes an answer.
pub(super) fn answer(output: &mut impl Write, kind: u8, body: &[u8]) -> io::Result<()> {
    output.write_all(&[kind])?;
    output.write_all(body)?;
    output.flush()
}
