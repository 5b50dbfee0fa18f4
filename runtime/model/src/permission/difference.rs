//! What differs between two wishes of a pack: for whoever has to say yes to the second one.

use serde::{Deserialize, Serialize};

use super::{HttpRule, KvAccess, Permissions};

/// What a pack asks for now, compared with what it asked for before.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Difference {
    /// What it asks for in addition: rules, or the parts of them that are new.
    pub added: Vec<HttpRule>,
    /// What it does not ask for any more.
    pub removed: Vec<HttpRule>,
    /// What is left of rules of which it asks for less.
    pub narrowed: Vec<HttpRule>,
    /// The access to its own key-value data, before and now, if that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kv: Option<(KvAccess, KvAccess)>,
}

impl Difference {
    /// What `now` asks for, compared with `before`.
    #[must_use]
    pub fn between(before: &Permissions, now: &Permissions) -> Self {
        let (before, now) = (before.normal(), now.normal());
        let mut difference = Self {
            added: now.http.iter().flat_map(|rule| before.uncovered(rule)).collect(),
            kv: (before.kv != now.kv).then_some((before.kv, now.kv)),
            ..Self::default()
        };
        for rule in &before.http {
            let lost = now.uncovered(rule);
            if lost.is_empty() {
                continue;
            }
            let inside = |other: &&HttpRule| rule.covers(other);
            let left: Vec<_> = now.http.iter().filter(inside).cloned().collect();
            if left.is_empty() {
                difference.removed.extend(lost);
            } else {
                difference.narrowed.extend(left);
            }
        }
        difference
    }

    /// Whether something is asked for in addition.
    #[must_use]
    pub fn is_more(&self) -> bool {
        !self.added.is_empty() || self.kv.is_some_and(|(before, now)| now > before)
    }

    /// What is asked for in addition, a phrase each.
    #[must_use]
    pub fn more(&self) -> Vec<String> {
        let kv = self.kv.filter(|(before, now)| now > before).map(|(_, now)| now.phrase().to_owned());
        self.added.iter().map(HttpRule::phrase).chain(kv).collect()
    }

    /// Everything that differs, a sentence each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let less = self.kv.filter(|(before, now)| now < before).map(|(_, now)| format!("only now: {}", now.phrase()));
        let more = self.more().into_iter().map(|phrase| format!("may now: {phrase}"));
        let narrowed = self.narrowed.iter().map(|rule| format!("only now: {}", rule.phrase()));
        let removed = self.removed.iter().map(|rule| format!("no more: {}", rule.phrase()));
        more.chain(narrowed).chain(less).chain(removed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(text: &str) -> Permissions {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_difference_reads_as_what_may_be_done() {
        let before = wish(
            r#"{"http":[{"connection":"ontap","methods":["GET","PATCH"],"paths":["/api/**"]},
                        {"url":"https://a.example"},{"url":"https://b.example"}]}"#,
        );
        let now = wish(
            r#"{"http":[{"connection":"ontap","methods":["GET","POST"],"paths":["/api/svm/**","/other"]},
                        {"url":"https://a.example","paths":["/x"]}],"kv":"read"}"#,
        );
        assert_eq!(
            Difference::between(&before, &now).lines(),
            [
                "may now: GET /other on connections of kind ontap",
                "may now: POST /api/svm/**, /other on connections of kind ontap",
                "may now: reading its own key-value data",
                "only now: GET, HEAD /x on https://a.example",
                "no more: GET, PATCH /api/** on connections of kind ontap",
                "no more: GET, HEAD on https://b.example",
            ]
        );
        assert_eq!(Difference::between(&now, &now), Difference::default());
    }
}
