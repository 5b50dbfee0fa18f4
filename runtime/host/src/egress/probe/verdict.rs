//! What the status of a test's one request means, and what to do about it.

use super::super::connections::{AuthKind, ConnectionInfo};

/// What a status means.
pub(super) struct Verdict {
    /// Whether the connection can be used, as far as the request shows.
    pub(super) ok: bool,
    pub(super) note: Option<String>,
    pub(super) hint: Option<String>,
}

/// What a status means. `is_of_kind` says whether the path is one that a system of this kind has.
pub(super) fn verdict(connection: &ConnectionInfo, status: u16, is_of_kind: bool) -> Verdict {
    let bad = |note: &str, hint: &str| Verdict { ok: false, note: Some(note.to_owned()), hint: Some(hint.to_owned()) };
    match status {
        200..=299 => Verdict { ok: true, note: None, hint: None },
        300..=399 => bad("the server leads elsewhere", "set `base_url` to the address that it leads to"),
        401 => bad("the server does not accept the credentials", credentials(connection)),
        403 => bad(
            "the server knows the credentials and does not allow this",
            "give the user, or the client, a role on the server that may read this over its API",
        ),
        404 | 405 if is_of_kind => bad(
            "the server does not have what a system of this kind has there",
            "look at `kind` and at the path of `base_url`: the path of the test comes after it",
        ),
        407 => bad("a proxy asks for credentials", "let the host reach the server without a proxy"),
        429 | 503 => bad("the server has too much to do, or is not ready", "try again in a minute"),
        502 | 504 => bad("something between could not reach the server", "look at the proxy before it"),
        500..=599 => bad("the server failed", "look at the server's own log"),
        // Without a path of the kind's, this only shows that somebody answers.
        _ if is_of_kind => bad("the server refuses the request", "look at `kind` and at the path of `base_url`"),
        _ => Verdict {
            ok: true,
            note: Some("the server answers; no pack says what can be read of this kind of system".to_owned()),
            hint: None,
        },
    }
}

const fn credentials(connection: &ConnectionInfo) -> &'static str {
    match connection.auth {
        AuthKind::None if connection.client_certificate => {
            "map the name in the client certificate to a user of the server (ONTAP: `security login create \
             -user-or-group-name NAME -application http -authentication-method cert`)"
        }
        AuthKind::None => "write `auth` into the connection: the server wants to know who asks",
        AuthKind::Basic => {
            "look at the user name and the password, whether the account is locked, and whether it may log in over HTTP"
        }
        AuthKind::Bearer => "the token is wrong or has ended: get another one",
        AuthKind::OAuth2 => {
            "the server does not accept the token that the endpoint grants: look at `audience` and `scopes`, and whether the \
             server trusts this authorization server"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::connections::TlsKind;

    fn connection(auth: AuthKind, client_certificate: bool) -> ConnectionInfo {
        ConnectionInfo {
            name: "box".to_owned(),
            kind: "storage".to_owned(),
            base_url: None,
            auth,
            tls: TlsKind::Ca,
            client_certificate,
            concurrency: 20,
            simulated: false,
        }
    }

    #[test]
    fn each_refusal_says_what_to_do() {
        let basic = connection(AuthKind::Basic, false);
        for (status, ok, of_kind) in [
            (200, true, true),
            (204, true, false),
            (302, false, true),
            (401, false, false),
            (403, false, false),
            (404, false, true),
            (404, true, false),
            (400, false, true),
            (429, false, true),
            (500, false, false),
            (502, false, false),
        ] {
            let verdict = verdict(&basic, status, of_kind);
            assert_eq!(verdict.ok, ok, "{status}");
            assert_eq!(verdict.hint.is_none(), ok, "{status} says what to do");
        }
        for (auth, certificate, word) in [
            (AuthKind::Basic, false, "password"),
            (AuthKind::Bearer, false, "token"),
            (AuthKind::OAuth2, false, "audience"),
            (AuthKind::None, true, "cert"),
            (AuthKind::None, false, "`auth`"),
        ] {
            let hint = verdict(&connection(auth, certificate), 401, true).hint.unwrap();
            assert!(hint.contains(word), "{hint}");
        }
    }
}
