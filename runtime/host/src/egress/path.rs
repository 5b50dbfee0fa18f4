//! Paths and queries as they are sent: encoded, dots resolved, so that what is checked is what the server sees.

use super::error::{ErrorKind, NetError};

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Normalises the path of a request through a connection. Whatever it holds, the result begins with `/`, has no dot
/// segments and stays below the connection's base URL.
pub(super) fn normalise(path: &str) -> Result<String, NetError> {
    if !path.starts_with('/') {
        return Err(bad("the path does not begin with `/`"));
    }
    if path.chars().any(char::is_control) {
        return Err(bad("the path holds a control character"));
    }
    let encoded = encode_path(path);
    let resolved = resolve_dots(&encoded);
    refuse_hidden_dots(&resolved)?;
    Ok(resolved)
}

/// Refuses a path that holds dot segments behind encoded slashes: a server that decodes before it routes would leave the
/// place that was checked.
pub(super) fn refuse_hidden_dots(path: &str) -> Result<(), NetError> {
    let decoded = decode(path);
    let climbs = decoded.split(|byte| matches!(byte, b'/' | b'\\')).any(|segment| matches!(segment, b"." | b".."));
    if climbs { Err(bad("the path hides `..` behind encoded slashes")) } else { Ok(()) }
}

/// Encodes what a path may not hold (RFC 3986, `pchar` and `/`); a `%` that begins a valid escape is left alone.
fn encode_path(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut encoded = String::with_capacity(bytes.len());
    for (i, byte) in bytes.iter().copied().enumerate() {
        let escape = byte == b'%'
            && bytes.get(i + 1).is_some_and(u8::is_ascii_hexdigit)
            && bytes.get(i + 2).is_some_and(u8::is_ascii_hexdigit);
        if escape || is_unreserved(byte) || b"/!$&'()*+,;=:@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            push_escape(&mut encoded, byte);
        }
    }
    encoded
}

/// Resolves `.` and `..`, also written `%2e`, as RFC 3986 §5.2.4 does. The root has no parent.
fn resolve_dots(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    let mut rest = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = rest.next() {
        let last = rest.peek().is_none();
        match segment.to_ascii_lowercase().replace("%2e", ".").as_str() {
            "." => {}
            ".." => {
                segments.pop();
            }
            _ => {
                segments.push(segment);
                continue;
            }
        }
        // A path that ended in a dot segment ends in a slash.
        if last {
            segments.push("");
        }
    }
    format!("/{}", segments.join("/"))
}

/// Encodes a query pair by pair; a space becomes `%20`, never `+`, which only forms read as a space.
pub(super) fn encode_query(pairs: &[(String, String)]) -> String {
    let mut query = String::new();
    for (name, value) in pairs {
        if !query.is_empty() {
            query.push('&');
        }
        encode_component(&mut query, name);
        query.push('=');
        encode_component(&mut query, value);
    }
    query
}

fn encode_component(into: &mut String, text: &str) {
    for byte in text.bytes() {
        if is_unreserved(byte) {
            into.push(char::from(byte));
        } else {
            push_escape(into, byte);
        }
    }
}

/// Decodes a query into its pairs. `+` stays: this host never writes one for a space.
pub(super) fn decode_query(query: &str) -> Vec<(String, String)> {
    let text = |part: &str| String::from_utf8_lossy(&decode(part)).into_owned();
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

fn decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high * 16 + low).unwrap_or(byte));
                at += 3;
            }
            _ => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn push_escape(into: &mut String, byte: u8) {
    let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().map_or('0', char::from);
    into.push('%');
    into.push(digit(byte >> 4));
    into.push(digit(byte & 15));
}

fn bad(message: &str) -> NetError {
    NetError::new(ErrorKind::BadRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_resolved_and_never_leave_the_root() {
        for (written, sent) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a/../b", "/b"),
            ("/a/./b/", "/a/b/"),
            ("/a/b/..", "/a/"),
            ("/../../etc", "/etc"),
            ("/a/%2e%2E/b", "/b"),
            ("/a/.%2e/b", "/b"),
            ("/a//b", "/a//b"),
            ("/..a/b..", "/..a/b.."),
        ] {
            assert_eq!(normalise(written).unwrap(), sent, "{written}");
        }
    }

    #[test]
    fn what_a_path_may_not_hold_is_encoded_and_escapes_are_left_alone() {
        for (written, sent) in [
            ("/a b", "/a%20b"),
            ("/a%20b", "/a%20b"),
            ("/100%", "/100%25"),
            ("/a?b=c#d", "/a%3Fb=c%23d"),
            ("/a\\..\\b", "!"),
            ("/ä", "/%C3%A4"),
            ("/vol:1,2@x;y=z", "/vol:1,2@x;y=z"),
        ] {
            match normalise(written) {
                Ok(path) => assert_eq!(path, sent, "{written}"),
                Err(error) => assert_eq!(sent, "!", "{written}: {error}"),
            }
        }
    }

    #[test]
    fn hidden_climbs_control_characters_and_relative_paths_are_refused() {
        for path in ["/a/..%2fb", "/a%2f..%2fb", "/a%5C..%5Cb", "/a\nb", "/a\0", "a", "", "/x%2F."] {
            assert_eq!(normalise(path).unwrap_err().kind, ErrorKind::BadRequest, "{path:?}");
        }
    }

    #[test]
    fn a_query_has_no_plus_for_a_space_and_is_read_back() {
        let pairs = vec![("a b".to_owned(), "c&d=e+f/ä".to_owned()), ("empty".to_owned(), String::new())];
        let query = encode_query(&pairs);
        assert_eq!(query, "a%20b=c%26d%3De%2Bf%2F%C3%A4&empty=");
        assert_eq!(decode_query(&query), pairs);
    }
}
