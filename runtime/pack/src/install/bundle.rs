//! The archive of a pack that [`super::Place::unpack`] takes: the same bytes for the same files, on every machine.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use flate2::{Compression, GzBuilder};
use runner_model::limits;
use tar::{EntryType, Header};

use super::collect::collect;
use super::stage::Stage;
use super::unpack::{files_max, unpack};
use super::{InstallError, Refusal};
use crate::Pack;
use crate::digest::{Sum, sum};

/// 2000-01-01: the time of every file. At the beginning of time itself some programs warn.
const TIME: u64 = 946_684_800;

/// The archive of a pack: its files below one directory of its name, sorted, without owners and with the same time and rights.
/// Hidden files are left out.
///
/// # Errors
/// Something in its directory is not fit to be installed.
pub fn bundle(pack: &Pack) -> Result<Vec<u8>, InstallError> {
    let mut stage = Stage::nowhere(limits::PACK_UNPACKED_BYTES_MAX);
    let refusals = collect(&pack.directory, &mut stage);
    if !refusals.is_empty() {
        return Err(InstallError::Refused(refusals));
    }
    let mut gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    for (path, expected) in stage.sums() {
        let file = pack.directory.join(&path);
        let bytes = read(&file, &expected).map_err(InstallError::io(&file))?;
        let name = format!("{}/{path}", pack.reference());
        append(&mut gzip, &name, &bytes).map_err(InstallError::io(&file))?;
    }
    // Two empty blocks are the end.
    let finished = gzip.write_all(&[0; 1024]).and_then(|()| gzip.finish());
    let archive = finished.map_err(InstallError::io(&pack.directory))?;
    // Nothing is handed out that nobody could install.
    unpack(&archive, &mut Stage::nowhere(files_max(&archive)))?;
    Ok(archive)
}

fn read(path: &Path, expected: &Sum) -> io::Result<Vec<u8>> {
    let bytes = fs::read(path)?;
    match sum(&bytes) == *expected {
        true => Ok(bytes),
        false => Err(io::Error::new(io::ErrorKind::InvalidData, "it has changed just now")),
    }
}

fn append(archive: &mut impl io::Write, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_path(name).map_err(|_| {
        let refusal = Refusal::large(format!("the path `{name}` is too long for an archive"));
        io::Error::new(io::ErrorKind::InvalidInput, refusal.message)
    })?;
    header.set_entry_type(EntryType::Regular);
    header.set_size(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(TIME);
    header.set_cksum();
    archive.write_all(header.as_bytes())?;
    archive.write_all(bytes)?;
    let over = bytes.len() % 512;
    if over > 0 {
        archive.write_all(&vec![0; 512 - over])?;
    }
    Ok(())
}
