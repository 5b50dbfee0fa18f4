//! S14–S16: which addresses a request reaches, however they are written, and whoever says them: a URL, a name server, a
//! redirect.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;
use runner_host::{ConnectionConfig, Connections, Door, Lookup, PackContext};
use runner_model::{ConnectionName, Permissions, code};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::kit::{http, limits, pack};
use super::server::{Authority, Reply, Server};
use super::spellings;

/// A name server of the adversary's: answers each question with the next of its answers, and the last one for ever.
pub(super) struct Evil {
    answers: Mutex<BTreeMap<String, Vec<Vec<IpAddr>>>>,
    asked: AtomicUsize,
}

impl Evil {
    pub(super) fn new(names: &[(&str, &[&[&str]])]) -> Arc<Self> {
        let parsed = |answer: &&[&str]| answer.iter().map(|text| text.parse().unwrap()).collect();
        // The last answer comes first.
        let of =
            |(name, answers): &(&str, &[&[&str]])| ((*name).to_owned(), answers.iter().rev().map(parsed).collect());
        Arc::new(Self { answers: Mutex::new(names.iter().map(of).collect()), asked: AtomicUsize::new(0) })
    }

    fn say(&self, name: &str, address: IpAddr) {
        self.answers.lock().insert(name.to_owned(), vec![vec![address]]);
    }
}

#[async_trait]
impl Lookup for Evil {
    async fn lookup(&self, host: &str) -> std::io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock();
        let answers = answers.get_mut(host).ok_or(std::io::ErrorKind::NotFound)?;
        Ok(if answers.len() > 1 { answers.pop().unwrap() } else { answers[0].clone() })
    }
}

/// Listeners on every address of this machine, on one port: they count who comes and answer 200.
struct Trap {
    port: u16,
    caught: Arc<AtomicUsize>,
}

impl Trap {
    async fn new(addresses: &[&str]) -> Self {
        let caught = Arc::new(AtomicUsize::new(0));
        let mut port = 0;
        for address in addresses {
            let bound = TcpListener::bind((address.parse::<IpAddr>().unwrap(), port)).await;
            // A machine may have no IPv6.
            let Ok(listener) = bound else { continue };
            port = listener.local_addr().unwrap().port();
            tokio::spawn(answer_all(listener, Arc::clone(&caught)));
        }
        Self { port, caught }
    }

    fn caught(&self) -> usize {
        self.caught.load(Ordering::SeqCst)
    }
}

async fn answer_all(listener: TcpListener, caught: Arc<AtomicUsize>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        caught.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(async move {
            drop(stream.read(&mut [0; 4096]).await);
            drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi").await);
        });
    }
}

/// Connections behind a door with this name server.
pub(super) fn behind(lookup: &Arc<Evil>, configs: &[(&str, Value)]) -> Connections {
    behind_door(&Door::with_lookup(&limits(), Arc::clone(lookup) as _), configs)
}

fn behind_door(door: &Door, configs: &[(&str, Value)]) -> Connections {
    let parsed = configs.iter().map(|(name, config)| {
        (ConnectionName::new(name).unwrap(), serde_json::from_value::<ConnectionConfig>(config.clone()).unwrap())
    });
    Connections::behind(door, parsed.collect(), BTreeMap::new(), &limits()).unwrap()
}

/// A pack that asks for everything, and was granted this.
fn granted(connections: Connections, grant: Value) -> PackContext {
    let mut pack = pack(connections);
    let all = json!([
        { "connection": "*", "methods": ["*"] },
        { "url": "http://*:*", "methods": ["*"] },
        { "url": "https://*:*", "methods": ["*"] },
    ]);
    let permissions = |http: Value| serde_json::from_value::<Permissions>(json!({ "http": http })).unwrap();
    (pack.permissions, pack.grant) = (permissions(all), permissions(grant));
    pack
}

fn every_host() -> Value {
    json!([{ "url": "http://*:*", "methods": ["*"] }, { "url": "https://*:*", "methods": ["*"] }])
}

fn code_of(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or("")
}

/// Everything that means this machine means it to this name server, too.
fn gullible() -> Arc<Evil> {
    Evil::new(&[("localhost", &[&["127.0.0.1", "::1"]]), ("localhost.", &[&["127.0.0.1"]])])
}

