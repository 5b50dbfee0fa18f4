//! Keys, made and taken back through a daemon.

use super::{place, seen};
use crate::daemon::kit::{Daemon, until};

#[tokio::test]
async fn keys_are_made_listed_and_taken_back_over_the_network() {
    let place = place();
    let daemon = Daemon::start(&place, &[]);
    // On the loopback the first needs no key.
    let made = seen(&place, &["key", "create", "boss", "--role", "admin", "--json", "--url", &daemon.url], 0).json();
    let (boss, id) = (made["secret"].as_str().unwrap(), made["key"]["id"].as_str().unwrap());
    let with = |key: &str, arguments: &[&str]| {
        let arguments = [arguments, &["--url", &daemon.url]].concat();
        let output = place.command(&arguments).env("RUNNER_KEY", key).output().unwrap();
        place.ended(&arguments, output)
    };
    let made =
        with(boss, &["key", "create", "eyes", "--role", "viewer", "--pack", "demo", "--expires", "1d", "--json"]);
    assert_eq!(made.code, Some(0), "{}", made.seen());
    let eyes = made.json();
    assert_eq!(
        (&eyes["key"]["role"], &eyes["key"]["packs"]),
        (&"viewer".into(), &serde_json::json!(["demo"])),
        "{eyes}"
    );
    let eyes = eyes["secret"].as_str().unwrap();
    assert_eq!(with(eyes, &["rule", "list"]).code, Some(0));
    let refused = with(eyes, &["rule", "disable", "demo.hook"]);
    assert_eq!(refused.code, Some(2), "{}", refused.seen());
    assert!(refused.stderr.contains("E-API-0003"), "{}", refused.seen());
    assert_eq!(with(eyes, &["key", "list"]).code, Some(2));
    assert_eq!(with(boss, &["key", "list", "--json"]).json().as_array().unwrap().len(), 2);
    assert_eq!(with(boss, &["key", "revoke", "eyes"]).code, Some(0));
    until("the revocation", async || (with(eyes, &["rule", "list"]).code == Some(2)).then_some(())).await;
    // Through the socket of the data directory nobody needs a key.
    assert!(seen(&place, &["key", "revoke", id], 0).stdout.contains("revoked"));
}
