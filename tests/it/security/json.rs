//! Hostile JSON (S9) at the doors that it comes in by: the API, webhooks, parameters of the command line.

use serde_json::json;

use crate::daemon::kit::Daemon;
use crate::kit::Place;

/// Each with its name and its text; none is JSON, or none that is taken.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    let within =
        |value: &str| format!("{{\"action\": \"core.noop\", \"parameters\": {{\"x\": {value}}}}}").into_bytes();
    let around =
        |open: &str, close: &str, times: usize| within(&format!("{}1{}", open.repeat(times), close.repeat(times)));
    vec![
        ("a million brackets", "[".repeat(1_000_000).into_bytes()),
        ("many braces", "{\"a\":".repeat(150_000).into_bytes()),
        ("a list that is too deep", around("[", "]", 130)),
        ("a map that is too deep", around("{\"a\":", "}", 130)),
        ("very deep and well-formed", around("[", "]", 100_000)),
        ("half of a pair", within("\"\\ud800\"")),
        ("the other half", within("\"\\udc00\"")),
        ("a pair the wrong way round", within("\"\\udc00\\ud800\"")),
        ("a number beyond all", within("1e999")),
        ("a number of many digits", within(&"9".repeat(500_000))),
        ("a number with a zero in front", within("01")),
        ("a plus", within("+1")),
        ("hexadecimal", within("0x10")),
        ("no number", within("NaN")),
        ("infinity", within("-Infinity")),
        ("a line in a text", within("\"a\nb\"")),
        ("NUL in a text", within("\"a\0b\"")),
        ("a wrong escape", within("\"\\q\"")),
        ("single quotes", text("{'action': 'core.noop'}")),
        ("a comment", text("{\"action\": \"core.noop\" /* x */}")),
        ("a comma too many", text("{\"action\": \"core.noop\",}")),
        ("no quotes", text("{action: \"core.noop\"}")),
        ("something behind the end", text("{\"action\": \"core.noop\"} {}")),
        ("cut off", text("{\"action\": \"core.no")),
        ("nothing but spaces", text("   ")),
        ("a byte order mark", "\u{feff}{\"action\": \"core.noop\"}".as_bytes().to_vec()),
        ("not UTF-8", b"{\"action\": \"core.\xff\"}".to_vec()),
        ("too long UTF-8", b"{\"action\": \"\xc0\xaf\"}".to_vec()),
        ("UTF-16", "{}".encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_json_is_refused_by_the_api_and_by_webhooks_and_harms_nothing() {
    let place = Place::new();
    place.write("packs/hooks/pack.yaml", "ref: hooks\nversion: 1.0.0\n");
    let open = "trigger: {type: core.webhook, parameters: {path: open, auth: none}}\naction: {ref: core.noop}\n";
    place.write("packs/hooks/rules/open.yaml", open);
    let daemon = Daemon::start(&place, &[]);
    let post = async |path: &str, body: Vec<u8>| {
        let request = daemon.client.post(daemon.at(path)).header("content-type", "application/json");
        let response = request.body(body).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    for (name, body) in hostile() {
        for path in ["/api/v1/executions", "/api/v1/webhooks/open"] {
            let (status, said) = post(path, body.clone()).await;
            assert!(matches!(status, 400 | 422), "{name} at {path}: {status} {said}");
            assert!(said.contains("E-API-0001") || said.contains("E-HOOK-0005"), "{name} at {path}: {said}");
            assert!(said.len() < 2_000, "{name} at {path}: an answer of {} bytes", said.len());
        }
    }
    // What is longer than is taken may be answered before all of it was sent.
    let long = daemon.client.post(daemon.at("/api/v1/executions")).header("content-type", "application/json");
    if let Ok(response) = long.body("[".repeat(10_000_000)).send().await {
        assert_eq!(response.status().as_u16(), 413);
    }
    let (status, said) =
        post("/api/v1/executions", b"{\"action\": \"core.noop\", \"action\": \"core.echo\"}".to_vec()).await;
    assert_eq!(status, 422, "a key of the request twice: {said}");
    assert_eq!(daemon.run("core.noop", json!({})).await["status"], "succeeded");
    daemon.stop();
}

#[test]
fn hostile_json_on_the_command_line_is_refused_with_a_code() {
    let place = Place::new();
    for (name, body) in hostile() {
        let Ok(text) = String::from_utf8(body) else { continue };
        place.write("hostile.json", &text);
        let run = place.run(&["exec", "core.echo", "message:=@hostile.json", "--json"]);
        let code = run.error_json()["error"]["code"].as_str().unwrap_or_default().to_owned();
        assert_eq!(run.code, Some(2), "{name}: {}", run.stderr.chars().take(500).collect::<String>());
        assert!(code.starts_with("E-PARAM-"), "{name}: {code}");
        assert!(run.stderr.len() < 3_000, "{name}: {} bytes are said", run.stderr.len());
    }
}
