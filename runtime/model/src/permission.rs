//! What a pack may do, and how a pack's wish and the operator's grant intersect.
//!
//! Both sides are the same type, [`Permissions`]; something is allowed only if **both** allow it. The decision is pure:
//! the egress door in `host` asks it for every request, and nothing else may decide.

mod choice;
mod cover;
mod difference;
mod glob;
mod grant;
mod origin;
mod wording;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::ConnectionName;
pub use choice::{Choice, ChoiceError, Configured};
pub use difference::Difference;
use glob::glob;
pub use grant::{GrantRecord, Standing, effective, grant_command};
use origin::OriginPattern;

/// What one side (the pack's wish or the operator's grant) allows. The default allows nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permissions {
    /// HTTP requests; one that no rule allows is denied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub http: Vec<HttpRule>,
    /// Access to the pack's own key-value data.
    #[serde(default, skip_serializing_if = "KvAccess::is_none")]
    pub kv: KvAccess,
}

/// Access to key-value data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KvAccess {
    /// None.
    #[default]
    None,
    /// Reading.
    Read,
    /// Reading and writing.
    ReadWrite,
}

impl KvAccess {
    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// A set of HTTP requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpRule {
    /// A kind of connection (in a pack) or a connection's name (in a grant).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// An origin, `https://host[:port]`; the host may begin with `*.` or be `*`, the port may be `*`. Without a port it
    /// is the scheme's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Methods; none listed means `GET` and `HEAD`, `*` means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Path patterns, each beginning with `/`: `*` stands for one segment's characters, `**` for any characters. None
    /// listed means every path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
}

/// Where a request goes, as far as permissions are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpTarget<'a> {
    /// Through a connection.
    Connection {
        /// Its name in the operator's configuration.
        name: &'a ConnectionName,
        /// Its kind.
        kind: &'a str,
    },
    /// To an absolute URL.
    Url(&'a Url),
}

/// A request, as far as permissions are concerned.
#[derive(Debug, Clone, Copy)]
pub struct HttpAsk<'a> {
    /// Where it goes.
    pub target: HttpTarget<'a>,
    /// Its method, in capitals.
    pub method: &'a str,
    /// The path as it will be sent, percent-encoded, dots resolved. For a connection, the part after its base URL.
    pub path: &'a str,
}

impl Permissions {
    /// Whether some rule allows the request.
    #[must_use]
    pub fn allows(&self, ask: &HttpAsk<'_>) -> bool {
        self.http.iter().any(|rule| rule.allows(ask))
    }
}

impl HttpRule {
    /// Whether this rule allows the request.
    #[must_use]
    pub fn allows(&self, ask: &HttpAsk<'_>) -> bool {
        self.allows_target(&ask.target) && self.allows_method(ask.method) && self.allows_path(ask.path)
    }

