use proptest::prelude::*;
use url::Url;

use super::*;
use crate::{ConnectionName, HttpAsk, HttpTarget, KvAccess};

fn wish(text: &str) -> Permissions {
    serde_json::from_str(text).unwrap()
}

fn path(text: &str) -> Permissions {
    wish(&format!(r#"{{"http":[{{"url":"https://h","paths":["{text}"]}}]}}"#))
}

#[test]
fn a_pattern_covers_what_it_matches_and_no_more() {
    let yes = [
        ("/**", "/api/**"),
        ("/api/**", "/api/svm/*"),
        ("/api/*", "/api/svm"),
        ("/api/*/x", "/api/a*/x"),
        ("/**/x", "/a/*/x"),
        ("/*a*", "/ba"),
        ("/***", "/a/b*"),
    ];
    let no = [
        ("/api/*", "/api/**"),
        ("/api/*", "/api/a/b"),
        ("/api/**", "/apis"),
        ("/a*", "/*"),
        ("/api/*/x", "/api/**/x"),
        ("/x", "/x*"),
    ];
    for (wide, narrow) in yes {
        assert!(path(wide).covers(&path(narrow)), "{wide} {narrow}");
    }
    for (wide, narrow) in no {
        assert!(!path(wide).covers(&path(narrow)), "{wide} {narrow}");
    }
    let every = wish(r#"{"http":[{"url":"https://h"}]}"#);
    assert!(every.covers(&path("/x")) && !path("/**").covers(&every));
}

#[test]
fn an_origin_covers_by_scheme_host_and_port() {
    let url = |text: &str| wish(&format!(r#"{{"http":[{{"url":"{text}"}}]}}"#));
    let yes = [
        ("https://*:*", "https://a.example:8443"),
        ("https://*.Example", "https://b.a.example"),
        ("https://*.example", "https://*.a.example:443"),
        ("https://a.example:443/", "https://A.example"),
    ];
    let no = [
        ("https://*", "http://a.example"),
        ("https://*", "https://a.example:8443"),
        ("https://*.example", "https://example"),
        ("https://*.example", "https://*"),
        ("https://a.example", "https://*.a.example"),
        ("https://a.example", "https://a.example:*"),
    ];
    for (wide, narrow) in yes {
        assert!(url(wide).covers(&url(narrow)), "{wide} {narrow}");
    }
    for (wide, narrow) in no {
        assert!(!url(wide).covers(&url(narrow)), "{wide} {narrow}");
    }
}

#[test]
fn several_rules_cover_one_together() {
    let wide = wish(
        r#"{"http":[{"connection":"k","methods":["GET"],"paths":["/a","/b"]},
                    {"connection":"*","methods":["POST"],"paths":["/a"]},
                    {"connection":"k","methods":["POST"],"paths":["/b"]}]}"#,
    );
    let narrow = wish(r#"{"http":[{"connection":"k","methods":["GET","POST"],"paths":["/a","/b"]}]}"#);
    assert!(wide.covers(&narrow));
    let more = wish(r#"{"http":[{"connection":"k","methods":["GET","PUT"],"paths":["/a","/c"]}]}"#);
    let open: Vec<_> = more.http.iter().flat_map(|rule| wide.uncovered(rule)).map(|rule| rule.phrase()).collect();
    assert_eq!(open, ["GET /c on connections of kind k", "PUT /a, /c on connections of kind k"]);
}

#[test]
fn the_same_wish_has_the_same_digest_however_it_is_written() {
    let one = wish(
        r#"{"http":[{"connection":"k"},{"url":"https://H:443","methods":["POST","GET"],"paths":["/b","/a","/a"]}]}"#,
    );
    let other = wish(
        r#"{"http":[{"url":"https://h","methods":["GET","POST"],"paths":["/a","/b"]},
                    {"connection":"k","methods":["HEAD","GET"]},{"connection":"k","paths":["/x"]}]}"#,
    );
    assert_eq!(one.digest(), other.digest());
    assert_eq!(one.normal(), other.normal());
    assert_ne!(one.digest(), Permissions { kv: KvAccess::Read, ..one }.digest());
}

#[test]
fn hostile_patterns_are_compared_in_no_time() {
    let long = "/*a".repeat(20_000);
    assert!(!path(&long).covers(&path(&format!("{long}b"))));
    assert!(path(&long).covers(&path(&long)));
    assert!(!path(&"/*a".repeat(200)).covers(&path(&"/aa".repeat(199))));
}

fn rule() -> impl Strategy<Value = HttpRule> {
    let target = prop_oneof![
        prop_oneof![Just("k"), Just("n"), Just("*")].prop_map(|name| (Some(name.to_owned()), None)),
        ("(http|https)://(\\*|a|\\*\\.a|b\\.a|\\*\\.b\\.a)(:8|:\\*|:443)?").prop_map(|url| (None, Some(url))),
    ];
    let methods = proptest::collection::vec(prop_oneof![Just("GET"), Just("POST"), Just("*"), Just("HEAD")], 0..3);
    let paths = proptest::collection::vec("/[ab/*]{0,4}", 0..3);
    (target, methods, paths).prop_map(|((connection, url), methods, paths)| {
        let text = serde_json::json!({ "connection": connection, "url": url, "methods": methods, "paths": paths });
        serde_json::from_value(text).unwrap()
    })
}

fn permissions() -> impl Strategy<Value = Permissions> {
    proptest::collection::vec(rule(), 0..4).prop_map(|http| Permissions { http, ..Permissions::default() })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_covered_allows_no_request_that_the_wider_one_does_not(
        wide in permissions(),
        narrow in permissions(),
        asks in proptest::collection::vec((0usize..5, 0usize..3, "/[ab/]{0,5}"), 30),
    ) {
        let covered = wide.covers(&narrow);
        let normal = narrow.normal();
        prop_assert!(narrow.covers(&narrow) && normal.covers(&narrow) && narrow.covers(&normal));
        let name = ConnectionName::new("n").unwrap();
        for (target, method, path) in asks {
            let host = ["a", "b.a", "c.b.a:8"].get(target.saturating_sub(2)).copied().unwrap_or("a");
            let url = Url::parse(&format!("{}://{host}{path}", ["http", "https"][target % 2])).unwrap();
            let target = match target {
                0 => HttpTarget::Connection { name: &name, kind: "k" },
                1 => HttpTarget::Connection { name: &name, kind: "other" },
                _ => HttpTarget::Url(&url),
            };
            let ask = HttpAsk { target, method: ["GET", "POST", "PUT"][method], path: &path };
            prop_assert_eq!(narrow.allows(&ask), normal.allows(&ask));
            if covered {
                prop_assert!(!narrow.allows(&ask) || wide.allows(&ask), "{:?} {}", target, path);
            }
            // What is left over is all that is missing.
            let open = Permissions { http: narrow.http.iter().flat_map(|rule| wide.uncovered(rule)).collect(), ..Permissions::default() };
            prop_assert!(!narrow.allows(&ask) || wide.allows(&ask) || open.allows(&ask));
        }
    }
}
