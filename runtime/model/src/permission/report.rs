//! What a pack asks for, and how much of it is granted, by whom: what commands and the API show.

use serde::{Deserialize, Serialize};

use super::choice::Configured;
use super::{GrantRecord, HttpRule, KvAccess, Permissions, Standing, effective, grant_command};
use crate::PackRef;

/// What is known of the grants of a version of a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantReport {
    /// The pack.
    pub pack: PackRef,
    /// The version.
    pub version: String,
    /// Its digest.
    pub digest: String,
    /// The version that is in use, if that is another one, because this one waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_use: Option<String>,
    /// How it stands: `nothing_asked`, `development`, `file`, `recorded`, `beyond` or `missing`.
    pub standing: String,
    /// What it asks for.
    pub asks: Permissions,
    /// The rules of it, by number, with what is granted of each.
    pub rules: Vec<RuleReport>,
    /// What the operator's file grants, if it says something of the pack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_file: Option<Permissions>,
    /// What is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<GrantRecord>,
    /// What it may do.
    pub granted: Permissions,
    /// What it asks for and must not do, a phrase each.
    pub missing: Vec<String>,
    /// What differs from what was looked at when it was granted, a sentence each.
    pub difference: Vec<String>,
    /// The command that grants what it asks for, if something is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// A rule of a wish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleReport {
    /// Its number, from 1.
    pub number: usize,
    /// What it asks for, in a phrase.
    pub asks: String,
    /// The connections on which all of it is granted; of a rule that names a URL, the URL.
    pub granted_on: Vec<String>,
    /// What of it is not granted, a phrase each.
    pub missing: Vec<String>,
}

/// A version of a pack: what is needed of it here.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The pack.
    pub pack: &'a PackRef,
    /// Its version.
    pub version: &'a str,
    /// Its digest.
    pub digest: &'a str,
    /// What it asks for.
    pub wish: &'a Permissions,
}

/// What the operator said.
#[derive(Debug, Clone, Copy, Default)]
pub struct Given<'a> {
    /// In the file, if the file says something of the pack.
    pub file: Option<&'a Permissions>,
    /// What is recorded.
    pub record: Option<&'a GrantRecord>,
    /// Whether whatever is asked for is granted.
    pub development: bool,
}

impl GrantReport {
    /// Of a version of a pack, with the connections that are configured.
    #[must_use]
    pub fn of(asking: Asking<'_>, given: Given<'_>, configured: &[Configured]) -> Self {
        let Asking { pack, version, digest, wish } = asking;
        let Given { file, record, development } = given;
        let granted = effective(wish, file, record, development);
        let rules: Vec<_> =
            wish.http.iter().enumerate().map(|(at, rule)| of_rule(at + 1, rule, &granted, configured)).collect();
        let kv = (wish.kv > granted.kv).then(|| KvAccess::phrase(wish.kv).to_owned());
        let missing: Vec<_> = rules.iter().flat_map(|rule| rule.missing.clone()).chain(kv).collect();
        let standing = Standing::of(wish, file, record, development);
        let difference = match &standing {
            Standing::Beyond(difference) => difference.lines(),
            _ => Vec::new(),
        };
        Self {
            pack: pack.clone(),
            version: version.to_owned(),
            digest: digest.to_owned(),
            in_use: None,
            standing: standing.word().to_owned(),
            command: (!missing.is_empty() || !standing.is_settled()).then(|| grant_command(pack, wish, configured)),
            asks: wish.clone(),
            rules,
            by_file: file.cloned(),
            recorded: record.cloned(),
            granted,
            missing,
            difference,
        }
    }
}

fn of_rule(number: usize, rule: &HttpRule, granted: &Permissions, configured: &[Configured]) -> RuleReport {
    let asks = rule.phrase();
    let open = granted.uncovered(rule);
    let Some(kind) = rule.connection.as_deref().filter(|_| !open.is_empty()) else {
        let target = rule.connection.clone().or_else(|| rule.url.clone());
        let granted_on = target.into_iter().filter(|_| open.is_empty()).collect();
        return RuleReport { number, asks, granted_on, missing: open.iter().map(HttpRule::phrase).collect() };
    };
    // Not granted for the kind: perhaps for the connections of the kind that there are.
    let names = configured.iter().filter(|(_, of)| kind == "*" || kind == of);
    let (mut granted_on, mut missing) = (Vec::new(), Vec::new());
    for (name, of) in names {
        let on_this = HttpRule { connection: Some(name.to_string()), ..rule.clone() };
        let on_kind = HttpRule { connection: Some(of.clone()), ..rule.clone() };
        let left = granted.uncovered(&on_this);
        match left.is_empty() || granted.uncovered(&on_kind).is_empty() {
            true => granted_on.push(name.to_string()),
            false => missing.extend(left.iter().map(|rule| rule.granted_phrase(|_| false))),
        }
    }
    if granted_on.is_empty() && missing.is_empty() {
        missing = open.iter().map(HttpRule::phrase).collect();
    }
    RuleReport { number, asks, granted_on, missing }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConnectionName;

    fn wish(text: &str) -> Permissions {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_is_missing_is_said_for_each_connection() {
        let asks = wish(
            r#"{"http":[{"connection":"ontap","methods":["GET","POST"]},{"url":"https://h"},{"connection":"aiqum"}],"kv":"read"}"#,
        );
        let file = wish(r#"{"http":[{"connection":"a","methods":["*"]},{"connection":"b"}]}"#);
        let configured: Vec<_> = [("a", "ontap"), ("b", "ontap")]
            .map(|(name, kind)| (ConnectionName::new(name).unwrap(), kind.to_owned()))
            .into();
        let pack = PackRef::new("p").unwrap();
        let asking = Asking { pack: &pack, version: "1.0.0", digest: "d", wish: &asks };
        let report = GrantReport::of(asking, Given { file: Some(&file), ..Given::default() }, &configured);
        assert_eq!(report.rules[0].granted_on, ["a"]);
        assert_eq!(
            report.missing,
            [
                "POST on the connection b",
                "GET, HEAD on https://h",
                "GET, HEAD on connections of kind aiqum",
                "reading its own key-value data"
            ]
        );
        assert_eq!((report.standing.as_str(), report.command.as_deref()), ("file", Some("runner pack grant p")));
        let all = GrantReport::of(asking, Given { development: true, ..Given::default() }, &configured);
        assert_eq!((all.missing.len(), all.command), (0, None));
        assert_eq!(all.rules[1].granted_on, ["https://h"]);
    }
}
