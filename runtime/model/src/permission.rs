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
mod report;
mod wording;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{AddressRange, ConnectionName, Reach};
pub use choice::{Choice, ChoiceError, Configured};
pub use difference::Difference;
use glob::glob;
pub use grant::{GrantRecord, Standing, effective, grant_command};
use origin::OriginPattern;
pub use report::{Asking, Given, GrantReport, RuleReport};

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
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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
    /// In a grant, beside `url`: the only networks in which the host may be. Without it the host must have a global
    /// address, unless the rule names the address itself, or `localhost`, and the port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Vec<AddressRange>>,
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

    /// Which addresses the rules of a grant that allow the request to this URL let it reach.
    #[must_use]
    pub fn reach(&self, ask: &HttpAsk<'_>, url: &Url) -> Reach {
        let rules = self.http.iter().filter(|rule| rule.allows(ask));
        rules.map(|rule| rule.reach(url)).fold(Reach::default(), Reach::or)
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
        match (&self.addresses, &self.connection) {
            (Some(_), Some(_)) => mistakes.push(
                "`addresses` stands beside a `url`: those of a connection stand in the connection itself".to_owned(),
            ),
            (Some(list), None) if list.is_empty() => {
                mistakes.push("`addresses` is empty: nothing could be reached".to_owned());
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

    /// Which addresses the rule lets a URL reach that it allows.
    fn reach(&self, url: &Url) -> Reach {
        if let Some(ranges) = &self.addresses {
            return Reach { ranges: ranges.clone(), ..Reach::default() };
        }
        let is_exact = self.url.as_deref().and_then(OriginPattern::parse).is_some_and(|origin| origin.is_exact());
        match url.host().filter(|_| is_exact) {
            Some(url::Host::Domain(name)) => Reach { global: true, localhost: is_localhost(name), ..Reach::default() },
            Some(url::Host::Ipv4(address)) => Reach::of_literal(address.into()),
            Some(url::Host::Ipv6(address)) => Reach::of_literal(address.into()),
            None => Reach { global: true, ..Reach::default() },
        }
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

/// Whether a name in a URL is the one that means this machine (RFC 6761), with its final dot or without.
#[must_use]
pub fn is_localhost(name: &str) -> bool {
    name.strip_suffix('.').unwrap_or(name).eq_ignore_ascii_case("localhost")
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
            addresses: None,
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
            let rule = HttpRule { connection: Some(wanted.into()), ..HttpRule::default() };
            assert_eq!(rule.allows(&ask), allowed, "{wanted}");
        }
    }

    fn reach(rules: &[HttpRule], url: &str) -> Reach {
        let url = Url::parse(url).unwrap();
        let ask = HttpAsk { target: HttpTarget::Url(&url), method: "GET", path: url.path() };
        Permissions { http: rules.to_vec(), ..Permissions::default() }.reach(&ask, &url)
    }

    #[test]
    fn a_grant_reaches_global_addresses_and_what_it_names() {
        let global = Reach { global: true, ..Reach::default() };
        assert_eq!(reach(&[rule("https://h", &[], &[])], "https://h/"), global);
        assert_eq!(reach(&[rule("http://*:*", &[], &[])], "http://127.0.0.1:9/"), global, "a star names nothing");
        assert_eq!(reach(&[rule("http://*:*", &[], &[])], "http://localhost:9/"), global);
        assert_eq!(reach(&[rule("http://127.0.0.1:*", &[], &[])], "http://127.0.0.1:9/"), global, "nor does any port");
        let literal = Reach::of_literal("127.0.0.1".parse().unwrap());
        assert_eq!(reach(&[rule("http://127.0.0.1:9", &[], &[])], "http://127.1:9/"), literal);
        assert_eq!(reach(&[rule("http://127.0.0.1", &[], &[])], "http://127.0.0.1/"), literal, "80 is a port, too");
        assert_eq!(reach(&[rule("http://127.0.0.1:9", &[], &[])], "http://127.0.0.1:8/"), Reach::default());
        let localhost = Reach { localhost: true, ..global.clone() };
        assert_eq!(reach(&[rule("http://localhost:9", &[], &[])], "http://localhost:9/"), localhost);
        assert_eq!(reach(&[rule("http://arrays.example", &[], &[])], "http://arrays.example/"), global);
    }

    #[test]
    fn a_grant_with_networks_reaches_these_and_no_others() {
        let networks = |list: &[&str]| {
            let addresses = Some(list.iter().map(|range| range.parse().unwrap()).collect());
            HttpRule { addresses, ..rule("https://*.corp", &[], &[]) }
        };
        let (one, two) = (networks(&["10.1.0.0/16"]), networks(&["10.1.0.0/16", "10.2.0.0/16"]));
        let only = reach(std::slice::from_ref(&one), "https://a.corp/");
        assert!(!only.global && only.ranges.len() == 1);
        assert_eq!(reach(&[one.clone(), two], "https://a.corp/").ranges.len(), 2, "either rule is enough");
        let writing = HttpRule { methods: vec!["POST".into()], ..networks(&["10.9.0.0/16"]) };
        assert_eq!(
            reach(&[one, writing], "https://a.corp/").ranges.len(),
            1,
            "a rule for something else gives nothing"
        );
        assert_eq!(networks(&[]).mistakes().len(), 1);
        let beside = HttpRule { connection: Some("a".into()), url: None, ..networks(&["10.1.0.0/16"]) };
        assert_eq!(beside.mistakes().len(), 1);
    }

    /// S13: a request passes if and only if both sides allow its scheme, its host, its port, its method and its path.
    #[test]
    fn each_part_of_a_request_must_be_allowed_by_the_wish_and_by_the_grant() {
        // Bit n: whether the rule fits part n of the request.
        let side = |fits: u8| {
            let part =
                |bit: u8, right: &'static str, wrong: &'static str| if fits & (1 << bit) != 0 { right } else { wrong };
            let url =
                format!("{}://{}:{}", part(0, "https", "http"), part(1, "a.corp", "b.corp"), part(2, "8443", "8444"));
            let rule = rule(&url, &[part(3, "PATCH", "POST")], &[part(4, "/api/**", "/admin/**")]);
            Permissions { http: vec![rule], ..Permissions::default() }
        };
        let url = Url::parse("https://a.corp:8443/api/volumes/7").unwrap();
        let ask = HttpAsk { target: HttpTarget::Url(&url), method: "PATCH", path: url.path() };
        let mut passed = 0;
        for (wish, grant) in (0..32).flat_map(|wish| (0..32).map(move |grant| (wish, grant))) {
            let allowed = side(wish).allows(&ask) && side(grant).allows(&ask);
            assert_eq!(allowed, wish == 31 && grant == 31, "{wish:05b} {grant:05b}");
            passed += u32::from(allowed);
        }
        assert_eq!(passed, 1, "one of 1,024");
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
