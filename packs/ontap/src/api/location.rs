//! Where an object is: `Location` headers and links, which may be relative or absolute, with a query or without.

use std::fmt::Write as _;

use super::Query;

/// A path with a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The path, percent-encoded.
    pub path: String,
    /// The query, decoded.
    pub query: Query,
}

impl Location {
    /// Reads a header or a link; none if it leads nowhere in the API.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = match text.split_once("://") {
            // Only the path counts: the origin is the connection's, whatever the server believes itself to be called.
            Some((_, rest)) => rest.get(rest.find('/')?..)?,
            None => text,
        };
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let path = path.trim_end_matches('/');
        if !path.starts_with("/api") {
            return None;
        }
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        };
        let query = query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect();
        Some(Self { path: path.to_owned(), query })
    }

    /// The values of an object's keys, if this is the place of one in this collection.
    #[must_use]
    pub fn keys(&self, collection: &str, count: usize) -> Option<Vec<String>> {
        let rest = self.path.strip_prefix(collection)?.strip_prefix('/')?;
        let keys: Vec<_> = rest.split('/').map(decode).collect();
        (keys.len() == count).then_some(keys)
    }
}

/// A value as one segment of a path.
#[must_use]
pub fn encode(value: &str) -> String {
    let mut path = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            path.push(char::from(byte));
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
    }
    path
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = (byte == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (code, byte) {
            (Some(code), _) => bytes.push(code),
            (None, b'+') => bytes.push(b' '),
            (None, byte) => bytes.push(byte),
        }
        rest = if code.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_may_be_relative_or_absolute_and_have_a_query() {
        let place = Location::parse("https://cluster:8443/api/storage/qtrees/u-1/7?fields=a%2Cb&x=1+2%25&y").unwrap();
        assert_eq!(place.path, "/api/storage/qtrees/u-1/7");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(place.query, [pair("fields", "a,b"), pair("x", "1 2%"), pair("y", "")]);
        assert_eq!(place.keys("/api/storage/qtrees", 2).unwrap(), ["u-1", "7"]);
        assert_eq!(place.keys("/api/storage/qtrees", 1), None);
        assert_eq!(Location::parse("/elsewhere"), None);
    }

    #[test]
    fn a_key_stays_one_segment() {
        assert_eq!(encode("/vol/v1/a b"), "%2Fvol%2Fv1%2Fa%20b");
        assert_eq!(Location::parse("/api/x/%2Fvol%2Fv1%2Fa%20b/").unwrap().keys("/api/x", 1).unwrap(), ["/vol/v1/a b"]);
    }
}
