//! The parsers, each as a function of any bytes: for `cargo test`, and for cargo-fuzz where there is a nightly compiler.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use runner_engine::{Condition, Cron, Frame, Template};
use runner_model::mask::masked;
use runner_model::{
    AddressClass, AddressRange, Entry, Event, ExecutionId, ExecutionView, JournalMask, Mask, Permissions, Secret,
    Timestamp,
};
use runner_pack::{Algorithm, Encoding, Library, Lock, Place, Scheme, read_rehearsals, read_rule};
use runner_server::webhook::{Arrived, delivery, payload, verify};
use runner_store::{Keyring, SEAL_KEY_BYTES, SealKey};
use serde_json::Value;

/// By the names of their corpora.
pub(crate) const TARGETS: &[(&str, fn(&[u8]))] = &[
    ("pack", pack),
    ("action", action),
    ("workflow", workflow),
    ("rule", rule),
    ("rehearsal", rehearsal),
    ("cron", cron),
    ("condition", condition),
    ("template", template),
    ("signature", signature),
    ("payload", webhook_payload),
    ("journal", journal),
    ("event", event),
    ("mask", mask),
    ("sealed", sealed),
    ("names", names),
    ("archive", archive),
    ("lock", lock),
    ("address", address),
    ("permissions", permissions),
    ("parameters", parameters),
];

/// The bytes as one file of a pack, which is then read.
fn in_pack(path: &str, data: &[u8], read: impl Fn(&Path)) {
    let directory = tempfile::tempdir().unwrap();
    let pack = directory.path().join("p");
    fs::create_dir_all(pack.join(path).parent().unwrap()).unwrap();
    fs::write(pack.join("pack.yaml"), "ref: p\nversion: 1.0.0\n").unwrap();
    fs::write(pack.join(path), data).unwrap();
    read(&pack);
}

fn check(pack: &Path) {
    let (_, report) = runner_pack::check(pack, &Library::default());
    // What is said of it has to be made, too.
    drop(report.plain());
}

fn pack(data: &[u8]) {
    in_pack("pack.yaml", data, check);
}

fn action(data: &[u8]) {
    in_pack("actions/a.yaml", data, check);
}

fn workflow(data: &[u8]) {
    in_pack("workflows/w.yaml", data, check);
}

fn rule(data: &[u8]) {
    in_pack("rules/r.yaml", data, |pack| {
        let (_, report) = read_rule(&pack.join("rules/r.yaml"), None);
        drop(report.plain());
    });
}

fn rehearsal(data: &[u8]) {
    in_pack("tests/t.yaml", data, |pack| {
        let (_, report) = read_rehearsals(&pack.join("tests/t.yaml"), None);
        drop(report.plain());
    });
}

fn text(data: &[u8]) -> String {
    String::from_utf8_lossy(data).into_owned()
}

fn cron(data: &[u8]) {
    let text = text(data);
    let (expression, zone) = text.split_once('|').unwrap_or((&text, "UTC"));
    if let Ok(cron) = Cron::parse(expression, zone) {
        drop(cron.describe());
        let mut moment = Timestamp::from_millis(1_700_000_000_000);
        for _ in 0..3 {
            let Some(next) = cron.next_after(moment) else { return };
            assert!(next > moment, "{expression} goes back");
            moment = next;
        }
    }
}

fn condition(data: &[u8]) {
    if let Ok(condition) = Condition::compile(&Value::String(format!("<% {} %>", text(data)))) {
        drop(condition.holds(&frame()));
    }
}

fn template(data: &[u8]) {
    let value = serde_json::from_slice(data).unwrap_or_else(|_| Value::String(text(data)));
    if let Ok(template) = Template::compile(&value) {
        drop(template.render(&frame()));
    }
}

fn frame() -> Frame {
    let variables = serde_json::json!({ "a": 1, "text": "grüße", "list": [1, "b", null], "map": { "k": [true] } });
    let Value::Object(variables) = variables else { return Frame::default() };
    Frame { variables: Arc::new(variables), ..Frame::default() }
}

