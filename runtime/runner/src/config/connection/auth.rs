//! `auth` of a connection: `{ type = "basic", username, password }`, or, as the host's own form has it,
//! `{ basic = { username, password } }`.

use std::path::Path;

use runner_host::{Auth, ClientAuth, OAuth2};
use runner_pack::suggest;
use serde::Deserialize;
use toml::Spanned;
use url::Url;

use super::tls::WrittenTls;
use super::{Refusal, Unresolved};
use crate::config::secret::{SecretSource, Sources};

/// The keys of `auth`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenAuth {
    r#type: Option<String>,
    basic: Option<Keys>,
    bearer: Option<Keys>,
    oauth2: Option<Keys>,
    // The keys of all kinds once more: no reader of maps can both flatten them and refuse unknown ones.
    username: Option<String>,
    password: Option<SecretSource>,
    token: Option<SecretSource>,
    token_url: Option<String>,
    client_id: Option<String>,
    client_secret: Option<SecretSource>,
    scopes: Option<Vec<String>>,
    audience: Option<String>,
    client_auth: Option<String>,
    token_tls: Option<WrittenTls>,
}

/// The keys of all kinds of authentication.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    username: Option<String>,
    password: Option<SecretSource>,
    token: Option<SecretSource>,
    token_url: Option<String>,
    client_id: Option<String>,
    client_secret: Option<SecretSource>,
    scopes: Option<Vec<String>>,
    audience: Option<String>,
    client_auth: Option<String>,
    token_tls: Option<WrittenTls>,
}

/// What is written, with every case of it possible.
pub(super) enum AuthSource {
    None,
    Basic { username: String, password: SecretSource },
    Bearer { token: SecretSource },
    OAuth2(Box<OAuth2Source>),
}

/// Where access tokens come from.
pub(super) struct OAuth2Source {
    token_url: Url,
    client_id: String,
    client_secret: SecretSource,
    scopes: Vec<String>,
    audience: Option<String>,
    client_auth: ClientAuth,
    token_tls: Option<WrittenTls>,
}

/// A kind of authentication: its name, the keys that it needs, those that it may have, and how it is written.
struct Form {
    name: &'static str,
    needs: &'static [&'static str],
    may: &'static [&'static str],
    example: &'static str,
}

const FORMS: [Form; 4] = [
    Form { name: "none", needs: &[], may: &[], example: "write `auth = { type = \"none\" }`" },
    Form {
        name: "basic",
        needs: &["username", "password"],
        may: &[],
        example: "write `auth = { type = \"basic\", username = \"…\", password = { env = \"…\" } }`",
    },
    Form {
        name: "bearer",
        needs: &["token"],
        may: &[],
        example: "write `auth = { type = \"bearer\", token = { env = \"…\" } }`",
    },
    Form {
        name: "oauth2",
        needs: &["token_url", "client_id", "client_secret"],
        may: &["scopes", "audience", "client_auth", "token_tls"],
        example: "write `auth = { type = \"oauth2\", token_url = \"https://…\", client_id = \"…\", client_secret = { env = \"…\" } }`",
    },
];

/// Other names of what stands in `tls`.
const CERTIFICATE: [&str; 4] = ["client_certificate", "certificate", "cert", "mtls"];

impl WrittenAuth {
    /// What is meant. The refusal has no place: it is the whole `auth`'s.
    pub(super) fn source(&self) -> Result<AuthSource, Refusal> {
        let (kind, keys) = self.kind()?;
        let Some(form) = FORMS.iter().find(|form| form.name == kind) else { return Err(unknown(&kind)) };
        let refuse = |message: String| (None, message, Some(form.example.to_owned()));
        let given = keys.given();
        if let Some(missing) = form.needs.iter().find(|key| !given.contains(key)) {
            return Err(refuse(format!("`{kind}` needs `{missing}`")));
        }
        if let Some(other) = given.iter().find(|key| !form.needs.contains(key) && !form.may.contains(key)) {
            return Err(refuse(format!("`{kind}` has no `{other}`")));
        }
        match keys {
            Keys { username: Some(username), password: Some(password), .. } => {
                Ok(AuthSource::Basic { username, password })
            }
            Keys { token: Some(token), .. } => Ok(AuthSource::Bearer { token }),
            Keys { token_url: Some(ref url), client_id: Some(ref id), client_secret: Some(ref secret), .. } => {
                let (url, id, secret) = (url.clone(), id.clone(), secret.clone());
                oauth2(&url, id, secret, keys).map(|source| AuthSource::OAuth2(Box::new(source)))
            }
            _ => Ok(AuthSource::None),
        }
    }

    /// The kind that is named, and its keys.
    fn kind(&self) -> Result<(String, Keys), Refusal> {
        let nested = [("basic", &self.basic), ("bearer", &self.bearer), ("oauth2", &self.oauth2)];
        let mut nested = nested.into_iter().filter_map(|(name, keys)| Some((name, keys.clone()?)));
        let flat = self.flat();
        match (&self.r#type, nested.next(), nested.next()) {
            (Some(kind), None, _) => Ok((kind.clone(), flat)),
            (None, Some((kind, keys)), None) if flat.given().is_empty() => Ok((kind.to_owned(), keys)),
            _ => {
                let hint = FORMS.get(1).map(|form| form.example.to_owned());
                Err((None, "`auth` needs exactly one `type`".to_owned(), hint))
            }
        }
    }

