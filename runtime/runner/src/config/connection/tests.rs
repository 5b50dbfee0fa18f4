//! What can be written into `[connections.NAME]`, and each mistake with its place.

use std::collections::BTreeMap;
use std::path::Path;

use runner_host::{Auth, ClientAuth, ConnectionConfig};

use crate::config::file::ConfigFile;
use crate::config::{Connection, Environment, Sources, connection};

fn parse(keys: &str) -> Result<ConfigFile, crate::error::CliError> {
    let text = format!("[connections.a]\nkind = 'ontap'\nbase_url = 'https://h'\n{keys}\n");
    ConfigFile::parse(Path::new("runner.toml"), &text)
}

/// A connection with these keys, and with its secrets: `$SECRET` is `hunter2`, and files count from `base`.
fn resolved(keys: &str, base: &Path) -> (Connection, ConnectionConfig) {
    let (name, settings) = parse(keys).unwrap().connections.into_iter().next().unwrap();
    let connection = Connection { settings, place: connection::Place { name, file: None, base: base.to_owned() } };
    let environment = Environment::of(BTreeMap::from([("SECRET".to_owned(), "hunter2".to_owned())]));
    let config =
        connection.resolve(&Sources::with(environment, &BTreeMap::new())).map_err(|error| error.mistakes).unwrap();
    (connection, config)
}

fn mistake(keys: &str) -> (String, Option<String>) {
    let mistake = parse(keys).unwrap_err().mistakes.into_iter().next().unwrap();
    (mistake.message, mistake.hint)
}

#[test]
fn client_credentials_are_read_in_both_forms() {
    let keys = "token_url = 'https://idp/token', client_id = 'runner', client_secret = { env = 'SECRET' }";
    for auth in [format!("{{ type = 'oauth2', {keys} }}"), format!("{{ oauth2 = {{ {keys} }} }}")] {
        let (connection, config) = resolved(&format!("auth = {auth}"), Path::new(""));
        assert_eq!(connection.summary(), ("oauth2", "platform"));
        let Auth::OAuth2(oauth2) = config.auth else { panic!("{:?}", config.auth) };
        assert_eq!((oauth2.token_url.as_str(), oauth2.client_id.as_str()), ("https://idp/token", "runner"));
        assert_eq!(oauth2.client_secret.expose(), "hunter2");
        assert_eq!((oauth2.client_auth, oauth2.scopes.len()), (ClientAuth::Basic, 0));
        assert!(oauth2.token_tls.is_none() && !format!("{oauth2:?}").contains("hunter2"));
    }
    let more = "scopes = ['a', 'b'], audience = 'x', client_auth = 'post', token_tls = { insecure = true }";
    let (_, config) = resolved(&format!("auth = {{ type = 'oauth2', {keys}, {more} }}"), Path::new(""));
    let Auth::OAuth2(oauth2) = config.auth else { panic!("{:?}", config.auth) };
    assert_eq!((oauth2.client_auth, oauth2.scopes.len(), oauth2.audience.as_deref()), (ClientAuth::Post, 2, Some("x")));
    assert!(oauth2.token_tls.unwrap().insecure);
}

#[test]
fn a_client_certificate_comes_from_files_or_stands_here_beside_any_auth() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("c.pem"), "CERT").unwrap();
    std::fs::write(place.path().join("k.pem"), "KEY\n").unwrap();
    for own in [
        "{ cert_file = 'c.pem', key_file = 'k.pem' }",
        "{ cert_pem = 'CERT', key = { file = 'k.pem' } }",
        "{ cert_file = 'c.pem', key = 'KEY' }",
    ] {
        let keys =
            format!("auth = {{ type = 'basic', username = 'u', password = 'p' }}\ntls.client_certificate = {own}");
        let (connection, config) = resolved(&keys, place.path());
        assert_eq!((connection.summary(), connection.has_client_certificate()), (("basic", "platform"), true));
        let own = config.tls.client_certificate.unwrap();
        assert_eq!((own.cert_pem.expose(), own.key_pem.expose()), ("CERT", "KEY"));
    }
}

#[test]
fn a_secret_in_the_file_itself_is_noticed_wherever_it_stands() {
    let oauth2 = |secret: &str, more: &str| {
        format!(
            "auth = {{ type = 'oauth2', token_url = 'https://i', client_id = 'c', client_secret = {secret}{more} }}"
        )
    };
    let elsewhere = "{ env = 'SECRET' }";
    let certificate = "{ client_certificate = { cert_file = 'c', key = 'KEY' } }";
    for (keys, plain) in [
        (oauth2(elsewhere, ""), false),
        (oauth2("'plain'", ""), true),
        (oauth2(elsewhere, &format!(", token_tls = {certificate}")), true),
        (format!("tls = {certificate}"), true),
        ("tls.client_certificate = { cert_file = 'c', key_file = 'k' }".to_owned(), false),
        ("headers = { x = 'y' }".to_owned(), true),
    ] {
        let settings = parse(&keys).unwrap().connections.into_values().next().unwrap();
        assert_eq!(settings.has_plain_secret(), plain, "{keys}");
    }
}