/// Lines of headers, an empty line, a body.
fn message(data: &[u8]) -> (HeaderMap, Vec<u8>) {
    let at = data.windows(2).position(|pair| pair == b"\n\n").unwrap_or(data.len());
    let mut headers = HeaderMap::new();
    for line in data[..at].split(|byte| *byte == b'\n') {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line.get(colon + 1..).unwrap_or_default().trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    (headers, data.get(at + 2..).unwrap_or_default().to_vec())
}

fn signature(data: &[u8]) {
    let (headers, body) = message(data);
    let plain = Scheme::Plain {
        header: "x-signature".to_owned(),
        prefix: "v=".to_owned(),
        encoding: Encoding::Base64,
        algorithm: Algorithm::Sha512,
    };
    let secrets = [Secret::new("nobody knows this".to_owned())];
    let (now, window) = (Timestamp::from_millis(1_700_000_000_000), Duration::from_secs(300));
    for scheme in [Scheme::GitHub, Scheme::Stripe, Scheme::StandardWebhooks, Scheme::Slack, plain] {
        assert!(verify(&scheme, &secrets, &headers, &body, now, window).is_err(), "{scheme:?} takes a forgery");
    }
    drop(delivery(&headers, "x-delivery"));
}

fn webhook_payload(data: &[u8]) {
    let (headers, body) = message(data);
    let query = text(&body);
    let arrived = Arrived { method: &Method::POST, path: "a/b", query: &query, headers: &headers, body: &body };
    drop(payload(&arrived, &[]));
}

fn journal(data: &[u8]) {
    let Ok(entries) = serde_json::from_slice::<Vec<Entry>>(data) else { return };
    drop(masked(&entries));
    let id = ExecutionId::from_bytes([7; 16]);
    if let Some(view) = ExecutionView::fold(id, &entries) {
        drop(view.explain(Timestamp::from_millis(0)));
        drop(serde_json::to_string(&view));
    }
    assert_eq!(JournalMask::of(&entries).mask().is_empty(), JournalMask::of(&entries).mask().secrets().is_empty());
}

fn event(data: &[u8]) {
    if let Ok(event) = serde_json::from_slice::<Event>(data) {
        let secrets = event.secrets.clone();
        let shown = serde_json::to_string(&event.masked().payload).unwrap();
        for secret in secrets.iter().filter(|secret| secret.len() >= 6 && !secret.bytes().all(|byte| byte == b'*')) {
            let quoted = serde_json::to_string(secret).unwrap();
            assert!(!shown.contains(&quoted), "{secret:?} is shown");
        }
    }
}

/// A secret, a line end, a text: nothing of the secret is left in it.
fn mask(data: &[u8]) {
    let text = text(data);
    let (secret, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let mask = Mask::default();
    mask.learn(secret);
    let known = !mask.is_empty() && secret.len() >= 6;
    let shown = mask.text(&format!("{rest}{secret}{rest}"));
    assert!(!known || !mask.is_in(shown.as_bytes()) || secret.contains('*'), "{secret:?} in {shown:?}");
    drop(mask.bytes(data));
    drop(mask.json(&serde_json::from_slice(rest.as_bytes()).unwrap_or_else(|_| Value::String(rest.to_owned()))));
}

fn sealed(data: &[u8]) {
    let keys = Keyring::new(SealKey::new([1; SEAL_KEY_BYTES]), vec![SealKey::new([2; SEAL_KEY_BYTES])]);
    assert!(keys.open(&["a", "1"], data).is_err(), "a forgery opens");
    let _ = keys.is_current(data);
}

fn names(data: &[u8]) {
    let text = text(data);
    drop(text.parse::<Timestamp>());
    drop(text.parse::<ExecutionId>());
    drop(text.parse::<runner_model::ActionRef>());
    drop(text.parse::<runner_model::RuleRef>());
    drop(text.parse::<runner_model::Role>());
    drop(runner_model::TaskName::new(text.as_str()));
    drop(runner_model::ConnectionName::new(text.as_str()));
    let _ = text.parse::<runner_host::TraceParent>();
}

/// Whatever the archive holds, nothing is written but below the directory that it is unpacked in.
fn archive(data: &[u8]) {
    let directory = tempfile::tempdir().unwrap();
    let packs = directory.path().join("packs");
    fs::create_dir(&packs).unwrap();
    let place = Place::open(&packs).unwrap();
    if let Ok(mut staged) = place.unpack(data) {
        drop(place.check(&mut staged, &Library::default()));
    }
    drop(place);
    let beside: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside, ["packs"]);
}

fn lock(data: &[u8]) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("runner.lock"), data).unwrap();
    drop(Lock::read(directory.path()));
}

/// What a range is written as, and what the parser of URLs makes of spellings of addresses.
fn address(data: &[u8]) {
    let text = text(data);
    if let Ok(range) = text.parse::<AddressRange>() {
        assert_eq!(range.to_string().parse::<AddressRange>().unwrap(), range);
    }
    let Ok(url) = reqwest::Url::parse(&format!("http://{text}/")) else { return };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    if let Ok(address) = host.parse() {
        // The same, mapped into the other family.
        let mapped = match address {
            IpAddr::V4(address) => IpAddr::V6(address.to_ipv6_mapped()),
            IpAddr::V6(address) => IpAddr::V6(address),
        };
        assert_eq!(AddressClass::of(address), AddressClass::of(mapped), "{address}");
    }
}

fn permissions(data: &[u8]) {
    let Ok(asked) = serde_json::from_slice::<Permissions>(data) else { return };
    let normal = asked.normal();
    assert_eq!(normal.normal(), normal, "the normal form is not one");
    let _ = (asked.covers(&normal), normal.covers(&Permissions::default()), asked.digest());
    asked.http.iter().for_each(|rule| drop(rule.mistakes()));
}

/// What a caller gives for parameters of each kind.
fn parameters(data: &[u8]) {
    const ACTION: &str = "runner_type: noop\nparameters:\n  a: {type: integer, minimum: 1}\n  b: {type: string, pattern: \"^x\"}\n  \
                          c: {type: array, items: {type: object}}\n  d: {type: object, secret: true}\n";
    let Ok(Value::Object(given)) = serde_json::from_slice(data) else { return };
    in_pack("actions/a.yaml", ACTION.as_bytes(), |pack| {
        let (pack, report) = runner_pack::check(pack, &Library::default());
        let pack = pack.unwrap_or_else(|| panic!("{}", report.plain()));
        drop(pack.actions["a"].parameters.bind(given.clone()));
    });
}
