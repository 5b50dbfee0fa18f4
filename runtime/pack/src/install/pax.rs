//! What an extended header (POSIX "pax") says of the entry behind it: of everything that it can say, the path is used, the
//! harmless is passed over, and what would change what an entry is is refused.

use super::Refusal;

/// The one character set that names are in.
const UTF8: &[u8] = b"ISO-IR 10646 2000 UTF-8";

/// What of an extended header counts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pax {
    /// The path of the entry.
    pub(super) path: Option<Vec<u8>>,
    /// Its size, which must be that of the entry's own header.
    pub(super) size: Option<u64>,
}

/// Reads a header's records: `length key=value\n`, the length that of the whole record.
pub(super) fn read(mut bytes: &[u8]) -> Result<Pax, Refusal> {
    let damaged = || Refusal::archive("an extended header of the archive is damaged");
    let mut pax = Pax::default();
    while !bytes.is_empty() {
        let space = bytes.iter().take(8).position(|byte| *byte == b' ').ok_or_else(damaged)?;
        let digits = bytes.get(..space).filter(|digits| digits.iter().all(u8::is_ascii_digit)).ok_or_else(damaged)?;
        let length: usize =
            std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).ok_or_else(damaged)?;
        let (record, rest) = bytes.split_at_checked(length).ok_or_else(damaged)?;
        let record = record.get(space + 1..).and_then(|record| record.strip_suffix(b"\n")).ok_or_else(damaged)?;
        let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(damaged)?;
        let (key, value) = record.split_at_checked(equals).ok_or_else(damaged)?;
        take(&mut pax, key, value.get(1..).unwrap_or_default())?;
        bytes = rest;
    }
    Ok(pax)
}

fn take(pax: &mut Pax, key: &[u8], value: &[u8]) -> Result<(), Refusal> {
    let key = String::from_utf8_lossy(key);
    let twice = || Refusal::entry(format!("an extended header of the archive says `{key}` twice"));
    match &*key {
        "path" => match pax.path.replace(value.to_owned()) {
            None => Ok(()),
            Some(_) => Err(twice()),
        },
        "size" => {
            let size = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
            let size =
                size.ok_or_else(|| Refusal::archive("an extended header of the archive has no number as `size`"))?;
            match pax.size.replace(size) {
                None => Ok(()),
                Some(_) => Err(twice()),
            }
        }
        "linkpath" => Err(Refusal::entry("an extended header of the archive makes a link")),
        "hdrcharset" if value != UTF8 => Err(Refusal::entry("the names in the archive are not said to be UTF-8")),
        key if key.starts_with("GNU.sparse") => Err(Refusal::entry("the archive has a file with holes in it")),
        // Times, owners, attributes, comments: nothing of them is kept.
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_counts_and_times_do_not() {
        let pax = read(b"13 path=a/b\n\n20 mtime=1795257960.1\n");
        assert!(pax.is_err(), "a length that is wrong");
        let pax = read(b"12 path=a/b\n22 mtime=1795257960.1\n").unwrap();
        assert_eq!(pax, Pax { path: Some(b"a/b".to_vec()), size: None });
    }

    #[test]
    fn nothing_that_is_cut_or_endless_is_read() {
        for bytes in
            [&b"12 path=a/"[..], b"x path=a", b"0 a=b\n", b"99999999 a=b\n", b"6 path\n", b"7 path\n", b"-5 a=b\n"]
        {
            assert!(read(bytes).is_err(), "{bytes:?}");
        }
    }
}
