//! Patterns of origins: which schemes, hosts and ports a rule is about.

use url::Url;

/// `scheme://host[:port]`, the host perhaps with a leading `*`.
pub(super) struct OriginPattern<'a> {
    scheme: &'a str,
    host: &'a str,
    port: Port,
}

#[derive(Clone, Copy)]
enum Port {
    /// The one that belongs to the scheme.
    OfScheme,
    Any,
    Exactly(u16),
}

impl<'a> OriginPattern<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if !matches!(scheme, "http" | "https") || rest.is_empty() || rest.contains(['/', '?', '#', '@', ' ']) {
            return None;
        }
        let (host, port) = match rest.rsplit_once(':') {
            // An IPv6 address keeps its colons inside brackets.
            Some((host, "*")) => (host, Port::Any),
            Some((host, port)) if !port.ends_with(']') => (host, Port::Exactly(port.parse().ok()?)),
            _ => (rest, Port::OfScheme),
        };
        let star_only_in_front = !host.trim_start_matches('*').contains('*');
        let star_is_a_label = !host.starts_with('*') || host == "*" || host.starts_with("*.");
        (!host.is_empty() && star_only_in_front && star_is_a_label).then_some(Self { scheme, host, port })
    }

    /// Whether it is one host and one port.
    pub(super) fn is_exact(&self) -> bool {
        !self.host.starts_with('*') && !matches!(self.port, Port::Any)
    }

    pub(super) fn matches(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let port_matches = match self.port {
            Port::OfScheme => url.port_or_known_default() == Some(if self.scheme == "https" { 443 } else { 80 }),
            Port::Any => true,
            Port::Exactly(port) => url.port_or_known_default() == Some(port),
        };
        let host_matches = match self.host.strip_prefix('*') {
            Some("") => true,
            // `*.example.com` is any name below example.com, not example.com itself.
            Some(suffix) => {
                host.len() > suffix.len() && host.to_ascii_lowercase().ends_with(&suffix.to_ascii_lowercase())
            }
            None => host.eq_ignore_ascii_case(self.host),
        };
        url.scheme() == self.scheme && host_matches && port_matches
    }

    /// Whether every URL that the other pattern matches is matched by this one.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let ports = match (self.port(), other.port()) {
            (None, _) => true,
            (Some(port), Some(wanted)) => port == wanted,
            (Some(_), None) => false,
        };
        let (host, wanted) = (self.host.to_ascii_lowercase(), other.host.to_ascii_lowercase());
        let hosts = match host.strip_prefix('*') {
            Some("") => true,
            // What is below a name is below every name that ends it, whether it begins with a star or not.
            Some(suffix) => wanted.len() > suffix.len() && wanted != "*" && wanted.ends_with(suffix) || wanted == host,
            None => wanted == host,
        };
        self.scheme == other.scheme && ports && hosts
    }

    /// The one port; none is any.
    fn port(&self) -> Option<u16> {
        match self.port {
            Port::OfScheme => Some(if self.scheme == "https" { 443 } else { 80 }),
            Port::Any => None,
            Port::Exactly(port) => Some(port),
        }
    }

    /// The pattern, as everybody who means the same writes it.
    pub(super) fn normal(&self) -> String {
        let host = self.host.to_ascii_lowercase();
        let own = if self.scheme == "https" { 443 } else { 80 };
        match self.port() {
            None => format!("{}://{host}:*", self.scheme),
            Some(port) if port == own => format!("{}://{host}", self.scheme),
            Some(port) => format!("{}://{host}:{port}", self.scheme),
        }
    }
}