    fn flat(&self) -> Keys {
        let written = self.clone();
        Keys {
            username: written.username,
            password: written.password,
            token: written.token,
            token_url: written.token_url,
            client_id: written.client_id,
            client_secret: written.client_secret,
            scopes: written.scopes,
            audience: written.audience,
            client_auth: written.client_auth,
            token_tls: written.token_tls,
        }
    }
}

impl Keys {
    /// The keys that stand there.
    fn given(&self) -> Vec<&'static str> {
        let keys = [
            ("username", self.username.is_some()),
            ("password", self.password.is_some()),
            ("token", self.token.is_some()),
            ("token_url", self.token_url.is_some()),
            ("client_id", self.client_id.is_some()),
            ("client_secret", self.client_secret.is_some()),
            ("scopes", self.scopes.is_some()),
            ("audience", self.audience.is_some()),
            ("client_auth", self.client_auth.is_some()),
            ("token_tls", self.token_tls.is_some()),
        ];
        keys.into_iter().filter_map(|(key, given)| given.then_some(key)).collect()
    }
}

fn unknown(kind: &str) -> Refusal {
    let hint = if CERTIFICATE.contains(&kind) {
        // It is shown in the handshake, before there is a request, and any `auth` may stand beside it.
        Some(
            "write it into `tls` of the connection: `client_certificate = { cert_file = \"…\", key_file = \"…\" }`, with or \
             without an `auth` beside it"
                .to_owned(),
        )
    } else {
        suggest::hint(kind, FORMS.iter().map(|form| form.name), "there are")
    };
    (None, format!("`{kind}` is no kind of authentication"), hint)
}

fn oauth2(url: &str, client_id: String, client_secret: SecretSource, keys: Keys) -> Result<OAuth2Source, Refusal> {
    let token_url = Url::parse(url).map_err(|error| {
        (None, format!("`token_url` is not a URL: {error}"), Some("write `token_url = \"https://…\"`".to_owned()))
    })?;
    let client_auth = match keys.client_auth.as_deref() {
        None | Some("basic" | "client_secret_basic") => ClientAuth::Basic,
        Some("post" | "client_secret_post") => ClientAuth::Post,
        Some(other) => {
            let hint = "write `client_auth = \"basic\"` or `client_auth = \"post\"`".to_owned();
            return Err((None, format!("`{other}` is no way to show a client's secret"), Some(hint)));
        }
    };
    if let Some(tls) = &keys.token_tls {
        tls.check()?;
    }
    let (scopes, audience, token_tls) = (keys.scopes.unwrap_or_default(), keys.audience, keys.token_tls);
    Ok(OAuth2Source { token_url, client_id, client_secret, scopes, audience, client_auth, token_tls })
}

impl AuthSource {
    /// The kind, in a word.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic { .. } => "basic",
            Self::Bearer { .. } => "bearer",
            Self::OAuth2(_) => "oauth2",
        }
    }

    /// The secrets among it.
    pub(super) fn secrets(&self) -> Vec<&SecretSource> {
        match self {
            Self::None => Vec::new(),
            Self::Basic { password: secret, .. } | Self::Bearer { token: secret } => vec![secret],
            Self::OAuth2(source) => {
                let of_tls = source.token_tls.iter().flat_map(WrittenTls::secrets);
                std::iter::once(&source.client_secret).chain(of_tls).collect()
            }
        }
    }

    /// With its secrets.
    pub(super) fn resolve(self, sources: &Sources<'_>, base: &Path) -> Result<Auth, Unresolved> {
        let fetch = |source: &SecretSource| source.resolve(sources, base);
        Ok(match self {
            Self::None => Auth::None,
            Self::Basic { username, password } => Auth::Basic { username, password: fetch(&password)? },
            Self::Bearer { token } => Auth::Bearer { token: fetch(&token)? },
            Self::OAuth2(source) => {
                let token_tls = match &source.token_tls {
                    Some(tls) => Some(tls.resolve(sources, base)?),
                    None => None,
                };
                Auth::OAuth2(Box::new(OAuth2 {
                    token_url: source.token_url,
                    client_id: source.client_id,
                    client_secret: fetch(&source.client_secret)?,
                    scopes: source.scopes,
                    audience: source.audience,
                    client_auth: source.client_auth,
                    token_tls,
                }))
            }
        })
    }
}

/// Reads the authentication of a connection, and points at it where it cannot be meant.
pub(super) fn source(written: Option<&Spanned<WrittenAuth>>) -> Result<AuthSource, Refusal> {
    let Some(written) = written else { return Ok(AuthSource::None) };
    written.get_ref().source().map_err(|(place, message, hint)| (place.or_else(|| Some(written.span())), message, hint))
}
