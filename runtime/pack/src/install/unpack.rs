//! The one door to archives: the bytes of a tar.gz become files in a directory that is made for them.

use std::io::{self, BufRead as _, Read};

use flate2::bufread::GzDecoder;
use runner_model::limits;

use super::Refusal;
use super::entries::{Entries, Entry, damaged};
use super::stage::Stage;

/// Unpacks an archive. Hidden files are left out.
pub(super) fn unpack(archive: &[u8], stage: &mut Stage) -> Result<(), Refusal> {
    let packed = u64::try_from(archive.len()).unwrap_or(u64::MAX);
    if packed > limits::PACK_ARCHIVE_BYTES_MAX {
        return Err(Refusal::large(format!(
            "the archive is {packed} bytes, at most {} are allowed",
            limits::PACK_ARCHIVE_BYTES_MAX
        )));
    }
    let mut decoder = GzDecoder::new(archive);
    let mut entries = Entries::new(Capped { reader: &mut decoder, left: unpacked_max(archive), packed });
    while let Some(entry) = entries.next()? {
        match entry {
            Entry::Directory(None) => {}
            Entry::Directory(Some(name)) => stage.directory(&name)?,
            Entry::File(name, size) => stage.file(&name, size, |buffer| entries.read(buffer))?,
        }
    }
    // A second stream behind the first is seen by one program and not by another.
    match decoder.into_inner().fill_buf() {
        Ok([]) => Ok(()),
        Ok(_) => Err(Refusal::archive("something follows the end of the archive")),
        Err(error) => Err(damaged(&error)),
    }
}

/// How many bytes the files of an archive may be together.
pub(super) fn files_max(archive: &[u8]) -> u64 {
    let packed = u64::try_from(archive.len()).unwrap_or(u64::MAX);
    let allowed = packed.saturating_mul(limits::PACK_ARCHIVE_RATIO_MAX);
    allowed.clamp(limits::PACK_ARCHIVE_RATIO_FROM, limits::PACK_UNPACKED_BYTES_MAX)
}

/// How much may come out of an archive, headers included.
fn unpacked_max(archive: &[u8]) -> u64 {
    /// A header, and the rest of its content's last block.
    const OVERHEAD_BYTES: u64 = 1024;
    let entries = u64::try_from(limits::PACK_ENTRIES_MAX).unwrap_or(0);
    files_max(archive).saturating_add(entries.saturating_mul(OVERHEAD_BYTES))
}

/// Reads no more than so much.
struct Capped<R> {
    reader: R,
    left: u64,
    packed: u64,
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        match self.left.checked_sub(u64::try_from(read).unwrap_or(0)) {
            Some(left) => {
                self.left = left;
                Ok(read)
            }
            None => {
                let message = format!("more comes out of the archive than its {} bytes allow", self.packed);
                Err(io::Error::new(io::ErrorKind::QuotaExceeded, message))
            }
        }
    }
}
