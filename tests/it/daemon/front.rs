//! What stands before a daemon: authorities and certificates of the test's own, and a proxy that ends TLS, at one address
//! whichever daemon is behind it.

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::kit::Place;

/// Signs certificates, and is trusted by nobody who was not told.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// The chain and the key of a certificate for this name.
    pub(crate) fn sign(&self, name: &str) -> (String, String) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// Writes what `[server.tls]` names.
    pub(crate) fn give(&self, place: &Place, name: &str) {
        let (chain, key) = self.sign(name);
        place.write("key.pem", &key);
        place.write("chain.pem", &chain);
    }
}

/// A proxy, as operators put one before a daemon. While nothing is behind it, whoever comes is sent away.
pub(crate) struct Proxy {
    pub(crate) url: String,
    behind: Arc<Mutex<Option<SocketAddr>>>,
}

impl Proxy {
    pub(crate) async fn start(authority: &Authority) -> Self {
        let (chain, key) = authority.sign("127.0.0.1");
        let chain = rustls::pki_types::CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<_, _>>();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let config = config.with_no_client_auth().with_single_cert(chain.unwrap(), key).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let behind = Arc::<Mutex<Option<SocketAddr>>>::default();
        tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(config)), behind.clone()));
        Self { url, behind }
    }

    /// Leads to the daemon at this URL from now on, or nowhere.
    pub(crate) fn lead(&self, url: Option<&str>) {
        *self.behind.lock() = url.map(|url| url.trim_start_matches("http://").parse().unwrap());
    }
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, behind: Arc<Mutex<Option<SocketAddr>>>) {
    while let Ok((client, _)) = listener.accept().await {
        let (tls, behind) = (tls.clone(), behind.clone());
        tokio::spawn(async move {
            let mut client = tls.accept(client).await.ok()?;
            let address = *behind.lock();
            let mut daemon = TcpStream::connect(address?).await.ok()?;
            tokio::io::copy_bidirectional(&mut client, &mut daemon).await.ok()
        });
    }
}