    /// What is wrong with the rule as written, if anything: lowercase sentences.
    #[must_use]
    pub fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        match (&self.connection, &self.url) {
            (None, None) => mistakes.push("an HTTP permission names a `connection` or a `url`".to_owned()),
            (Some(_), Some(_)) => {
                mistakes.push("an HTTP permission names a `connection` or a `url`, not both".to_owned());
            }
            (None, Some(url)) if OriginPattern::parse(url).is_none() => {
                mistakes.push(format!("`{url}` is not an origin: write `https://host` or `https://host:port`"));
            }
            _ => {}
        }
        for method in self.methods.iter().filter(|m| *m != "*" && !m.chars().all(|c| c.is_ascii_uppercase())) {
            mistakes.push(format!("`{method}` is not a method: write it in capitals, such as `GET`"));
        }
        for path in self.paths.iter().filter(|p| !p.starts_with('/')) {
            mistakes.push(format!("the path `{path}` does not begin with `/`"));
        }
        mistakes
    }

    fn allows_target(&self, target: &HttpTarget<'_>) -> bool {
        match (target, &self.connection, &self.url) {
            (HttpTarget::Connection { name, kind }, Some(wanted), None) => {
                wanted == name.as_str() || wanted == kind || wanted == "*"
            }
            (HttpTarget::Url(url), None, Some(pattern)) => {
                OriginPattern::parse(pattern).is_some_and(|origin| origin.matches(url))
            }
            _ => false,
        }
    }

    fn allows_method(&self, method: &str) -> bool {
        if self.methods.is_empty() {
            return matches!(method, "GET" | "HEAD");
        }
        self.methods.iter().any(|allowed| allowed == "*" || allowed == method)
    }

    fn allows_path(&self, path: &str) -> bool {
        self.paths.is_empty() || self.paths.iter().any(|pattern| glob(pattern.as_bytes(), path.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(url: &str, methods: &[&str], paths: &[&str]) -> HttpRule {
        HttpRule {
            connection: None,
            url: Some(url.into()),
            methods: methods.iter().map(ToString::to_string).collect(),
            paths: paths.iter().map(ToString::to_string).collect(),
        }
    }

    fn asks(rule: &HttpRule, method: &str, url: &str) -> bool {
        let url = Url::parse(url).unwrap();
        rule.allows(&HttpAsk { target: HttpTarget::Url(&url), method, path: url.path() })
    }

    #[test]
    fn nothing_is_allowed_by_default() {
        let url = Url::parse("https://example.com/").unwrap();
        let ask = HttpAsk { target: HttpTarget::Url(&url), method: "GET", path: "/" };
        assert!(!Permissions::default().allows(&ask));
    }

    #[test]
    fn an_origin_matches_scheme_host_and_port() {
        let exact = rule("https://api.example.com", &[], &[]);
        assert!(asks(&exact, "GET", "https://api.example.com/x"));
        assert!(asks(&exact, "GET", "https://API.example.com:443/"));
        assert!(!asks(&exact, "GET", "http://api.example.com/"));
        assert!(!asks(&exact, "GET", "https://api.example.com:8443/"));
        assert!(!asks(&exact, "GET", "https://api.example.com.evil.net/"));
        assert!(!asks(&exact, "POST", "https://api.example.com/"), "reading is the default");

        let below = rule("https://*.example.com:8443", &["*"], &[]);
        assert!(asks(&below, "DELETE", "https://a.b.example.com:8443/"));
        assert!(!asks(&below, "GET", "https://example.com:8443/"));
        assert!(!asks(&below, "GET", "https://badexample.com:8443/"));
        let any_port = rule("http://*:*", &[], &[]);
        assert!(asks(&any_port, "GET", "http://h:8080/") && asks(&any_port, "GET", "http://h/"));
        assert!(!asks(&any_port, "GET", "https://h:8080/"));
        assert!(asks(&rule("https://[::1]:9000", &[], &[]), "GET", "https://[::1]:9000/"));
    }

    #[test]
    fn a_path_pattern_knows_segments() {
        let one = rule("https://h", &["GET"], &["/api/*/name", "/deep/**"]);
        assert!(asks(&one, "GET", "https://h/api/17/name"));
        assert!(!asks(&one, "GET", "https://h/api/17/18/name"));
        assert!(!asks(&one, "GET", "https://h/api/17/name/x"));
        assert!(asks(&one, "GET", "https://h/deep/a/b/c"));
        assert!(!asks(&one, "GET", "https://h/deep"));
    }

    #[test]
    fn a_connection_is_allowed_by_its_kind_or_its_name() {
        let name = ConnectionName::new("cluster_a").unwrap();
        let ask = HttpAsk { target: HttpTarget::Connection { name: &name, kind: "ontap" }, method: "GET", path: "/" };
        for (wanted, allowed) in [("ontap", true), ("cluster_a", true), ("cluster_b", false), ("*", true)] {
            let rule = HttpRule { connection: Some(wanted.into()), url: None, methods: vec![], paths: vec![] };
            assert_eq!(rule.allows(&ask), allowed, "{wanted}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        assert!(rule("https://ok.example", &["GET"], &["/x"]).mistakes().is_empty());
        assert_eq!(rule("example.com", &["get"], &["x"]).mistakes().len(), 3);
        assert_eq!(rule("https://a*b.example", &[], &[]).mistakes().len(), 1);
        assert_eq!(rule("https://a.example/path", &[], &[]).mistakes().len(), 1);
    }

    #[test]
    fn a_hostile_pattern_takes_no_exponential_time() {
        assert!(!glob("/*a".repeat(40).as_bytes(), "/aaaaaaaaaaaa".repeat(39).as_bytes()));
    }
}
