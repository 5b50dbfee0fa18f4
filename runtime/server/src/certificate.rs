//! A server's certificate: one from files, or one for this machine that is made when it starts and is trusted by nobody
//! who was not told.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use runner_host::Fingerprint;
use runner_model::Timestamp;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sha2::{Digest as _, Sha256};

/// The names that a client on this machine may use.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// A simulator does not run longer; some clients refuse certificates that last for years.
const LIFETIME: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// A client's clock may be a little behind.
const BACKDATED: Duration = Duration::from_secs(24 * 60 * 60);

/// A certificate with its key, and the authority that vouches for it. A clone is the same: it is renewed with it.
#[derive(Clone)]
pub struct Certificate {
    authority_pem: String,
    shown: Arc<Shown>,
    config: Arc<ServerConfig>,
}

/// What is shown to whoever connects.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().clone())
    }
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// It could not be made.
    #[error("a certificate could not be made")]
    Make(#[from] rcgen::Error),
    /// The TLS library does not take it.
    #[error("a certificate could not be used")]
    Use(#[from] rustls::Error),
    /// It is not PEM, or not what it should be.
    #[error("the PEM cannot be read")]
    Read(#[from] rustls::pki_types::pem::Error),
}

impl Certificate {
    /// Makes an authority, and a certificate signed by it for `localhost`, `127.0.0.1` and `::1`.
    ///
    /// # Errors
    /// There are no random numbers to make keys from.
    pub fn for_this_machine(now: Timestamp) -> Result<Self, CertificateError> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        describe(&mut params, "runner simulator authority", now);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

        let mut params = CertificateParams::new(NAMES.map(str::to_owned))?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        describe(&mut params, "runner simulator", now);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &authority)?;

        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Self::new(vec![certificate.der().clone(), authority.der().clone()], private, authority.pem())
    }

    /// The certificate of two PEM texts: its chain, the server's own first, and its private key.
    ///
    /// # Errors
    /// They cannot be read, or do not belong together.
    pub fn of_pem(chain: &str, key: &str) -> Result<Self, CertificateError> {
        let certificates = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<Vec<_>, _>>()?;
        Self::new(certificates, PrivateKeyDer::from_pem_slice(key.as_bytes())?, chain.to_owned())
    }

    fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        authority_pem: String,
    ) -> Result<Self, CertificateError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = CertifiedKey::from_der(chain, key, &provider)?;
        let shown = Arc::new(Shown(RwLock::new(Arc::new(key))));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(shown.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { authority_pem, shown, config: Arc::new(config) })
    }

    /// Shows another one from now on to whoever connects; those who are connected stay.
    pub fn renew(&self, other: &Self) {
        let other = other.shown.0.read().clone();
        *self.shown.0.write() = other;
    }

    /// The authority's certificate in PEM: what a client trusts to trust this server.
    #[must_use]
    pub fn authority_pem(&self) -> &str {
        &self.authority_pem
    }

    /// The fingerprint of the server's certificate, as a connection's `pin` takes it.
    #[must_use]
    pub fn pin(&self) -> Fingerprint {
        let shown = self.shown.0.read();
        Fingerprint(shown.cert.first().map(|own| Sha256::digest(own).into()).unwrap_or_default())
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        self.config.clone()
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate").field("pin", &self.pin()).finish_non_exhaustive()
    }
}

fn describe(params: &mut CertificateParams, name: &str, now: Timestamp) {
    let now = date_time_ymd(1970, 1, 1) + Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or_default());
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = now - BACKDATED;
    params.not_after = now + LIFETIME;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_read_from_pem_and_what_does_not_belong_together_is_refused() {
        let made = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
            (certificate.pem(), key.serialize_pem(), Fingerprint(Sha256::digest(certificate.der()).into()))
        };
        let (chain, key, pin) = made("one.example");
        assert_eq!(Certificate::of_pem(&chain, &key).unwrap().pin(), pin);
        assert!(Certificate::of_pem(&chain, &made("two.example").1).is_err());
        let (first, second) = (Certificate::of_pem(&chain, &key).unwrap(), made("two.example"));
        let shown = first.clone();
        first.renew(&Certificate::of_pem(&second.0, &second.1).unwrap());
        assert_eq!((first.pin(), shown.pin()), (second.2, second.2), "a clone is renewed with it");
        assert!(Certificate::of_pem("", &key).is_err());
        assert!(Certificate::of_pem(&chain, "").is_err());
    }
}
