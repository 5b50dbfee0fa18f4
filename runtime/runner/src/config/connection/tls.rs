//! `tls` of a connection, and of its token endpoint: whom the host trusts, and the certificate that it shows.

use std::path::{Path, PathBuf};

use runner_host::{ClientCertificate, Fingerprint, Tls};
use runner_model::{Secret, code};
use serde::Deserialize;
use toml::Spanned;

use super::{Refusal, Unresolved};
use crate::config::secret::{SecretSource, Sources};

/// The keys of `tls`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenTls {
    /// A file with the certificates of the authorities to trust, in PEM.
    ca_file: Option<PathBuf>,
    /// The same, here.
    ca_pem: Option<String>,
    /// The SHA-256 fingerprint of the server's certificate.
    #[serde(alias = "pin_sha256")]
    pin: Option<Spanned<String>>,
    #[serde(default)]
    insecure: bool,
    client_certificate: Option<Spanned<WrittenCertificate>>,
}

/// The certificate that the host shows: in the file itself or in another, and so its key.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCertificate {
    cert_file: Option<PathBuf>,
    /// Not shown: who has certificate and key in one text may write the whole of it here.
    cert_pem: Option<Secret>,
    key_file: Option<PathBuf>,
    key: Option<SecretSource>,
}

const CERTIFICATE: &str = "write `client_certificate = { cert_file = \"client.pem\", key_file = \"client.key\" }`";

impl WrittenTls {
    /// Finds what cannot be meant, without reading a file.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        self.pin()?;
        let Some(written) = &self.client_certificate else { return Ok(()) };
        let WrittenCertificate { cert_file, cert_pem, key_file, key } = written.get_ref();
        let refuse = |message: &str| Err((Some(written.span()), message.to_owned(), Some(CERTIFICATE.to_owned())));
        if cert_file.is_some() == cert_pem.is_some() {
            return refuse("`client_certificate` needs either `cert_file` or `cert_pem`");
        }
        if key_file.is_some() == key.is_some() {
            return refuse("`client_certificate` needs either `key_file` or `key`");
        }
        Ok(())
    }

    /// The secrets among it.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &SecretSource> {
        self.client_certificate.iter().filter_map(|written| written.get_ref().key.as_ref())
    }

    /// Whether the host shows a certificate.
    pub(super) fn has_client_certificate(&self) -> bool {
        self.client_certificate.is_some()
    }

    /// Whom the host trusts, in a word.
    pub(super) fn summary(&self) -> &'static str {
        match self {
            Self { insecure: true, .. } => "insecure",
            Self { pin: Some(_), .. } => "pinned",
            Self { ca_file: None, ca_pem: None, .. } => "platform",
            _ => "ca",
        }
    }

    /// With the files that it names. Relative paths count from `base`.
    pub(super) fn resolve(&self, sources: &Sources<'_>, base: &Path) -> Result<Tls, Unresolved> {
        let ca_pem = match &self.ca_file {
            Some(path) => Some(read("ca_file", path, base)?),
            None => self.ca_pem.clone(),
        };
        let client_certificate = match &self.client_certificate {
            Some(written) => Some(written.get_ref().resolve(sources, base)?),
            None => None,
        };
        let invalid = |(_, message, hint): Refusal| (code::CONF_INVALID, message, hint.unwrap_or_default());
        let pin_sha256 = self.pin().map_err(invalid)?;
        Ok(Tls { ca_pem, pin_sha256, insecure: self.insecure, client_certificate })
    }

    fn pin(&self) -> Result<Option<Fingerprint>, Refusal> {
        let Some(written) = &self.pin else { return Ok(None) };
        written.get_ref().parse().map(Some).map_err(|message| (Some(written.span()), message, None))
    }
}

impl WrittenCertificate {
    fn resolve(&self, sources: &Sources<'_>, base: &Path) -> Result<ClientCertificate, Unresolved> {
        let cert_pem = match (&self.cert_file, &self.cert_pem) {
            (Some(path), _) => Secret::new(read("cert_file", path, base)?),
            (None, pem) => pem.clone().unwrap_or_else(|| Secret::new(String::new())),
        };
        let key = match (&self.key_file, &self.key) {
            (Some(path), _) => SecretSource::File(path.clone()),
            (None, Some(key)) => key.clone(),
            (None, None) => {
                return Err((
                    code::CONF_INVALID,
                    "its client certificate has no key".to_owned(),
                    CERTIFICATE.to_owned(),
                ));
            }
        };
        Ok(ClientCertificate { cert_pem, key_pem: key.resolve(sources, base)? })
    }
}

fn read(key: &str, path: &Path, base: &Path) -> Result<String, Unresolved> {
    let path = base.join(path);
    std::fs::read_to_string(&path).map_err(|error| {
        let message = format!("its `{key}` `{}` cannot be read: {error}", path.display());
        (code::CONF_UNREADABLE, message, "relative paths count from the configuration file".to_owned())
    })
}
