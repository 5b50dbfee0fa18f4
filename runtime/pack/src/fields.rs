//! Reads the keys of one map: each by its type, the rest reported as unknown.

use runner_model::code;

use crate::diagnostic::{Document, Mistake};
use crate::source::Span;
use crate::suggest;
use crate::yaml::{Entry, Kind, Node};

/// A map that is being read. Every key that is asked for counts as known; [`Fields::finish`] reports the others.
pub(crate) struct Fields<'a> {
    file: &'a Document<'a>,
    entries: &'a [Entry],
    /// What the map is, for messages: `the task`.
    what: &'static str,
    /// Where to point when something is missing.
    place: Span,
    known: Vec<&'static str>,
}

/// Keys that no one asked for, but that deserve more than "unknown".
pub(crate) struct Foreign {
    /// Keys of the format that this version does not carry out yet.
    pub(crate) later: &'static [&'static str],
    /// Keys of neighbouring formats, and what to write instead.
    pub(crate) instead: &'static [(&'static str, &'static str)],
}

impl Foreign {
    pub(crate) const NONE: Self = Self { later: &[], instead: &[] };
}

impl<'a> Fields<'a> {
    /// The map in `node`; something else is reported. `place` is where to point when something is missing.
    pub(crate) fn open(file: &'a Document<'a>, node: &'a Node, what: &'static str, place: Span) -> Option<Self> {
        match &node.kind {
            Kind::Map(entries) => Some(Self { file, entries, what, place, known: Vec::new() }),
            _ => {
                let span = if node.is_null() { place } else { node.span };
                let message = format!("{what} must be a map, found {}", node.kind_name());
                file.add(Mistake::new(code::PACK_WRONG_TYPE, span, message));
                None
            }
        }
    }

    /// The map that makes up a whole file.
    pub(crate) fn open_root(file: &'a Document<'a>, node: &'a Node, what: &'static str) -> Option<Self> {
        let first_line_end = file.source.text().lines().next().map_or(0, str::len);
        let first_key = node.as_map().and_then(<[Entry]>::first).map(|entry| entry.key_span);
        Self::open(file, node, what, first_key.unwrap_or_else(|| Span::new(0, first_line_end)))
    }

    pub(crate) fn entry(&mut self, key: &'static str) -> Option<&'a Entry> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The value of a key; one that is there without a value counts as left out.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<&'a Node> {
        self.entry(key).map(|entry| &entry.value).filter(|node| !node.is_null())
    }

    /// Where to point for a key: at its value, or at the map if it was left out.
    pub(crate) fn place_of(&self, key: &str) -> Span {
        let entry = self.entries.iter().find(|entry| entry.key == key);
        entry.map_or(self.place, |entry| if entry.value.is_null() { entry.key_span } else { entry.value.span })
    }

    pub(crate) fn text(&mut self, key: &'static str) -> Option<&'a str> {
        let node = self.get(key)?;
        text(self.file, node, key)
    }

    pub(crate) fn require<T>(&mut self, key: &'static str, value: Option<T>, example: &str) -> Option<T> {
        let there = self.entries.iter().any(|entry| entry.key == key && !entry.value.is_null());
        if value.is_none() && !there {
            let span = self.entries.iter().find(|entry| entry.key == key).map_or(self.place, |entry| entry.key_span);
            let message = format!("{} has no `{key}`", self.what);
            self.file.add(Mistake::new(code::PACK_MISSING_KEY, span, message).hint(format!("add `{key}: {example}`")));
        }
        value
    }

    pub(crate) fn boolean(&mut self, key: &'static str) -> Option<bool> {
        let node = self.get(key)?;
        boolean(self.file, node, key)
    }

    /// A list of texts; a single text counts as a list of one.
    pub(crate) fn texts(&mut self, key: &'static str) -> Vec<(&'a str, Span)> {
        let file = self.file;
        match self.get(key) {
            None => Vec::new(),
            Some(Node { kind: Kind::List(items), .. }) => {
                items.iter().filter_map(|item| text(file, item, key).map(|text| (text, item.span))).collect()
            }
            Some(node) => text(file, node, key).map(|text| (text, node.span)).into_iter().collect(),
        }
    }

    /// Reports every key that was not asked for.
    ///
    /// Says whether every key was known: if not, something that seems to be left out may only be misspelt.
    pub(crate) fn finish(self, foreign: &Foreign) -> bool {
        let mut all_known = true;
        let unclosed = |entry: &Entry| entry.key.contains("%>");
        for entry in self.entries.iter().filter(|entry| !self.known.contains(&entry.key.as_str())) {
            // What was cut off an expression at a comma; the expression itself is reported as not closed.
            if unclosed(entry) {
                continue;
            }
            all_known &= foreign.later.contains(&entry.key.as_str());
            self.file.add(self.unknown(entry, foreign));
        }
        all_known
    }

    fn unknown(&self, entry: &Entry, foreign: &Foreign) -> Mistake {
        let key = &entry.key;
        if foreign.later.contains(&key.as_str()) {
            let message = format!("`{key}` is not supported by this version of runner");
            return Mistake::new(code::PACK_NOT_SUPPORTED, entry.key_span, message).hint("remove it");
        }
        let message = format!("{} has no key `{key}`", self.what);
        let mistake = Mistake::new(code::PACK_UNKNOWN_KEY, entry.key_span, message);
        match foreign.instead.iter().find(|(other, _)| other == key) {
            Some((_, instead)) => mistake.hint(*instead),
            None => mistake.maybe_hint(suggest::hint(key, self.known.iter().copied(), "known here")),
        }
    }
}

/// A text; something else is reported as the value of `key`.
pub(crate) fn text<'a>(file: &Document<'_>, node: &'a Node, key: &str) -> Option<&'a str> {
    if let Some(text) = node.as_text() {
        return Some(text);
    }
    let hint = match node.kind {
        Kind::Bool(_) | Kind::Number(_) => Some(format!("put it in quotes: `\"{}\"`", file.source.slice(node.span))),
        _ => None,
    };
    file.add(wrong_type(node, key, "a string").maybe_hint(hint));
    None
}

pub(crate) fn boolean(file: &Document<'_>, node: &Node, key: &str) -> Option<bool> {
    if let Kind::Bool(value) = node.kind {
        return Some(value);
    }
    let meant = node.as_text().and_then(|text| match text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "y" | "true" => Some(true),
        "no" | "off" | "n" | "false" => Some(false),
        _ => None,
    });
    file.add(
        wrong_type(node, key, "`true` or `false`").maybe_hint(meant.map(|meant| format!("write `{key}: {meant}`"))),
    );
    None
}

pub(crate) fn wrong_type(node: &Node, key: &str, wanted: &str) -> Mistake {
    let found = match &node.kind {
        Kind::Text(text, _) => format!("the string `{text}`"),
        Kind::Bool(value) => format!("`{value}`"),
        Kind::Number(number) => format!("the number {number}"),
        _ => node.kind_name().to_owned(),
    };
    Mistake::new(code::PACK_WRONG_TYPE, node.span, format!("`{key}` must be {wanted}, found {found}"))
}