#[tokio::test]
async fn no_spelling_of_an_address_in_a_url_reaches_it() {
    let trap = Trap::new(&["0.0.0.0", "::"]).await;
    let connections = behind(&gullible(), &[]);
    let (mut barred, mut malformed) = (0, Vec::new());
    for host in spellings::all() {
        for scheme in ["http", "https"] {
            let request = json!({ "url": format!("{scheme}://{host}:{}/latest/meta-data/", trap.port) });
            let answer = http(granted(connections.clone(), every_host()), request).await;
            match code_of(&answer) {
                "E-NET-0015" => barred += 1,
                "E-NET-0003" => malformed.push(host),
                _ => panic!("{scheme} {host}: {answer}"),
            }
            assert_eq!(answer["error"]["retryable"], false, "{host}: {answer}");
        }
    }
    assert!(barred >= 2 * 80, "{barred}");
    // What the parser refuses goes nowhere either.
    assert!(malformed.len() <= 8, "{malformed:?}");
    assert_eq!(trap.caught(), 0);
}

#[tokio::test]
async fn no_answer_of_a_name_server_leads_to_such_an_address() {
    let trap = Trap::new(&["0.0.0.0", "::"]).await;
    let evil = gullible();
    let mut count = 0;
    for spelling in spellings::all() {
        let Ok(url) = url::Url::parse(&format!("http://{spelling}/")) else { continue };
        let address: IpAddr = match url.host().unwrap() {
            url::Host::Ipv4(address) => address.into(),
            url::Host::Ipv6(address) => address.into(),
            url::Host::Domain(_) => "127.0.0.1".parse().unwrap(),
        };
        evil.say("innocent.example", address);
        // A pool that has not seen the name.
        let connections = behind(&evil, &[]);
        let request = json!({ "url": format!("http://innocent.example:{}/", trap.port) });
        let answer = http(granted(connections, every_host()), request).await;
        assert_eq!(code_of(&answer), code::NET_ADDRESS.id(), "{spelling} {address}: {answer}");
        let shown = answer.to_string();
        let is_private = address.to_string().starts_with("10.");
        assert!(!is_private || !shown.contains(&address.to_string()), "what the network holds is not told: {shown}");
        count += 1;
    }
    assert!(count >= 80, "{count}");
    assert_eq!(trap.caught(), 0);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_following_it_by_hand_leads_to_no_such_address() {
    let trap = Trap::new(&["0.0.0.0", "::"]).await;
    let hosts: Vec<_> = spellings::all().collect();
    let locations: Vec<String> = hosts.iter().map(|host| format!("http://{host}:{}/", trap.port)).collect();
    let all = locations.clone();
    let server = Server::scripted(None, move |number, _| {
        let location = all[number].clone();
        async move { Reply(302, vec![("location", location)], String::new()) }
    })
    .await;
    let config = json!({ "kind": "storage", "base_url": server.url(), "auth": { "bearer": { "token": "s3cret" } } });
    let connections = behind(&gullible(), &[("box", config)]);
    let grant = json!([{ "connection": "box" }, { "url": "http://*:*", "methods": ["*"] }]);
    let pack = || granted(connections.clone(), grant.clone());
    for location in &locations {
        let answer = http(pack(), json!({ "connection": "box", "path": "/" })).await;
        assert_eq!(answer["status"], 302, "{location}: {answer}");
        let headers = answer["headers"].as_array().unwrap();
        let told = headers.iter().find(|header| header[0] == "location").unwrap()[1].as_str().unwrap();
        let answer = http(pack(), json!({ "url": told })).await;
        assert!(["E-NET-0015", "E-NET-0003"].contains(&code_of(&answer)), "{location}: {answer}");
    }
    assert!(locations.len() >= 80);
    assert_eq!(trap.caught(), 0);
    assert_eq!(server.seen.lock().len(), locations.len(), "one request each: none was followed");
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirect() {
    let elsewhere = Server::plain().await;
    let target = elsewhere.url();
    let server = Server::scripted(None, {
        let target = target.clone();
        move |_, _| {
            let target = target.clone();
            async move { Reply(307, vec![("location", target)], String::new()) }
        }
    })
    .await;
    let config = json!({
        "kind": "storage", "base_url": server.url(), "headers": { "x-api-key": "k3y" },
        "auth": { "basic": { "username": "admin", "password": "pw" } },
    });
    let connections = behind(&gullible(), &[("box", config)]);
    let pack = || granted(connections.clone(), json!([{ "connection": "box", "methods": ["*"] }, { "url": target }]));
    let answer = http(pack(), json!({ "connection": "box", "path": "/", "method": "POST", "body": "x" })).await;
    assert_eq!(answer["status"], 307);
    assert_eq!((server.last().header("x-api-key"), elsewhere.seen.lock().len()), (Some("k3y"), 0));
    assert_eq!(http(pack(), json!({ "url": target })).await["status"], 200);
    let seen = elsewhere.last();
    assert_eq!((seen.header("authorization"), seen.header("x-api-key"), seen.header("referer")), (None, None, None));
}

#[tokio::test]
async fn a_name_that_changes_its_address_reaches_only_the_one_that_was_granted() {
    // S15: the harmless address stands for a public one, which no test may dial.
    let harmless = Trap::new(&["127.0.0.2"]).await;
    let victim = TcpListener::bind(("127.0.0.1", harmless.port)).await.unwrap();
    let caught = Arc::new(AtomicUsize::new(0));
    tokio::spawn(answer_all(victim, Arc::clone(&caught)));
    let grant = json!([{ "url": "http://*:*", "addresses": ["127.0.0.2/32"] }]);
    let url = format!("http://rebound.example:{}/", harmless.port);
    for (second, rounds) in [("127.0.0.1", 500), ("169.254.169.254", 500)] {
        let evil = Evil::new(&[]);
        let connections = behind(&evil, &[]);
        let before = harmless.caught();
        for round in 0..rounds {
            evil.answers.lock().insert(
                "rebound.example".to_owned(),
                vec![vec![second.parse().unwrap()], vec!["127.0.0.2".parse().unwrap()]],
            );
            let answer = http(granted(connections.clone(), grant.clone()), json!({ "url": url })).await;
            assert_eq!(answer["status"], 200, "{round}: {answer}");
            let answer = http(granted(connections.clone(), grant.clone()), json!({ "url": url })).await;
            assert_eq!(code_of(&answer), code::NET_ADDRESS.id(), "{round}: {answer}");
        }
        assert_eq!(harmless.caught() - before, rounds);
        assert_eq!(evil.asked.load(Ordering::SeqCst), 2 * rounds, "asked once for each: nothing is resolved again");
    }
    assert_eq!(caught.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn of_many_answers_only_those_are_dialled_that_may_be() {
    let victim = Trap::new(&["127.0.0.1"]).await;
    let evil = Evil::new(&[("mixed.example", &[&["169.254.169.254", "127.0.0.1", "127.0.0.2", "0.0.0.0"]])]);
    let grant = json!([{ "url": "http://*:*", "addresses": ["127.0.0.2/32"] }]);
    let request = json!({ "url": format!("http://mixed.example:{}/", victim.port) });
    // Nobody listens at the one that may be dialled: the others are no way out.
    let answer = http(granted(behind(&evil, &[]), grant.clone()), request.clone()).await;
    assert_eq!((code_of(&answer), victim.caught()), (code::NET_CONNECT.id(), 0), "{answer}");
    let listener = TcpListener::bind(("127.0.0.2", victim.port)).await.unwrap();
    tokio::spawn(answer_all(listener, Arc::default()));
    let answer = http(granted(behind(&evil, &[]), grant), request).await;
    assert_eq!((&answer["status"], victim.caught()), (&json!(200), 0), "{answer}");
}

#[tokio::test]
async fn the_server_hears_the_name_and_not_the_address() {
    let authority = Authority::new();
    let server = Server::tls(&authority.identity("array.corp")).await;
    let evil = Evil::new(&[("array.corp", &[&["127.0.0.1"]])]);
    let config = json!({
        "kind": "storage", "base_url": format!("https://array.corp:{}", server.port),
        "tls": { "ca_pem": authority.pem() }, "addresses": ["127.0.0.0/8"],
    });
    let connections = behind(&evil, &[("box", config)]);
    let answer = http(
        granted(connections.clone(), json!([{ "connection": "box" }])),
        json!({ "connection": "box", "path": "/" }),
    );
    assert_eq!(answer.await["body"], "hello");
    assert_eq!(server.last().header("host"), Some(format!("array.corp:{}", server.port).as_str()));
    assert_eq!(connections.test("box").await.unwrap().addresses, ["127.0.0.1".parse::<IpAddr>().unwrap()]);
}

#[tokio::test]
async fn a_grant_names_an_address_with_its_port_and_nothing_else_permits_it() {
    let server = Server::plain().await;
    let port = server.port;
    let evil =
        Evil::new(&[("localhost", &[&["127.0.0.1"]]), ("array.corp", &[&["127.0.0.1"]]), ("liar", &[&["10.9.9.9"]])]);
    let connections = behind(&evil, &[]);
    let url = |host: &str| format!("http://{host}:{port}/");
    for (grant, host, reached) in [
        (json!({ "url": format!("http://127.0.0.1:{port}") }), "127.0.0.1", true),
        (json!({ "url": format!("http://127.0.0.1:{port}") }), "0x7f.1", true),
        (json!({ "url": format!("http://127.0.0.1:{port}") }), "①②⑦.1", true),
        (json!({ "url": "http://127.0.0.1:*" }), "127.0.0.1", false),
        (json!({ "url": format!("http://*:{port}") }), "127.0.0.1", false),
        (json!({ "url": format!("http://localhost:{port}") }), "localhost", true),
        (json!({ "url": "http://localhost:*" }), "localhost", false),
        (json!({ "url": format!("http://array.corp:{port}") }), "array.corp", false),
        (json!({ "url": format!("http://array.corp:{port}"), "addresses": ["127.0.0.1"] }), "array.corp", true),
        (json!({ "url": format!("http://array.corp:{port}"), "addresses": ["127.0.0.0/8"] }), "array.corp", true),
        (json!({ "url": format!("http://array.corp:{port}"), "addresses": ["10.0.0.0/8"] }), "array.corp", false),
        (json!({ "url": format!("http://array.corp:{port}"), "addresses": ["0.0.0.0/0"] }), "array.corp", false),
        (json!({ "url": "http://*:*", "addresses": ["127.0.0.1"] }), "localhost", true),
    ] {
        let answer = http(granted(connections.clone(), json!([grant])), json!({ "url": url(host) })).await;
        let expected = if reached { "" } else { code::NET_ADDRESS.id() };
        assert_eq!(code_of(&answer), expected, "{grant} {host}: {answer}");
        assert_eq!(answer["status"] == 200, reached, "{grant} {host}: {answer}");
    }
    let mut wishing = granted(connections, json!([{ "url": format!("http://*:{port}") }]));
    wishing.permissions.http[0].addresses = Some(vec!["127.0.0.1".parse().unwrap()]);
    let answer = http(wishing, json!({ "url": url("array.corp") })).await;
    assert_eq!(code_of(&answer), code::NET_ADDRESS.id(), "a wish opens nothing: {answer}");
}

#[tokio::test]
async fn a_denied_address_is_named_by_its_class_with_the_line_that_would_permit_it() {
    let evil = Evil::new(&[("array.corp", &[&["10.20.30.40"]]), ("localhost", &[&["127.0.0.1"]])]);
    let config = |base: &str| json!({ "kind": "storage", "base_url": base });
    let connections = behind(&evil, &[("box", config("http://array.corp")), ("here", config("http://meta.corp"))]);
    evil.say("meta.corp", "169.254.169.254".parse().unwrap());
    let grant = json!([{ "connection": "*" }, { "url": "http://*:*" }]);
    for (request, message, hint) in [
        (
            json!({ "url": "http://array.corp/" }),
            "`array.corp` has a private address",
            "`addresses = [\"10.0.0.0/8\"]`",
        ),
        (json!({ "url": "http://10.1.2.3/" }), "`10.1.2.3` is a private address", "`addresses = [\"10.1.2.3/32\"]`"),
        (json!({ "url": "http://127.0.0.1:99/" }), "is a loopback address", "`url = \"http://127.0.0.1:99\"`"),
        (json!({ "url": "http://[::1]:99/" }), "is a loopback address", "`url = \"http://[::1]:99\"`"),
        (json!({ "url": "http://localhost/" }), "has a loopback address", "`url = \"http://localhost:80\"`"),
        (json!({ "url": "http://0.0.0.0/" }), "is the unspecified address", "nothing permits it"),
        (json!({ "url": "http://[2002::1]/" }), "is a reserved address", "nothing permits it"),
        (json!({ "connection": "here", "path": "/" }), "cloud's metadata service", "`[connections.here]`"),
    ] {
        let answer = http(granted(connections.clone(), grant.clone()), request.clone()).await;
        assert_eq!(code_of(&answer), code::NET_ADDRESS.id(), "{request}: {answer}");
        assert_eq!(answer["error"]["kind"], "ErrorKind::Denied");
        let text = |key: &str| answer["error"][key].as_str().unwrap_or("").to_owned();
        assert!(text("message").contains(message) && text("hint").contains(hint), "{request}: {answer}");
        assert!(!answer.to_string().contains("10.20.30.40"), "{answer}");
    }
}

#[tokio::test]
async fn a_connection_reaches_what_its_base_url_names_and_what_its_networks_hold() {
    let server = Server::plain().await;
    let evil = Evil::new(&[("localhost", &[&["127.0.0.1"]]), ("array.corp", &[&["127.0.0.1"]])]);
    for (host, addresses, reached) in [
        ("127.0.0.1", None, true),
        ("localhost", None, true),
        ("array.corp", None, false),
        ("array.corp", Some(json!(["127.0.0.1/32"])), true),
        ("array.corp", Some(json!(["127.0.1.1/32"])), false),
        ("array.corp", Some(json!(["0.0.0.0/0"])), false),
        ("127.0.0.1", Some(json!(["10.0.0.0/8"])), false),
        ("localhost", Some(json!(["10.0.0.0/8"])), false),
    ] {
        let mut config = json!({ "kind": "storage", "base_url": format!("http://{host}:{}", server.port) });
        config["addresses"] = addresses.clone().unwrap_or(Value::Null);
        let connections = behind(&evil, &[("box", config)]);
        let pack = granted(connections.clone(), json!([{ "connection": "box" }]));
        let answer = http(pack, json!({ "connection": "box", "path": "/" })).await;
        assert_eq!(answer["status"] == 200, reached, "{host} {addresses:?}: {answer}");
        let tested = connections.test("box").await;
        assert_eq!(tested.is_ok(), reached, "the test of a connection goes the same way: {host} {addresses:?}");
        if let Err(failure) = tested {
            assert_eq!((code_of(&answer), failure.code.as_str()), ("E-NET-0015", "E-NET-0015"), "{answer}");
        }
    }
    let none = json!({ "kind": "storage", "base_url": "http://h", "addresses": [] });
    let config = serde_json::from_value(none).unwrap();
    let made = Connections::new(vec![(ConnectionName::new("box").unwrap(), config)], BTreeMap::new(), &limits());
    assert!(made.unwrap_err().message.contains("`addresses` is empty"));
}

#[tokio::test]
async fn a_token_endpoint_is_reached_by_the_rules_of_its_connection() {
    let endpoint =
        Server::scripted(None, |_, _| async { Reply::of(200, r#"{"access_token":"t","token_type":"bearer"}"#) }).await;
    let server = Server::plain().await;
    let evil = Evil::new(&[("idp.corp", &[&["127.0.0.1"]])]);
    for (host, addresses, reached) in
        [("127.0.0.1", None, true), ("idp.corp", None, false), ("idp.corp", Some(json!(["127.0.0.0/8"])), true)]
    {
        let oauth2 = json!({
            "token_url": format!("http://{host}:{}/token", endpoint.port), "client_id": "a", "client_secret": "b",
        });
        let mut config = json!({ "kind": "storage", "base_url": server.url(), "auth": { "oauth2": oauth2 } });
        config["addresses"] = addresses.unwrap_or(Value::Null);
        let pack = granted(behind(&evil, &[("box", config)]), json!([{ "connection": "box" }]));
        let answer = http(pack, json!({ "connection": "box", "path": "/" })).await;
        assert_eq!(answer["status"] == 200, reached, "{host}: {answer}");
        let is_why = answer["error"]["message"].as_str().is_some_and(|text| text.contains("a loopback address"));
        assert_eq!(is_why, !reached, "{host}: {answer}");
    }
}

#[tokio::test]
async fn no_url_leads_back_into_this_process_and_a_connection_does_only_by_the_very_address() {
    let server = Server::plain().await;
    let (port, evil) = (server.port, Evil::new(&[("self.corp", &[&["127.0.0.1"]]), ("localhost", &[&["127.0.0.1"]])]));
    let door = Door::with_lookup(&limits(), evil as _);
    let base = |host: &str| json!({ "kind": "storage", "base_url": format!("http://{host}:{port}") });
    let named =
        json!({ "kind": "storage", "base_url": format!("http://self.corp:{port}"), "addresses": ["127.0.0.0/8"] });
    let configs = [("literal", base("127.0.0.1")), ("localhost", base("localhost")), ("named", named)];
    let connections = behind_door(&door, &configs);
    let all = [("127.0.0.1"), ("localhost"), ("self.corp")];
    let grant = || {
        let mut rules = vec![json!({ "connection": "*" })];
        rules.extend(all.map(|host| json!({ "url": format!("http://{host}:{port}") })));
        rules.push(json!({ "url": "http://*:*", "addresses": ["127.0.0.0/8"] }));
        Value::from(rules)
    };
    let ask = async |request: Value| http(granted(connections.clone(), grant()), request).await;
    let own: SocketAddr = format!("0.0.0.0:{port}").parse().unwrap();
    let listening = door.listening(own);
    for host in all {
        let answer = ask(json!({ "url": format!("http://{host}:{port}/") })).await;
        assert_eq!(code_of(&answer), code::NET_ADDRESS.id(), "{host}: {answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains("this process itself listens"), "{answer}");
    }
    for (connection, reached) in [("literal", true), ("localhost", true), ("named", false)] {
        let answer = ask(json!({ "connection": connection, "path": "/" })).await;
        assert_eq!(answer["status"] == 200, reached, "{connection}: {answer}");
    }
    drop(listening);
    for host in all {
        assert_eq!(ask(json!({ "url": format!("http://{host}:{port}/") })).await["status"], 200, "{host}");
    }
}

/// S13: what a grant leaves out is out of reach, part by part.
#[tokio::test]
async fn a_guest_with_a_granted_host_reaches_no_other_path_port_method_or_connection() {
    let (server, other) = (Server::plain().await, Server::plain().await);
    let config = |server: &Server| json!({ "kind": "storage", "base_url": server.url() });
    let evil = gullible();
    let connections = behind(&evil, &[("mine", config(&server)), ("theirs", config(&other))]);
    let grant = json!([
        { "url": server.url(), "methods": ["GET"], "paths": ["/api/**"] },
        { "connection": "mine", "methods": ["GET"], "paths": ["/api/**"] },
    ]);
    let ask = async |request: Value| http(granted(connections.clone(), grant.clone()), request).await;
    assert_eq!(ask(json!({ "url": format!("{}/api/x", server.url()) })).await["status"], 200);
    assert_eq!(ask(json!({ "connection": "mine", "path": "/api/x" })).await["status"], 200);
    let before = server.seen.lock().len();
    for request in [
        json!({ "url": format!("{}/admin", server.url()) }),
        json!({ "url": format!("{}/api/../admin", server.url()) }),
        json!({ "url": format!("{}/api/%2e%2e/admin", server.url()) }),
        json!({ "url": format!("{}/api/x", other.url()) }),
        json!({ "url": format!("https://127.0.0.1:{}/api/x", server.port) }),
        json!({ "url": format!("http://localhost:{}/api/x", server.port) }),
        json!({ "url": format!("{}/api/x", server.url()), "method": "DELETE" }),
        json!({ "connection": "mine", "path": "/admin" }),
        json!({ "connection": "mine", "path": "/api/x", "method": "POST" }),
        json!({ "connection": "theirs", "path": "/api/x" }),
    ] {
        assert_eq!(code_of(&ask(request.clone()).await), code::NET_DENIED.id(), "{request}");
    }
    assert_eq!((server.seen.lock().len(), other.seen.lock().len()), (before, 0), "nothing was sent");
}
