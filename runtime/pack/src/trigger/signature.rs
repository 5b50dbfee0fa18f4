//! Who may deliver to a webhook: `auth`, `signature`.

use runner_model::code;

use crate::diagnostic::{Document, Mistake};
use crate::fields::{Fields, Foreign, text, wrong_type};
use crate::source::Span;
use crate::suggest;
use crate::yaml::{Entry, Node};

/// How a delivery shows that it may come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookAuth {
    /// With an API key.
    Key,
    /// Not at all: anybody may deliver.
    None,
    /// With a signature over its body.
    Signature {
        /// How it is signed.
        scheme: Scheme,
        /// The name of the secret in the operator's configuration, never the secret.
        secret: String,
    },
}

/// How a delivery is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// `X-Hub-Signature-256` over the body.
    GitHub,
    /// `Stripe-Signature` over time and body.
    Stripe,
    /// `webhook-signature` over id, time and body: standardwebhooks.com.
    StandardWebhooks,
    /// `X-Slack-Signature` over version, time and body.
    Slack,
    /// An HMAC over the body, in a header.
    Plain {
        /// The header.
        header: String,
        /// What stands in it before the signature: `sha256=`.
        prefix: String,
        /// How the signature is written.
        encoding: Encoding,
        /// The hash.
        algorithm: Algorithm,
    },
}

impl WebhookAuth {
    /// The word: of a signature, its scheme.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::None => "none",
            Self::Signature { scheme, .. } => match scheme {
                Scheme::GitHub => "github",
                Scheme::Stripe => "stripe",
                Scheme::StandardWebhooks => "standard_webhooks",
                Scheme::Slack => "slack",
                Scheme::Plain { .. } => "plain",
            },
        }
    }
}

/// How bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Hexadecimal.
    Hex,
    /// Base64.
    Base64,
}

/// The hash of an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
    /// SHA-1: for senders that know no other.
    Sha1,
}

const SCHEMES: [&str; 5] = ["github", "stripe", "standard_webhooks", "slack", "plain"];

const EXAMPLE: &str = "{scheme: github, secret: my_secret}";

const FOREIGN: Foreign = Foreign {
    later: &[],
    instead: &[
        ("type", "write `scheme`"),
        ("provider", "write `scheme`"),
        ("key", "write `secret`: the name of a secret in the operator's configuration"),
        ("secret_name", "write `secret`"),
        ("algo", "write `algorithm`"),
        ("tolerance", "write `replay_window` beside `signature`"),
        ("delivery_header", "write it beside `signature`"),
    ],
};

/// `auth` and `signature` of a webhook.
pub(super) fn auth(file: &Document<'_>, fields: &mut Fields<'_>) -> WebhookAuth {
    let place = fields.place_of("auth");
    let auth = fields.text("auth");
    let signature = fields.entry("signature").filter(|entry| !entry.value.is_null());
    if let (Some(_), Some(entry)) = (auth, signature) {
        let message = "a webhook has either an `auth` or a `signature`";
        let hint = "remove `auth`: the signature says who may deliver";
        file.add(Mistake::new(code::PACK_BAD_VALUE, place, message).hint(hint));
        return scheme(file, entry);
    }
    match (auth, signature) {
        (_, Some(entry)) => scheme(file, entry),
        (None | Some("key"), None) => WebhookAuth::Key,
        (Some("none"), None) => WebhookAuth::None,
        (Some(other), None) => {
            let message = format!("`auth` cannot be `{other}`");
            let hint = match other.to_ascii_lowercase().as_str() {
                "signature" | "hmac" | "github" | "stripe" | "slack" => Some(format!("write `signature: {EXAMPLE}`")),
                _ => suggest::hint(other, ["key", "none"], "it is one of"),
            };
            file.add(Mistake::new(code::PACK_BAD_VALUE, place, message).maybe_hint(hint));
            WebhookAuth::Key
        }
    }
}

