//! The entries of a tar archive, one after the other: files and directories, and nothing else.
//!
//! Only headers of POSIX and GNU tar with a right checksum count, and an archive ends as it should: with two empty blocks,
//! and nothing behind them. What a field of a header means is known to the crate `tar`; **what follows from it is decided
//! here**, so no entry is ever unpacked by the rules of another program.

use std::io::{ErrorKind, Read};

use runner_model::limits;
use tar::Header;

use super::Refusal;
use super::name::Name;
use super::pax::{self, Pax};

const BLOCK_BYTES: usize = 512;
/// A header that says more of an entry, in bytes: its path, and attributes that macOS puts there.
const EXTENSION_BYTES_MAX: u64 = 16 * 1024;
/// Empty blocks behind the end, in bytes: tape drives wrote whole records.
const PADDING_BYTES_MAX: usize = 1024 * 1024;

/// An entry. Its content is read before the next one.
#[derive(Debug)]
pub(super) enum Entry {
    /// A file of so many bytes.
    File(Name, u64),
    /// A directory; none is that of the archive itself.
    Directory(Option<Name>),
}

/// Reads entries.
pub(super) struct Entries<R> {
    reader: R,
    /// What is left of the present entry's content, and behind it to the next block.
    left: u64,
    padding: usize,
    headers: usize,
}

/// What headers before an entry say of it.
#[derive(Debug, Default)]
struct Before {
    pax: Option<Pax>,
    long_name: Option<Vec<u8>>,
}

impl<R: Read> Entries<R> {
    pub(super) const fn new(reader: R) -> Self {
        Self { reader, left: 0, padding: 0, headers: 0 }
    }

    /// The next entry; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, Refusal> {
        let mut before = Before::default();
        loop {
            self.pass()?;
            let Some(block) = self.header()? else {
                return match before.pax.is_some() || before.long_name.is_some() {
                    true => Err(Refusal::archive("the archive ends where an entry should follow")),
                    false => self.end().map(|()| None),
                };
            };
            let header = Header::from_byte_slice(&block);
            let size = size(header)?;
            match header.entry_type().as_byte() {
                b'x' if before.pax.is_none() => before.pax = Some(pax::read(&self.extension(size)?)?),
                b'L' if before.long_name.is_none() => before.long_name = Some(long_name(self.extension(size)?)),
                b'x' | b'L' => return Err(Refusal::entry("two headers of the archive say the path of one entry")),
                b'g' => self.global(size)?,
                kind => return self.entry(kind, header, size, before).map(Some),
            }
        }
    }

    fn count(&mut self) -> Result<(), Refusal> {
        self.headers += 1;
        match self.headers > limits::PACK_ENTRIES_MAX {
            true => Err(Refusal::large(format!("the archive has more than {} entries", limits::PACK_ENTRIES_MAX))),
            false => Ok(()),
        }
    }

    fn entry(&mut self, kind: u8, header: &Header, size: u64, before: Before) -> Result<Entry, Refusal> {
        self.count()?;
        let path = path(header, before, size)?;
        let shown = String::from_utf8_lossy(&path).chars().take(80).collect::<String>();
        let refuse = |what: &str| Err(Refusal::entry(format!("`{shown}` is {what}, and no plain file or directory")));
        match kind {
            b'0' | 0 => match Name::parse(&path, false)? {
                Some(name) => {
                    self.expect(size);
                    Ok(Entry::File(name, size))
                }
                None => refuse("the archive's own directory"),
            },
            b'5' if size != 0 => refuse("a directory with a content"),
            b'5' => Ok(Entry::Directory(Name::parse(&path, true)?)),
            b'1' | b'K' => refuse("a link"),
            b'2' => refuse("a symbolic link"),
            b'3' | b'4' => refuse("a device"),
            b'6' => refuse("a pipe"),
            b'S' => refuse("a file with holes in it"),
            _ => refuse("something else"),
        }
    }

    /// Reads from the content of the present entry; 0 at its end.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Refusal> {
        let length = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let Some(buffer) = buffer.get_mut(..length).filter(|buffer| !buffer.is_empty()) else { return Ok(0) };
        let read = self.reader.read(buffer).map_err(|error| damaged(&error))?;
        if read == 0 {
            return Err(cut());
        }
        self.left -= u64::try_from(read).unwrap_or(0);
        Ok(read)
    }

    /// A content of so many bytes follows, and fills whole blocks.
    fn expect(&mut self, size: u64) {
        let over = usize::try_from(size % BLOCK_BYTES as u64).unwrap_or(0);
        self.left = size;
        self.padding = (BLOCK_BYTES - over) % BLOCK_BYTES;
    }

    /// Passes over what is left of the present entry.
    fn pass(&mut self) -> Result<(), Refusal> {
        let mut buffer = [0; BLOCK_BYTES];
        while self.read(&mut buffer)? > 0 {}
        let padding = std::mem::take(&mut self.padding);
        match buffer.get_mut(..padding) {
            Some(buffer) => self.fill(buffer),
            None => Ok(()),
        }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Refusal> {
        self.reader.read_exact(buffer).map_err(|error| damaged(&error))
    }

    /// The next header, its checksum compared; none if an empty block is there instead.
    fn header(&mut self) -> Result<Option<[u8; BLOCK_BYTES]>, Refusal> {
        let mut block = [0; BLOCK_BYTES];
        self.fill(&mut block)?;
        if is_empty(&block) {
            return Ok(None);
        }
        let header = Header::from_byte_slice(&block);
        let is_known = header.as_ustar().is_some() || header.as_gnu().is_some();
        if !is_known || header.cksum().ok() != Some(checksum(&block)) {
            return Err(Refusal::archive("a header of the archive is damaged, or of another format than tar"));
        }
        Ok(Some(block))
    }

    /// The content of a header that says more of the next entry.
    fn extension(&mut self, size: u64) -> Result<Vec<u8>, Refusal> {
        if size > EXTENSION_BYTES_MAX {
            return Err(Refusal::large(format!("a header of the archive is longer than {EXTENSION_BYTES_MAX} bytes")));
        }
        self.expect(size);
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        self.fill(&mut bytes)?;
        self.left = 0;
        self.pass()?;
        Ok(bytes)
    }

    /// What is said of all entries must matter to none: git writes a comment there.
    fn global(&mut self, size: u64) -> Result<(), Refusal> {
        self.count()?;
        match pax::read(&self.extension(size)?)? == Pax::default() {
            true => Ok(()),
            false => Err(Refusal::entry("a header of the archive says the path or size of all entries")),
        }
    }

    /// Behind the first empty block comes another one, and then nothing.
    fn end(&mut self) -> Result<(), Refusal> {
        let mut block = [0; BLOCK_BYTES];
        self.fill(&mut block)?;
        let mut total = 0;
        let mut last = is_empty(&block);
        while last {
            let read = self.reader.read(&mut block).map_err(|error| damaged(&error))?;
            if read == 0 {
                return Ok(());
            }
            total += read;
            last = block.get(..read).is_some_and(is_empty) && total <= PADDING_BYTES_MAX;
        }
        Err(Refusal::archive("something follows the end of the archive"))
    }
}

