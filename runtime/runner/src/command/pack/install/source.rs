//! What is to be installed: where it is, and its bytes.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use runner_model::{code, limits};
use url::Url;

use super::fetch;
use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;

/// Where a pack is.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// An archive on another machine.
    Address(Url),
    /// An archive or a directory here.
    Path(PathBuf),
}

/// What came of it.
pub(super) enum Arrived {
    Archive { bytes: Vec<u8>, sha256: String },
    Directory(PathBuf),
}

/// Reads what was typed.
pub(super) fn parse(text: &str) -> Result<Source, String> {
    if !text.contains("://") {
        return Ok(Source::Path(PathBuf::from(text)));
    }
    let url = Url::parse(text).map_err(|error| format!("this is no address: {error}"))?;
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return Err("write an address that begins with `https://`, or a path".to_owned());
    }
    if fetch::has_credentials(&url) {
        return Err(
            "an address holds no credentials: it would stand in `runner.lock` and in your shell's history".to_owned()
        );
    }
    Ok(Source::Address(url))
}

/// Reads a SHA-256.
pub(super) fn sum(text: &str) -> Result<String, String> {
    let text = text.trim().to_ascii_lowercase();
    match text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(text),
        false => Err("a SHA-256 has 64 hexadecimal digits".to_owned()),
    }
}

impl Source {
    /// As it may be written down: an address without its query, which may let in whoever has it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Address(url) => fetch::shown(url),
            Self::Path(path) => path.display().to_string(),
        }
    }

    /// Its bytes, compared with the sum that they must have.
    pub(super) async fn arrive(&self, app: &App, sha256: Option<&str>) -> Result<Arrived, CliError> {
        let bytes = match self {
            Self::Address(url) => fetch::fetch(app, url, sha256.is_some()).await?,
            Self::Path(path) if path.is_dir() => return directory(path, sha256),
            Self::Path(path) => read(path)?,
        };
        let found: String = runner_pack::sum(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        match sha256 {
            Some(expected) if expected != found => {
                let message = format!("the SHA-256 of `{}` is {found}, not {expected}", self.shown());
                let error = CliError::new(Exit::Invalid, code::PACK_SUM, message);
                Err(error.hint("it is not the archive that was meant: ask whoever gave you the sum"))
            }
            _ => Ok(Arrived::Archive { bytes, sha256: found }),
        }
    }
}

fn directory(path: &Path, sha256: Option<&str>) -> Result<Arrived, CliError> {
    match sha256 {
        None => Ok(Arrived::Directory(path.to_owned())),
        Some(_) => {
            let message = format!("`{}` is a directory, and `--sha256` is the sum of an archive", path.display());
            Err(CliError::new(Exit::Usage, code::CLI_USAGE, message).hint("leave `--sha256` out"))
        }
    }
}

/// The bytes of an archive, no more than it may have.
fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let unreadable = |error: std::io::Error| {
        let exit = if error.kind() == std::io::ErrorKind::NotFound { Exit::NotFound } else { Exit::Invalid };
        CliError::new(exit, code::PACK_UNREADABLE, format!("`{}` cannot be read: {error}", path.display()))
    };
    // A pipe or a device might never end, or never begin.
    if !path.metadata().map_err(unreadable)?.is_file() {
        let message = format!("`{}` is neither a directory nor a plain file", path.display());
        return Err(CliError::new(Exit::Invalid, code::PACK_UNREADABLE, message));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(limits::PACK_ARCHIVE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

impl Arrived {
    pub(super) fn sha256(&self) -> Option<String> {
        match self {
            Self::Archive { sha256, .. } => Some(sha256.clone()),
            Self::Directory(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_hold_no_credentials_and_are_written_down_without_their_query() {
        let shown = |text: &str| parse(text).unwrap().shown();
        assert_eq!(shown("https://h.example/a.tar.gz?token=secret#x"), "https://h.example/a.tar.gz");
        assert_eq!(shown("packs/a.tar.gz"), "packs/a.tar.gz");
        for text in
            ["https://me:pw@h.example/a", "https://me@h.example/a", "ftp://h/a", "file:///etc/passwd", "https://"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(sum(&"A".repeat(64)).is_ok() && sum("abc").is_err() && sum(&"g".repeat(64)).is_err());
    }
}