fn scheme(file: &Document<'_>, entry: &Entry) -> WebhookAuth {
    let Entry { key_span, value: node, .. } = entry;
    if node.as_map().is_none() {
        let mistake = wrong_type(node, "signature", "a map");
        let hint = node.as_text().filter(|word| SCHEMES.contains(word));
        let example = hint.map_or_else(|| EXAMPLE.to_owned(), |word| format!("{{scheme: {word}, secret: my_secret}}"));
        file.add(mistake.hint(format!("write `signature: {example}`")));
        return WebhookAuth::Key;
    }
    let Some(mut fields) = Fields::open(file, node, "the signature", *key_span) else { return WebhookAuth::Key };
    let place = fields.place_of("scheme");
    let word = fields.text("scheme");
    let word = fields.require("scheme", word, "github");
    let secret = secret(file, &mut fields);
    let own = ["header", "prefix", "encoding", "algorithm"].map(|key| fields.entry(key).map(|entry| entry.key_span));
    let scheme = match word {
        Some("github") => Some(Scheme::GitHub),
        Some("stripe") => Some(Scheme::Stripe),
        Some("standard_webhooks" | "standard-webhooks") => Some(Scheme::StandardWebhooks),
        Some("slack") => Some(Scheme::Slack),
        Some("plain") => plain(file, &mut fields),
        Some(other) => {
            let message = format!("there is no signature scheme `{other}`");
            let hint = suggest::hint(other, SCHEMES, "schemes are");
            file.add(Mistake::new(code::PACK_BAD_VALUE, place, message).maybe_hint(hint));
            None
        }
        None => None,
    };
    if !matches!(scheme, None | Some(Scheme::Plain { .. }))
        && let Some(span) = own.into_iter().flatten().next()
    {
        let message = format!("the scheme `{}` says how it signs", word.unwrap_or_default());
        let hint = "remove the line; a sender of its own kind is `scheme: plain`";
        file.add(Mistake::new(code::PACK_BAD_VALUE, span, message).hint(hint));
    }
    fields.finish(&FOREIGN);
    match scheme.zip(secret) {
        Some((scheme, secret)) => WebhookAuth::Signature { scheme, secret },
        None => WebhookAuth::Key,
    }
}

/// The name of the secret. A text that looks like the secret itself is not quoted.
fn secret(file: &Document<'_>, fields: &mut Fields<'_>) -> Option<String> {
    /// Names are short; 24 bytes are the least that a secret has.
    const NAME_CHARS_MAX: usize = 64;
    let place = fields.place_of("secret");
    let secret = fields.text("secret");
    let secret = fields.require("secret", secret, "my_secret")?;
    let is_name = !secret.is_empty()
        && secret.len() <= NAME_CHARS_MAX
        && secret.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        && !secret.starts_with("whsec_");
    if !is_name {
        let message = "`secret` is the name of a secret: letters, digits, `_` and `-`";
        let hint = "the secret itself stands in the operator's configuration: write its name, such as `secret: github`";
        file.add(Mistake::new(code::PACK_BAD_VALUE, place, message).hint(hint));
    }
    is_name.then(|| secret.to_owned())
}

fn plain(file: &Document<'_>, fields: &mut Fields<'_>) -> Option<Scheme> {
    let node = fields.get("header");
    let header = node.and_then(|node| header(file, node, "header"));
    let header = fields.require("header", header, "X-Signature");
    let prefix = fields.text("prefix").unwrap_or_default().to_owned();
    let encoding = one_of(file, fields, "encoding", &[("hex", Encoding::Hex), ("base64", Encoding::Base64)]);
    let algorithms = [("sha256", Algorithm::Sha256), ("sha512", Algorithm::Sha512), ("sha1", Algorithm::Sha1)];
    let algorithm = one_of(file, fields, "algorithm", &algorithms);
    Some(Scheme::Plain {
        header: header?,
        prefix,
        encoding: encoding.unwrap_or(Encoding::Hex),
        algorithm: algorithm.unwrap_or(Algorithm::Sha256),
    })
}

/// One of some words; another one is reported.
pub(crate) fn one_of<T: Copy>(
    file: &Document<'_>,
    fields: &mut Fields<'_>,
    key: &'static str,
    words: &[(&'static str, T)],
) -> Option<T> {
    let place: Span = fields.place_of(key);
    let word = fields.text(key)?;
    let found = words.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
    if found.is_none() {
        let hint = suggest::hint(word, words.iter().map(|(name, _)| *name), "it is one of");
        let message = format!("`{key}` cannot be `{word}`");
        file.add(Mistake::new(code::PACK_BAD_VALUE, place, message).maybe_hint(hint));
    }
    found
}

/// The name of an HTTP header: RFC 9110's token.
pub(super) fn header(file: &Document<'_>, node: &Node, key: &str) -> Option<String> {
    let name = text(file, node, key)?;
    let is_name = is_header(name);
    if !is_name {
        let message = format!("`{name}` is not the name of a header");
        file.add(
            Mistake::new(code::PACK_BAD_VALUE, node.span, message)
                .hint(format!("write, for example, `{key}: X-Delivery-Id`")),
        );
    }
    is_name.then(|| name.to_owned())
}

pub(super) fn is_header(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 128
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}
