//! A daemon with a certificate, and what the command line says of one that it does not trust.

use super::front::Authority;
use super::kit::{Daemon, until};
use crate::kit::{Place, Run};

const TLS: &str = "[server]\ntls = { certificate = \"chain.pem\", key = \"key.pem\" }\n";

/// Asks for a list, with these variables in the environment. The system trusts only what the test says.
fn ask(place: &Place, url: &str, variables: &[(&str, &str)]) -> Run {
    let arguments = ["execution", "list", "--url", url];
    let mut command = place.command(&arguments);
    command.env("SSL_CERT_FILE", place.path("other.pem")).env("SSL_CERT_DIR", place.path("none"));
    command.envs(variables.iter().copied());
    place.ended(&arguments, command.output().unwrap())
}

fn place(authority: &Authority) -> Place {
    let place = Place::new();
    place.write("runner.toml", TLS);
    place.write("ca.pem", &authority.pem());
    place.write("other.pem", &Authority::new("another one").pem());
    authority.give(&place, "127.0.0.1");
    place
}

#[test]
fn a_certificate_is_trusted_only_if_its_authority_is_and_what_is_wrong_is_said() {
    let place = place(&Authority::new("ours"));
    let daemon = Daemon::start(&place, &[]);
    assert!(daemon.url.starts_with("https://127.0.0.1:"), "{}", daemon.url);
    let by_name = daemon.url.replace("127.0.0.1", "localhost");
    let without = daemon.url.replace("https", "http");
    place.write("empty.pem", "nothing\n");
    let table: &[(&str, &[(&str, &str)], i32, &[&str])] = &[
        (&daemon.url, &[("RUNNER_CACERT", "ca.pem")], 0, &[]),
        // An authority of the system's is as good as one of the user's.
        (&daemon.url, &[("SSL_CERT_FILE", "ca.pem")], 0, &[]),
        (&daemon.url, &[], 5, &["is signed by nobody who is trusted here", "`RUNNER_CACERT=FILE`"]),
        (&daemon.url, &[("SSL_CERT_FILE", "none")], 5, &["trusts no authority", "`RUNNER_CACERT=FILE`"]),
        (&daemon.url, &[("RUNNER_CACERT", "other.pem")], 5, &["is signed by nobody", "`other.pem` (RUNNER_CACERT)"]),
        (&by_name, &[("RUNNER_CACERT", "ca.pem")], 5, &["is for other names", "`127.0.0.1`"]),
        (&daemon.url, &[("RUNNER_CACERT", "none.pem")], 2, &["`none.pem` (RUNNER_CACERT) cannot be read"]),
        (&daemon.url, &[("RUNNER_CACERT", "empty.pem")], 2, &["`empty.pem` (RUNNER_CACERT)", "in PEM"]),
        (&without, &[], 5, &["cannot be reached", "`https://…`"]),
    ];
    for (url, variables, code, words) in table {
        let run = ask(&place, url, variables);
        assert_eq!(run.code, Some(*code), "{variables:?}: {}", run.seen());
        for word in *words {
            assert!(run.stderr.contains(word), "{variables:?}: {word} is missing: {}", run.seen());
        }
    }
    assert_eq!(daemon.stop().code(), Some(0));
}

#[test]
fn without_tls_nobody_needs_authorities_and_tls_is_not_taken_for_a_daemon_that_is_away() {
    let place = Place::new();
    let daemon = Daemon::start(&place, &[]);
    let run = ask(&place, &daemon.url, &[("SSL_CERT_FILE", "none")]);
    assert_eq!(run.code, Some(0), "{}", run.seen());
    place.write("ca.pem", &Authority::new("ours").pem());
    let run = ask(&place, &daemon.url.replace("http", "https"), &[("RUNNER_CACERT", "ca.pem")]);
    assert!(run.code == Some(5) && run.stderr.contains("`http://…`"), "{}", run.seen());
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_without_a_restart_and_a_broken_one_is_not() {
    let (first, second) = (Authority::new("first"), Authority::new("second"));
    let place = place(&first);
    let daemon = Daemon::start(&place, &[]);
    place.write("second.pem", &second.pem());
    let trusted = |authority: &str| ask(&place, &daemon.url, &[("RUNNER_CACERT", authority)]).code == Some(0);
    assert!(trusted("ca.pem") && !trusted("second.pem"));
    place.write("chain.pem", "half of it");
    daemon.signal("HUP");
    let log = || std::fs::read_to_string(place.path("daemon.log")).unwrap();
    until("the doubt", async || log().contains("the certificate from before stays").then_some(())).await;
    assert!(trusted("ca.pem"));
    second.give(&place, "127.0.0.1");
    daemon.signal("HUP");
    until("the new one", async || trusted("second.pem").then_some(())).await;
    assert!(!trusted("ca.pem"));
    assert_eq!(daemon.stop().code(), Some(0));
}

#[test]
fn a_certificate_that_cannot_be_used_keeps_the_daemon_from_starting() {
    let place = place(&Authority::new("ours"));
    let key = std::fs::read_to_string(place.path("key.pem")).unwrap();
    Authority::new("ours").give(&place, "127.0.0.1");
    place.write("key.pem", &key);
    let refused = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(refused.code == Some(4) && refused.stderr.contains("make no certificate"), "{}", refused.seen());
    std::fs::remove_file(place.path("key.pem")).unwrap();
    let refused = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(refused.code == Some(4) && refused.stderr.contains("key.pem"), "{}", refused.seen());
}
