//! Which servers are trusted: the platform's authorities, given ones, one pinned certificate, or any; and the certificate
//! that they are shown.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};
use sha2::{Digest as _, Sha256};

use super::connection::{ClientCertificate, Fingerprint, Tls};
use super::error::{ErrorKind, NetError};

type Verifier = Arc<dyn ServerCertVerifier>;

/// Whether these settings can be meant.
pub(super) fn check(tls: &Tls) -> Result<(), String> {
    if tls.insecure && (tls.ca_pem.is_some() || tls.pin_sha256.is_some()) {
        return Err("`tls.insecure` makes an authority and a pin meaningless: choose one".to_owned());
    }
    tls.ca_pem.as_deref().map_or(Ok(()), |pem| authorities(pem).map(|_| ()))?;
    tls.client_certificate.as_ref().map_or(Ok(()), |own| config(Arc::new(Nobody), Some(own)).map(|_| ()))
}

/// The TLS settings of a client.
pub(super) fn client_config(tls: &Tls) -> Result<ClientConfig, NetError> {
    with_verifier(tls, verifier(tls)?)
}

/// The same with another verifier.
pub(super) fn with_verifier(tls: &Tls, verifier: Verifier) -> Result<ClientConfig, NetError> {
    config(verifier, tls.client_certificate.as_ref()).map_err(|message| NetError::new(ErrorKind::Tls, message))
}

/// The settings of a client that only speaks plain HTTP: it trusts nobody.
pub(super) fn nobody() -> Result<ClientConfig, NetError> {
    with_verifier(&Tls::default(), Arc::new(Nobody))
}

fn config(verifier: Verifier, own: Option<&ClientCertificate>) -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(provider());
    // The ring provider has suites for both versions, so this cannot fail; the fallback keeps it free of panics.
    let builder = match builder.with_safe_default_protocol_versions() {
        Ok(builder) => builder,
        Err(_) => ClientConfig::builder_with_protocol_versions(rustls::DEFAULT_VERSIONS),
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let Some(own) = own else { return Ok(builder.with_no_client_auth()) };
    let (chain, key) = identity(own)?;
    builder.with_client_auth_cert(chain, key).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => "the key of `tls.client_certificate` is another certificate's".to_owned(),
        other => format!("`tls.client_certificate` cannot be used: {other}"),
    })
}

/// A certificate of one's own and its key. No error holds anything of the key.
fn identity(own: &ClientCertificate) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(own.cert_pem.expose().as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| format!("the certificate of `tls.client_certificate` is not PEM: {error}"))?;
    if chain.is_empty() {
        return Err("`tls.client_certificate` holds no certificate".to_owned());
    }
    let text = own.key_pem.expose();
    let key = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| {
        let encrypted = text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED");
        let why =
            if encrypted { "is encrypted: decrypt it with `openssl pkey`" } else { "holds no private key in PEM" };
        format!("the key of `tls.client_certificate` {why}")
    })?;
    Ok((chain, key))
}

/// The verifier that these settings mean.
pub(super) fn verifier(tls: &Tls) -> Result<Verifier, NetError> {
    if tls.insecure {
        return Ok(Arc::new(Anybody));
    }
    let chain = match &tls.ca_pem {
        Some(pem) => Some(authorities(pem).map_err(|message| NetError::new(ErrorKind::Tls, message))?),
        None => None,
    };
    match (tls.pin_sha256, chain) {
        (Some(pin), chain) => Ok(Arc::new(Pinned { pin, chain })),
        (None, Some(chain)) => Ok(chain),
        (None, None) => platform(),
    }
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(rustls::crypto::ring::default_provider())))
}

fn algorithms() -> WebPkiSupportedAlgorithms {
    provider().signature_verification_algorithms
}

/// Reading the platform's certificates takes milliseconds: done once a process, if it worked.
fn platform() -> Result<Verifier, NetError> {
    static VERIFIER: OnceLock<Verifier> = OnceLock::new();
    if let Some(verifier) = VERIFIER.get() {
        return Ok(Arc::clone(verifier));
    }
    let made = rustls_platform_verifier::Verifier::new(provider()).map_err(|error| {
        NetError::new(ErrorKind::Tls, format!("the platform's trusted certificates cannot be read: {error}"))
            .with_hint("install the package `ca-certificates`, or set `tls.ca_file` of the connection")
    })?;
    Ok(Arc::clone(VERIFIER.get_or_init(|| Arc::new(made))))
}

fn authorities(pem: &str) -> Result<Verifier, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| format!("`tls.ca_pem` is not PEM: {error}"))?;
        roots.add(certificate).map_err(|error| format!("`tls.ca_pem` holds an unusable certificate: {error}"))?;
    }
    if roots.is_empty() {
        return Err("`tls.ca_pem` holds no certificate".to_owned());
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
    verifier.map(|verifier| verifier as Verifier).map_err(|error| format!("`tls.ca_pem` cannot be used: {error}"))
}

/// The fingerprint of a certificate.
pub(super) fn fingerprint(certificate: &CertificateDer<'_>) -> Fingerprint {
    Fingerprint(Sha256::digest(certificate).into())
}

/// The two halves of a handshake's signature check, as rustls itself does them: that the server holds the certificate's
/// key.
macro_rules! real_signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            verify_tls12_signature(message, certificate, signature, &algorithms())
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            verify_tls13_signature(message, certificate, signature, &algorithms())
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            algorithms().supported_schemes()
        }
    };
}

/// Trusts one certificate, and a chain beside it if there is one.
#[derive(Debug)]
struct Pinned {
    pin: Fingerprint,
    chain: Option<Verifier>,
}

/// The server has another certificate than the pinned one.
#[derive(Debug, thiserror::Error)]
#[error("the server's certificate is not the pinned one: its SHA-256 fingerprint is {found}")]
struct NotPinned {
    found: Fingerprint,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let found = fingerprint(certificate);
        if found != self.pin {
            let other = OtherError(Arc::new(NotPinned { found }));
            return Err(rustls::Error::InvalidCertificate(CertificateError::Other(other)));
        }
        match &self.chain {
            Some(chain) => chain.verify_server_cert(certificate, intermediates, name, ocsp, now),
            None => Ok(ServerCertVerified::assertion()),
        }
    }

    real_signatures!();
}

/// Trusts any certificate, so the signature would prove nothing either.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        algorithms().supported_schemes()
    }
}

/// Trusts no certificate.
#[derive(Debug)]
struct Nobody;

impl ServerCertVerifier for Nobody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer))
    }

    real_signatures!();
}

/// Keeps the certificates that a server shows, also those that are not trusted: for the test of a connection.
#[derive(Debug)]
pub(super) struct Recording {
    inner: Verifier,
    pub(super) seen: Mutex<Option<CertificateDer<'static>>>,
}

impl Recording {
    pub(super) fn new(inner: Verifier) -> Self {
        Self { inner, seen: Mutex::new(None) }
    }
}

impl ServerCertVerifier for Recording {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.seen.lock() = Some(certificate.clone().into_owned());
        self.inner.verify_server_cert(certificate, intermediates, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
