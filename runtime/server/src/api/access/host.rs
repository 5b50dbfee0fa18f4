//! Whether a request without a key comes from this machine, and not from a web page that is looked at here.

use http::{HeaderMap, StatusCode, header};
use runner_model::code;

use super::ApiProblem;

/// The names that mean this machine, whatever DNS says.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Checks the host that is asked for, and where the request comes from.
pub(super) fn check(headers: &HeaderMap, hosts: &[String]) -> Result<(), ApiProblem> {
    let mut named = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (named.next().and_then(|host| host.to_str().ok()), named.next()) else {
        return Err(refused("the request does not name one host"));
    };
    let name = without_port(host);
    let is_ours = |own: &str| name.eq_ignore_ascii_case(own) || host.eq_ignore_ascii_case(own);
    if !LOOPBACK.into_iter().any(is_ours) && !hosts.iter().any(|own| is_ours(own)) {
        return Err(refused(format!("the request is for the host `{}`, which is none of this process", shown(host)))
            .hint("name it in the configuration with `hosts`, or send an API key"));
    }
    if let Some(site) = headers.get("sec-fetch-site") {
        let is_ours = matches!(site.as_bytes(), b"same-origin" | b"none");
        if !is_ours {
            return Err(refused("the request comes from a web page of another origin"));
        }
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    let same = ["http://", "https://"]
        .iter()
        .any(|scheme| origin.strip_prefix(scheme).is_some_and(|origin| origin.eq_ignore_ascii_case(host)));
    if same { Ok(()) } else { Err(refused("the request comes from a web page of another origin")) }
}

fn refused(detail: impl Into<String>) -> ApiProblem {
    ApiProblem::new(StatusCode::FORBIDDEN, code::API_ORIGIN, detail).hint("send an API key")
}

/// The name without its port; an address of version 6 keeps its brackets.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty() => name,
        _ => host,
    }
}

/// What somebody else wrote, made fit to be shown.
fn shown(host: &str) -> String {
    host.chars().filter(char::is_ascii_graphic).take(128).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, http::HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_names_of_this_machine_and_pages_of_its_own_are_let_in() {
        let fine: [&[(&str, &str)]; 6] = [
            &[("host", "localhost:9101")],
            &[("host", "127.0.0.1:1")],
            &[("host", "[::1]:9101")],
            &[("host", "LOCALHOST")],
            &[("host", "ops.example:80")],
            &[("host", "localhost:9101"), ("origin", "http://localhost:9101"), ("sec-fetch-site", "same-origin")],
        ];
        for pairs in fine {
            assert!(check(&headers(pairs), &["ops.example".to_owned()]).is_ok(), "{pairs:?}");
        }
        let bad: [&[(&str, &str)]; 9] = [
            &[],
            &[("host", "evil.example:9101")],
            &[("host", "localhost.evil.example")],
            &[("host", "localhost"), ("host", "localhost")],
            &[("host", "localhost:9101"), ("origin", "http://evil.example")],
            &[("host", "localhost:9101"), ("origin", "http://localhost:8000")],
            &[("host", "localhost:9101"), ("origin", "null")],
            &[("host", "localhost:9101"), ("sec-fetch-site", "cross-site")],
            &[("host", "10.0.0.1")],
        ];
        for pairs in bad {
            let problem = check(&headers(pairs), &["ops.example".to_owned()]).unwrap_err();
            assert_eq!(problem.status, StatusCode::FORBIDDEN, "{pairs:?}");
        }
    }
}