fn is_empty(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

fn cut() -> Refusal {
    Refusal::archive("the archive is cut off")
}

pub(super) fn damaged(error: &std::io::Error) -> Refusal {
    match error.kind() {
        ErrorKind::UnexpectedEof => cut(),
        // The reader below has its own word for this.
        ErrorKind::QuotaExceeded => Refusal::large(error.to_string()),
        _ => Refusal::archive(format!("the archive is damaged, or no tar.gz: {error}")),
    }
}

/// The sum of a header's bytes, those of the checksum itself taken as spaces.
fn checksum(block: &[u8; BLOCK_BYTES]) -> u32 {
    let sum = |(at, byte): (usize, &u8)| if (148..156).contains(&at) { u32::from(b' ') } else { u32::from(*byte) };
    block.iter().enumerate().map(sum).sum()
}

fn size(header: &Header) -> Result<u64, Refusal> {
    let size = header.entry_size().map_err(|_| Refusal::archive("a header of the archive has no size"))?;
    // What is larger than all may be together is not passed over either.
    match size > limits::PACK_UNPACKED_BYTES_MAX {
        true => Err(Refusal::large(format!("an entry of the archive is {size} bytes"))),
        false => Ok(size),
    }
}

/// The path of an entry, from its own header or from one before it.
fn path(header: &Header, before: Before, size: u64) -> Result<Vec<u8>, Refusal> {
    if before.pax.as_ref().and_then(|pax| pax.size).is_some_and(|said| said != size) {
        return Err(Refusal::entry("two headers of the archive say different sizes of one entry"));
    }
    match (before.pax.and_then(|pax| pax.path), before.long_name) {
        (Some(_), Some(_)) => Err(Refusal::entry("two headers of the archive say the path of one entry")),
        (Some(path), None) | (None, Some(path)) => Ok(path),
        (None, None) => own_path(header),
    }
}

fn own_path(header: &Header) -> Result<Vec<u8>, Refusal> {
    let field = |field: &[u8]| {
        let text = field.split(|byte| *byte == 0).next().unwrap_or_default().to_owned();
        // What stands behind the end of a name is seen by one program and not by another.
        match field.get(text.len()..).is_none_or(is_empty) {
            true => Ok(text),
            false => Err(Refusal::entry("a name in the archive has a NUL in it")),
        }
    };
    let name = field(&header.as_old().name)?;
    let prefix = header.as_ustar().map(|ustar| field(&ustar.prefix)).transpose()?.unwrap_or_default();
    Ok(if prefix.is_empty() { name } else { [prefix.as_slice(), b"/", name.as_slice()].concat() })
}

/// GNU's long name ends with a NUL.
fn long_name(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.last() == Some(&0) {
        bytes.pop();
    }
    bytes
}
