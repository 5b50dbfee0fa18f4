//! Permissions as people read them. What a pack wrote is escaped: it may be anybody's.

use super::{HttpRule, KvAccess};

impl HttpRule {
    /// The rule in a phrase: "POST /api/svm/** on connections of kind ontap".
    #[must_use]
    pub fn phrase(&self) -> String {
        let target = match (&self.connection, &self.url) {
            (Some(kind), _) if kind == "*" => "every connection".to_owned(),
            (Some(kind), _) => format!("connections of kind {}", plain(kind)),
            (None, Some(url)) => plain(url),
            (None, None) => "nothing".to_owned(),
        };
        let target = match &self.addresses {
            None => target,
            Some(ranges) => {
                let shown: Vec<_> = ranges.iter().map(ToString::to_string).collect();
                format!("{target} in {}", shown.join(", "))
            }
        };
        self.phrase_on(&target)
    }

    /// The same of a grant, which names connections.
    #[must_use]
    pub fn granted_phrase(&self, is_kind: impl Fn(&str) -> bool) -> String {
        match &self.connection {
            Some(name) if name != "*" && !is_kind(name) => self.phrase_on(&format!("the connection {}", plain(name))),
            _ => self.phrase(),
        }
    }

    fn phrase_on(&self, target: &str) -> String {
        let every = self.methods.iter().any(|method| method == "*");
        let methods = if every { "every method".to_owned() } else { plain(&self.method_list().join(", ")) };
        if self.paths.is_empty() {
            return format!("{methods} on {target}");
        }
        format!("{methods} {} on {target}", plain(&self.paths.join(", ")))
    }
}

impl KvAccess {
    /// In a phrase.
    #[must_use]
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::None => "no key-value data",
            Self::Read => "reading its own key-value data",
            Self::ReadWrite => "reading and writing its own key-value data",
        }
    }
}

/// A text without characters that would write elsewhere on a terminal, or read as something else.
fn plain(text: &str) -> String {
    let is_plain = |c: char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().map(|c| if is_plain(c) { c.to_string() } else { c.escape_default().to_string() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_reads_as_a_sentence_and_hides_nothing() {
        let rule = |text: &str| serde_json::from_str::<HttpRule>(text).unwrap();
        let cases = [
            (
                r#"{"connection":"ontap","methods":["POST"],"paths":["/api/svm/**"]}"#,
                "POST /api/svm/** on connections of kind ontap",
            ),
            (r#"{"connection":"*","methods":["*"]}"#, "every method on every connection"),
            (r#"{"url":"https://h"}"#, "GET, HEAD on https://h"),
            (r#"{"url":"https://h","addresses":["10.0.0.0/8"]}"#, "GET, HEAD on https://h in 10.0.0.0/8"),
            (
                r#"{"url":"https://h","paths":["/a\u001b[2K","/\u202eb"]}"#,
                "GET, HEAD /a\\u{1b}[2K, /\\u{202e}b on https://h",
            ),
        ];
        for (text, phrase) in cases {
            assert_eq!(rule(text).phrase(), phrase);
        }
        let named = rule(r#"{"connection":"cluster_a"}"#);
        assert_eq!(named.granted_phrase(|_| false), "GET, HEAD on the connection cluster_a");
        assert_eq!(named.granted_phrase(|_| true), "GET, HEAD on connections of kind cluster_a");
    }
}
