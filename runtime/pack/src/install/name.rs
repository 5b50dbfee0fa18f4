//! The names of files in packs: which there can be, and which are the same on another system.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use icu_normalizer::ComposingNormalizerBorrowed;
use runner_model::limits;

use super::Refusal;

/// The way to a file or directory below a pack's own: its parts are plain names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name(String);

impl Name {
    /// Reads a path as it stands in an archive: with `/` between its parts, perhaps `./` before them, and `/` behind those of
    /// a directory. None is the directory of the archive itself.
    pub(super) fn parse(bytes: &[u8], is_directory: bool) -> Result<Option<Self>, Refusal> {
        let refuse = |why: &str| Refusal::entry(format!("`{}` {why}", shown(bytes)));
        if bytes.len() > limits::PACK_PATH_BYTES_MAX {
            let max = limits::PACK_PATH_BYTES_MAX;
            return Err(Refusal::large(format!("the path `{}` is longer than {max} bytes", shown(bytes))));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| refuse("is a name that is not UTF-8"))?;
        if text.is_empty() {
            return Err(Refusal::entry("an entry has no name"));
        }
        if text.starts_with('/') {
            return Err(refuse("is an absolute path"));
        }
        let text = text.strip_prefix("./").unwrap_or(text);
        let text = if is_directory { text.strip_suffix('/').unwrap_or(text) } else { text };
        if is_directory && matches!(text, "" | ".") {
            return Ok(None);
        }
        for part in text.split('/') {
            if let Some(why) = wrong(part) {
                return Err(refuse(why));
            }
        }
        if text.split('/').count() > limits::PACK_PATH_DEPTH_MAX {
            let max = limits::PACK_PATH_DEPTH_MAX;
            return Err(Refusal::large(format!("`{}` lies more than {max} directories deep", shown(bytes))));
        }
        Ok(Some(Self(text.to_owned())))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it, or a directory that it is in, is hidden.
    pub(super) fn is_hidden(&self) -> bool {
        self.0.split('/').any(|part| part.starts_with('.'))
    }

    /// The directories that it is in, from the outermost.
    pub(super) fn parents(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').filter_map(|(at, _)| self.0.get(..at))
    }
}

/// A name as a message may quote it: its beginning.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let cut: String = text.chars().take(80).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

/// Why this is the name of no file.
fn wrong(part: &str) -> Option<&'static str> {
    if part.is_empty() {
        return Some("has an empty part");
    }
    if part == ".." || part == "." {
        return Some("leads elsewhere: `.` and `..` are no names of files");
    }
    if part.chars().any(|c| c.is_control() || is_unseen(c)) {
        return Some("has a character in it that cannot be seen");
    }
    if part.contains(['\\', ':', '<', '>', '"', '|', '?', '*']) {
        return Some("has a character in it that means something else on another system");
    }
    if part.ends_with(['.', ' ']) {
        return Some("ends with a dot or a space, which other systems leave out");
    }
    is_device(part).then_some("is the name of a device on another system")
}

/// Characters that join, turn or are left out: two names that differ in them look the same.
const fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// `CON`, `nul.txt`, `COM1` and the like open no file on Windows.
fn is_device(part: &str) -> bool {
    let stem = fold(part.split('.').next().unwrap_or(part).trim_end());
    let numbered = |kind: &str| {
        let number = stem.strip_prefix(kind);
        number.is_some_and(|number| number.len() == 1 && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul" | "conin$" | "conout$") || numbered("com") || numbered("lpt")
}

/// What a name is where capitals, and the ways to write a letter, make no difference.
pub(crate) fn fold(name: &str) -> String {
    let normal = ComposingNormalizerBorrowed::new_nfkc();
    let folded: String =
        normal.normalize(name).chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect();
    normal.normalize(&folded).into_owned()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Directory,
}

/// The names that are taken, as the least careful of all systems compares them.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<String, (String, Kind)>);

impl Names {
    /// Takes the name of a file.
    pub(super) fn take_file(&mut self, name: &Name) -> Result<(), Refusal> {
        self.take_parents(name)?;
        self.take(name.as_str(), Kind::File)
    }

    /// Takes the name of a directory, which may be taken by the same already.
    pub(super) fn take_directory(&mut self, name: &Name) -> Result<(), Refusal> {
        self.take_parents(name)?;
        self.take(name.as_str(), Kind::Directory)
    }

    fn take_parents(&mut self, name: &Name) -> Result<(), Refusal> {
        name.parents().try_for_each(|parent| self.take(parent, Kind::Directory))
    }

    fn take(&mut self, name: &str, kind: Kind) -> Result<(), Refusal> {
        match self.0.entry(fold(name)) {
            Entry::Vacant(free) => {
                free.insert((name.to_owned(), kind));
                Ok(())
            }
            Entry::Occupied(taken) => match taken.get() {
                (other, Kind::Directory) if other == name && kind == Kind::Directory => Ok(()),
                (other, Kind::File) if other == name && kind == Kind::File => {
                    Err(Refusal::entry(format!("`{name}` stands there twice")))
                }
                (other, _) if other == name => Err(Refusal::entry(format!("`{name}` is a file and a directory"))),
                (other, _) => Err(Refusal::entry(format!("`{name}` and `{other}` are the same name on other systems"))),
            },
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_another_system_takes_for_one_are_the_same() {
        for (one, other) in [
            ("Readme.md", "README.md"),
            ("caf\u{e9}", "cafe\u{301}"),
            ("stra\u{df}e", "STRASSE"),
            ("\u{ff41}.yaml", "a.yaml"),
            ("\u{3c3}", "\u{3c2}"),
            ("\u{212a}", "k"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
        assert_ne!(fold("a_b"), fold("ab"));
    }

    #[test]
    fn plain_names_are_taken_as_they_are() {
        for (written, name) in
            [("./a/b.yaml", "a/b.yaml"), ("a", "a"), ("a b/\u{fc}ber.md", "a b/\u{fc}ber.md"), ("...a", "...a")]
        {
            assert_eq!(Name::parse(written.as_bytes(), false).unwrap().unwrap().as_str(), name);
        }
        assert_eq!(Name::parse(b"./", true), Ok(None));
        assert_eq!(Name::parse(b"a/", true).unwrap().unwrap().as_str(), "a");
        assert!(Name::parse(b"a/", false).is_err(), "a file is no directory");
    }
}
