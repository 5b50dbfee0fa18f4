//! What an operator granted a pack, and how the pack stands by it.

use serde::{Deserialize, Serialize};

use super::choice::{self, Configured};
use super::{Difference, Permissions};
use crate::{PackRef, Timestamp};

/// A grant as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantRecord {
    /// The pack.
    pub pack: PackRef,
    /// The digest of the version that was looked at.
    pub digest: String,
    /// What that version asks for.
    pub wish: Permissions,
    /// What was granted of it.
    pub granted: Permissions,
    /// By whom.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// How a version of a pack stands by what was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It asks for nothing that needs a grant.
    Nothing,
    /// Development mode: what it asks for is granted.
    Development,
    /// The operator's file says what it may do; that it is less than it asks for is the operator's right.
    File,
    /// What is recorded was granted for at least what it asks for.
    Recorded,
    /// It asks for more than what was looked at when it was granted.
    Beyond(Difference),
    /// It asks for something, and nobody granted anything.
    Missing,
}

impl Standing {
    /// How a version with this wish stands by the operator's file and what is recorded.
    #[must_use]
    pub fn of(wish: &Permissions, file: Option<&Permissions>, record: Option<&GrantRecord>, development: bool) -> Self {
        match (file, record) {
            _ if development => Self::Development,
            (Some(_), _) => Self::File,
            (None, Some(record)) if record.wish.covers(wish) => Self::Recorded,
            (None, Some(record)) => Self::Beyond(Difference::between(&record.wish, wish)),
            (None, None) if wish.http.is_empty() => Self::Nothing,
            (None, None) => Self::Missing,
        }
    }

    /// Whether nothing has to be granted first.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        !matches!(self, Self::Beyond(_) | Self::Missing)
    }

    /// The word for it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing_asked",
            Self::Development => "development",
            Self::File => "file",
            Self::Recorded => "recorded",
            Self::Beyond(_) => "beyond",
            Self::Missing => "missing",
        }
    }
}

/// What a pack may do: what the operator's file and what is recorded allow together.
#[must_use]
pub fn effective(
    wish: &Permissions,
    file: Option<&Permissions>,
    record: Option<&GrantRecord>,
    development: bool,
) -> Permissions {
    let sides = [file, record.map(|record| &record.granted), development.then_some(wish)];
    let union = |all: Permissions, side: &Permissions| all.union(side);
    let mut sides = sides.into_iter().flatten().peekable();
    match sides.peek() {
        None => Permissions::silent(),
        Some(_) => sides.fold(Permissions::default(), union),
    }
}

/// The command that grants a pack what it asks for.
#[must_use]
pub fn grant_command(pack: &PackRef, wish: &Permissions, configured: &[Configured]) -> String {
    format!("runner pack grant {pack}{}", choice::arguments(wish, configured))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KvAccess;

    fn wish(text: &str) -> Permissions {
        serde_json::from_str(text).unwrap()
    }

    fn record(asked: &str, granted: &str) -> GrantRecord {
        let (wish, granted) = (wish(asked), wish(granted));
        let pack = PackRef::new("p").unwrap();
        GrantRecord { pack, digest: String::new(), wish, granted, by: "me".into(), at: Timestamp::from_millis(0) }
    }

    const GET: &str = r#"{"http":[{"connection":"k"}]}"#;
    const POST: &str = r#"{"http":[{"connection":"k","methods":["GET","HEAD","POST"]}]}"#;

    #[test]
    fn a_record_holds_for_the_same_wish_and_for_less() {
        let narrow = record(POST, r#"{"http":[{"connection":"cluster_a"}]}"#);
        for asked in [POST, GET, "{}"] {
            assert_eq!(Standing::of(&wish(asked), None, Some(&narrow), false), Standing::Recorded, "{asked}");
        }
        let beyond = Standing::of(&wish(POST), None, Some(&record(GET, GET)), false);
        assert!(
            matches!(&beyond, Standing::Beyond(more) if more.more() == ["POST on connections of kind k"]),
            "{beyond:?}"
        );
        assert!(!beyond.is_settled());
    }

    #[test]
    fn the_file_stands_whatever_is_asked_for() {
        let file = wish("{}");
        assert_eq!(Standing::of(&wish(POST), Some(&file), Some(&record(GET, GET)), false), Standing::File);
        assert_eq!(Standing::of(&wish(POST), None, None, false), Standing::Missing);
        assert_eq!(Standing::of(&wish(r#"{"kv":"read"}"#), None, None, false), Standing::Nothing);
        assert_eq!(Standing::of(&wish(POST), None, None, true), Standing::Development);
    }

    #[test]
    fn file_and_record_hold_together() {
        let file = wish(r#"{"http":[{"url":"https://h"}]}"#);
        let record = record(POST, GET);
        let both = effective(&wish(POST), Some(&file), Some(&record), false);
        assert_eq!((both.http.len(), both.kv), (2, KvAccess::None));
        assert_eq!(effective(&wish(POST), Some(&file), None, false), file);
        assert_eq!(effective(&wish(POST), None, Some(&record), false), record.granted);
        assert_eq!(effective(&wish(POST), None, None, false), Permissions::silent());
        assert_eq!(effective(&wish(POST), None, None, true), wish(POST));
    }
}
