//! The egress door of a real daemon: what a pack does not reach, whatever it was granted.

use std::net::{IpAddr, TcpListener, UdpSocket};

use serde_json::{Value, json};

use crate::daemon::kit::Daemon;
use crate::kit::Place;

/// The code of the error that an execution of `core.http_request` ended with; empty if it succeeded.
async fn ask(daemon: &Daemon, parameters: Value) -> String {
    let execution = daemon.run("core.http_request", parameters).await;
    match execution["status"].as_str() {
        Some("succeeded") => String::new(),
        _ => execution["errors"][0]["code"].as_str().unwrap_or_else(|| panic!("{execution}")).to_owned(),
    }
}

/// An address of this machine that is not of the loopback, if it has one. Nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// S14, own listening ports: the daemon's API is behind no URL, by no spelling and on no address of the machine, though
/// the grant names it. A connection that names the very address reaches it.
#[tokio::test]
async fn a_pack_does_not_reach_the_port_of_the_daemon_that_runs_it() {
    let place = Place::new();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let elsewhere = own_address();
    let mut hosts =
        vec!["127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433", "[::ffff:127.0.0.1]", "127.8.8.8"];
    let shown = elsewhere.map(|address| address.to_string());
    hosts.extend(shown.as_deref());
    let mut rules = vec!["{ connection = 'itself' }".to_owned()];
    rules.extend(hosts.iter().map(|host| format!("{{ url = 'http://{host}:{port}', methods = ['*'] }}")));
    rules.push(
        "{ url = 'http://*:*', addresses = ['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'] }"
            .to_owned(),
    );
    place.write(
        "runner.toml",
        &format!(
            "[grants.core]\nhttp = [{}]\n[connections.itself]\nkind = 'runner'\nbase_url = 'http://127.0.0.1:{port}'\n",
            rules.join(", ")
        ),
    );
    let daemon = Daemon::on(&place, &socket, &[]);
    for host in hosts {
        let url = format!("http://{host}:{port}/healthz");
        assert_eq!(ask(&daemon, json!({ "url": url })).await, "E-NET-0015", "{host}");
    }
    assert_eq!(ask(&daemon, json!({ "connection": "itself", "path": "/healthz" })).await, "");
    assert_eq!(daemon.stop().code(), Some(0));
}

/// S13, S14: a granted host is a granted host, port, path and method, and nothing of the machine around it.
#[tokio::test]
async fn a_pack_with_a_granted_host_reaches_nothing_beside_it() {
    let (place, first, second) = (Place::new(), Place::new(), Place::new());
    let (granted, other) = (Daemon::start(&first, &[]), Daemon::start(&second, &[]));
    place.write(
        "runner.toml",
        &format!(
            "[grants.core]\nhttp = [{{ url = '{}', paths = ['/healthz'] }}, {{ url = 'http://*:*' }}]\n\
             [[grants.ontap.http]]\nconnection = 'theirs'\n[connections.theirs]\nkind = 'runner'\nbase_url = '{}'\n",
            granted.url, other.url
        ),
    );
    let daemon = Daemon::start(&place, &[]);
    assert_eq!(ask(&daemon, json!({ "url": granted.at("/healthz") })).await, "");
    for (parameters, code) in [
        // The rule for every host lets it out as far as the address, and no further.
        (json!({ "url": granted.at("/readyz") }), "E-NET-0015"),
        (json!({ "url": other.at("/healthz") }), "E-NET-0015"),
        (json!({ "url": daemon.at("/healthz") }), "E-NET-0015"),
        (json!({ "url": "http://169.254.169.254/latest/meta-data/" }), "E-NET-0015"),
        (json!({ "url": "http://[fd00:ec2::254]/latest/meta-data/" }), "E-NET-0015"),
        (json!({ "url": "http://192.168.0.1/" }), "E-NET-0015"),
        (json!({ "url": granted.at("/healthz"), "method": "POST" }), "E-NET-0001"),
        (json!({ "url": granted.at("/healthz").replace("http:", "https:") }), "E-NET-0001"),
        (json!({ "connection": "theirs", "path": "/healthz" }), "E-NET-0001"),
    ] {
        assert_eq!(ask(&daemon, parameters.clone()).await, code, "{parameters}");
    }
    assert_eq!(daemon.stop().code(), Some(0));
}
