//! `runner connection test`, and what a pack says of its systems, from `pack.yaml` to the wire.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::kit::{Place, Run};

const PACK: &str = "ref: boxes\nversion: 0.1.0\nconnections:\n  box:\n    headers: {x-app: runner}\n    test: {path: /api/cluster}\n\
                    \x20   retry: {tries: 4, wait: 1ms, body: {pointer: /error/code, codes: [\"2621573\"]}}\n";
const GRANT: &str = "[[grants.core.http]]\nconnection = \"*\"\nmethods = [\"*\"]\n";

/// A server that gives request number n (from 0), beginning with this head, what the script says, and remembers heads.
struct Machine {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Machine {
    fn new(script: impl Fn(usize, &str) -> (u16, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::<String>::new()));
        let seen = Arc::clone(&heads);
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let (mut head, mut byte) = (Vec::new(), [0]);
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                    head.push(byte[0]);
                }
                // The test of a connection looks at the socket first.
                if head.is_empty() {
                    continue;
                }
                let head = String::from_utf8(head).unwrap();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                stream.read_exact(&mut vec![0; length.unwrap_or(0)]).unwrap();
                let number = seen.lock().unwrap().len();
                seen.lock().unwrap().push(head.clone());
                let (status, body) = script(number, &head);
                let length = body.len();
                let answer =
                    format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
                drop(stream.write_all(answer.as_bytes()));
            }
        });
        Self { url, heads }
    }

    fn requests(&self) -> usize {
        self.heads.lock().unwrap().len()
    }
}

/// A place with the pack, and with one connection that has these keys.
fn place(url: &str, keys: &str) -> Place {
    let place = Place::new();
    place.write("packs/boxes/pack.yaml", PACK);
    place.write("secret", "s3cr3t\n");
    place.canaries.take("s3cr3t");
    place.write("runner.toml", &format!("[connections.b]\nkind = \"box\"\nbase_url = \"{url}\"\n{keys}\n{GRANT}"));
    place
}

const BASIC: &str = "auth = { type = \"basic\", username = \"u\", password = { file = \"secret\" } }";

fn test(place: &Place) -> Run {
    let run = place.run(&["connection", "test", "b"]);
    assert!(!run.seen().contains("s3cr3t"), "{}", run.seen());
    run
}

#[test]
fn a_test_reads_what_the_pack_says_and_fails_with_what_to_do() {
    for (status, code, words) in [
        (200, 0, vec!["200 for GET /api/cluster"]),
        (401, 1, vec!["does not accept the credentials", "hint", "password"]),
        (403, 1, vec!["does not allow this", "role"]),
        (404, 1, vec!["does not have what a system of this kind has there", "base_url"]),
        (302, 1, vec!["leads elsewhere"]),
        (503, 1, vec!["try again"]),
    ] {
        let server = Machine::new(move |_, _| (status, "{}".to_owned()));
        let run = test(&place(&server.url, BASIC));
        assert_eq!(run.code, Some(code), "{}", run.seen());
        for word in words {
            assert!(run.stdout.contains(word), "{word}: {}", run.seen());
        }
        assert_eq!(server.requests(), 1, "one GET, whatever is answered");
        let head = server.heads.lock().unwrap()[0].clone();
        assert!(head.starts_with("GET /api/cluster ") && head.contains("x-app: runner"), "{head}");
    }
}

#[test]
fn a_test_gets_a_token_and_says_who_granted_it() {
    let oauth2 = |url: &str| {
        format!(
            "auth = {{ type = \"oauth2\", token_url = \"{url}/token\", client_id = \"c\", client_secret = {{ file = \"secret\" }} }}"
        )
    };
    let server = Machine::new(|_, head| match () {
        () if head.starts_with("POST /token ") => (200, r#"{"access_token":"t0k3n","expires_in":600}"#.to_owned()),
        () if head.contains("authorization: Bearer t0k3n") => (200, "{}".to_owned()),
        () => (401, "{}".to_owned()),
    });
    let place = place(&server.url, &oauth2(&server.url));
    let run = test(&place);
    assert_eq!(run.code, Some(0), "{}", run.seen());
    assert!(run.stdout.contains(&format!("token        granted by {}/token, good for ", server.url)), "{}", run.seen());
    assert!(!run.stdout.contains("t0k3n"));
    let list = place.run(&["connection", "list"]);
    assert!(list.stdout.contains("oauth2") && list.stdout.contains("ok"), "{}", list.seen());

    let refusing = Machine::new(|_, _| (401, r#"{"error":"invalid_client"}"#.to_owned()));
    place.write(
        "runner.toml",
        &format!("[connections.b]\nkind = \"box\"\nbase_url = \"{}\"\n{}\n", server.url, oauth2(&refusing.url)),
    );
    let run = test(&place);
    assert_eq!(run.code, Some(1), "{}", run.seen());
    assert!(run.stderr.contains("error[E-NET-0014]") && run.stderr.contains(&refusing.url), "{}", run.seen());
    assert!(run.stderr.contains("invalid_client") && run.stderr.contains("client_secret"), "{}", run.seen());
}

#[test]
fn what_a_pack_says_of_its_systems_holds_for_every_pack_until_the_operator_says_otherwise() {
    let script = |number: usize, _: &str| match number {
        0 | 1 => (409, r#"{"error":{"code":2621573}}"#.to_owned()),
        _ => (200, r#"{"done":true}"#.to_owned()),
    };
    let ask = ["exec", "core.http_request", "connection=b", "path=/x", "method=POST"];
    let server = Machine::new(script);
    let run = place(&server.url, BASIC).run(&ask);
    assert_eq!((run.code, server.requests()), (Some(0), 3), "{}", run.seen());
    assert!(run.stderr.contains("`/error/code` 2621573: the request is sent again"), "{}", run.seen());

    let server = Machine::new(script);
    let run = place(&server.url, &format!("{BASIC}\nretry = {{ tries = 1 }}")).run(&ask);
    assert_eq!((run.code, server.requests()), (Some(1), 1), "{}", run.seen());
}
