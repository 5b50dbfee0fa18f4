//! A path behind a connection, into which data cannot break.

use std::fmt::{self, Display, Write as _};

/// A path behind a connection: a constant, or made by [`path!`](crate::path).
///
/// A `String` does not convert into it, since data pasted into a path could lead elsewhere: to `../admin`, or with an empty
/// name from one volume to the list of all. [`Path::raw`] says that this has been thought of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(Result<String, String>);

impl Path {
    /// A text that is a path already, encoded where it must be.
    ///
    /// # Errors
    /// Sending fails if it does not begin with `/` or has a segment `.` or `..`.
    #[must_use]
    pub fn raw(path: impl Into<String>) -> Self {
        checked(path.into())
    }

    /// What [`path!`](crate::path) calls: the fixed texts, and the values between them.
    #[doc(hidden)]
    #[must_use]
    pub fn from_parts(fixed: &[&str], values: &[&dyn Display]) -> Self {
        let mut path = String::new();
        for (index, text) in fixed.iter().enumerate() {
            path.push_str(text);
            let Some(value) = values.get(index) else { continue };
            let before = path.len();
            if write!(Encode(&mut path), "{value}").is_err() {
                return Self(Err("a value of the path cannot be written".to_owned()));
            }
            if path.len() == before {
                return Self(Err(format!(
                    "the value number {} of the path `{}` is empty",
                    index + 1,
                    fixed.join("{}")
                )));
            }
        }
        checked(path)
    }

    /// The path as it is handed to the host, or why it is none.
    pub(crate) fn into_result(self) -> Result<String, String> {
        self.0
    }
}

impl From<&'static str> for Path {
    fn from(constant: &'static str) -> Self {
        Self::raw(constant)
    }
}

fn checked(path: String) -> Path {
    if !path.starts_with('/') {
        return Path(Err(format!("the path `{path}` does not begin with `/`")));
    }
    if path.contains(['?', '#']) {
        return Path(Err(format!("the path `{path}` has a query or a fragment: use `.query(name, value)`")));
    }
    // An encoded dot is a dot to every server and proxy on the way, so such a segment cannot be sent at all.
    let dots = |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    if path.split('/').any(dots) {
        return Path(Err(format!("the path `{path}` has a segment of dots, which would lead elsewhere")));
    }
    Path(Ok(path))
}

/// Writes all but RFC 3986's unreserved characters percent-encoded.
struct Encode<'a>(&'a mut String);

impl fmt::Write for Encode<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => self.0.push(char::from(byte)),
                _ => write!(self.0, "%{byte:02X}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(value: &str) -> Result<String, String> {
        Path::from_parts(&["/v1/volumes/", "/snapshots"], &[&value]).into_result()
    }

    #[test]
    fn a_value_stays_one_segment() {
        assert_eq!(with("vol_1").unwrap(), "/v1/volumes/vol_1/snapshots");
        assert_eq!(with("a/b").unwrap(), "/v1/volumes/a%2Fb/snapshots");
        assert_eq!(with("../../admin").unwrap(), "/v1/volumes/..%2F..%2Fadmin/snapshots");
        assert_eq!(with("a?x=1#y").unwrap(), "/v1/volumes/a%3Fx%3D1%23y/snapshots");
        assert_eq!(with("100%\r\n").unwrap(), "/v1/volumes/100%25%0D%0A/snapshots");
        assert_eq!(with("größe").unwrap(), "/v1/volumes/gr%C3%B6%C3%9Fe/snapshots");
    }

    #[test]
    fn a_value_that_would_lead_elsewhere_is_refused() {
        for value in [".", "..", ""] {
            assert!(with(value).is_err(), "{value:?}");
        }
        // A percent sign of the data is data: this names a volume, not a dot.
        assert_eq!(with("%2e").unwrap(), "/v1/volumes/%252e/snapshots");
        let joined = Path::from_parts(&["/", "", "/x"], &[&".", &"."]).into_result();
        assert!(joined.unwrap_err().contains("segment of dots"));
    }

    #[test]
    fn a_raw_path_is_checked_too() {
        assert!(Path::raw("/v1/%2E%2e/admin").into_result().is_err());
        assert!(Path::raw("v1").into_result().is_err());
        assert!(Path::raw("/v1?x=1").into_result().is_err());
        assert_eq!(Path::raw("/v1/a%2Fb").into_result().unwrap(), "/v1/a%2Fb");
    }
}