#[test]
fn manners_are_the_operators_to_say() {
    let keys = "concurrency = 5\ntest.path = '/api/x'\n\
                [connections.a.retry]\nstatuses = [503]\ntries = 7\nwait = 0.5\nwait_max = 60\n\
                body = { pointer = '/error/code', codes = [1, '2'] }";
    let (connection, config) = resolved(keys, Path::new(""));
    let manners = config.manners;
    assert_eq!((manners.concurrency, manners.retry.tries), (Some(5), Some(7)));
    assert_eq!(manners.test.as_ref().unwrap().path, "/api/x");
    assert_eq!(manners.retry.body.as_ref().unwrap()[0].codes.len(), 2);
    assert_eq!(connection.stand_in().unwrap().manners, manners, "what stands in is talked to in the same way");
}

#[test]
fn every_mistake_points_at_its_line() {
    let oauth2 = |keys: &str| format!("auth = {{ type = 'oauth2', {keys} }}");
    for (keys, message, hint) in [
        (
            oauth2("token_url = 'https://i', client_id = 'c'"),
            "4:8: the connection `a`: `oauth2` needs `client_secret`",
            "oauth2",
        ),
        (
            oauth2("token_url = 'i', client_id = 'c', client_secret = 's'"),
            "4:8: the connection `a`: `token_url` is not a URL",
            "https://",
        ),
        (
            oauth2("token_url = 'https://i', client_id = 'c', client_secret = 's', client_auth = 'jwt'"),
            "4:8: the connection `a`: `jwt` is no way",
            "post",
        ),
        (
            oauth2("token_url = 'https://i', client_id = 'c', client_secret = 's', token_tls = { pin = 'x' }"),
            "the connection `a`: `x` is not a SHA-256 fingerprint",
            "",
        ),
        (
            "auth = { type = 'basic', username = 'u', password = 'p', token = 't' }".to_owned(),
            "4:8: the connection `a`: `basic` has no `token`",
            "basic",
        ),
        (
            "auth = { type = 'basic', username = 'u', password = 'p', bearer = { token = 't' } }".to_owned(),
            "4:8: the connection `a`: `auth` needs exactly one `type`",
            "",
        ),
        (
            "auth = { type = 'certificate' }".to_owned(),
            "4:8: the connection `a`: `certificate` is no kind",
            "client_certificate",
        ),
        (
            "auth = { type = 'oauth' }".to_owned(),
            "4:8: the connection `a`: `oauth` is no kind",
            "did you mean `oauth2`?",
        ),
        (
            "tls.client_certificate = { cert_file = 'c' }".to_owned(),
            "4:26: the connection `a`: `client_certificate` needs either `key_file`",
            "key_file",
        ),
        ("tls.client_certificate = { key_file = 'c' }".to_owned(), "either `cert_file`", "cert_file"),
        ("concurrency = 0".to_owned(), "4:15: the connection `a`: `concurrency` must be from 1", ""),
        ("retry = { statuses = [200] }".to_owned(), "4:9: the connection `a`: 200 is not the status", ""),
        ("retry = { body = { pointer = 'x', codes = [1] } }".to_owned(), "not a JSON pointer", ""),
        ("retry = { body = { pointer = '/x', code = [1] } }".to_owned(), "4:", ""),
        ("retry = { trys = 1 }".to_owned(), "4:11: the key `trys`", "did you mean `tries`?"),
        ("addresses = []".to_owned(), "4:13: the connection `a`: `addresses` is empty", "10.20.0.0/16"),
        ("addresses = ['10.1.2.3/8']".to_owned(), "write `10.0.0.0/8`", ""),
        ("addresses = ['224.0.0.0/4']".to_owned(), "a multicast address", ""),
        ("test = { path = 'x' }".to_owned(), "must begin with `/`", ""),
    ] {
        let found = mistake(&keys);
        assert!(found.0.contains(message), "{keys}: {found:?}");
        assert!(found.1.as_deref().unwrap_or("").contains(hint), "{keys}: {found:?}");
        assert!(found.0.starts_with("runner.toml:4:"), "{found:?}");
    }
}
