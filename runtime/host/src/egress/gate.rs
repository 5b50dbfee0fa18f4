//! The gate before a client: which addresses it may dial.
//!
//! A name is resolved here, **every** address that came is classified, and only those that may be reached are handed on:
//! what was classified is what is connected to, so an answer that changes afterwards changes nothing. The name stays what
//! the server is asked for, in TLS and in `Host`.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use runner_model::limits::{DNS_ANSWERS_MAX, DNS_TIMEOUT};
use runner_model::permission::is_localhost;
use runner_model::{AddressClass, AddressRange, PackRef, Reach};
use tracing::info;
use url::{Host, Url};

use super::door::Door;
use super::error::{ErrorKind, NetError};

/// The gate of one client: one port, one set of addresses.
#[derive(Clone)]
pub(super) struct Gate {
    door: Door,
    reach: Reach,
    scheme: String,
    port: u16,
    side: Side,
}

/// Who says which addresses may be reached.
#[derive(Clone)]
pub(super) enum Side {
    /// The grant of a pack.
    Grant(PackRef),
    /// A connection.
    Connection(String),
    /// Nobody: for tests.
    #[cfg(test)]
    Host,
}

/// For the log.
impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grant(pack) => write!(f, "the grant of `{pack}`"),
            Self::Connection(name) => write!(f, "the connection `{name}`"),
            #[cfg(test)]
            Self::Host => f.write_str("nobody"),
        }
    }
}

/// An error of the gate, on its way through the HTTP client.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct Unreached(pub(super) NetError);

/// Why an address is not dialled.
#[derive(Debug, Clone, Copy)]
enum Bar {
    Class(AddressClass),
    /// This process listens there.
    Own,
}

impl Gate {
    /// The gate of requests to the scheme and the port of this URL.
    pub(super) fn new(door: &Door, reach: Reach, url: &Url, side: Side) -> Self {
        let port = url.port_or_known_default().unwrap_or_default();
        Self { door: door.clone(), reach, scheme: url.scheme().to_owned(), port, side }
    }

    /// Checks the host of a URL that is an address already. The parser has made one of whatever was written for it: octal
    /// and hexadecimal numbers, single numbers, final dots, other scripts' digits.
    pub(super) fn check_literal(&self, url: &Url) -> Result<(), NetError> {
        match url.host() {
            Some(Host::Ipv4(address)) => self.pass(&address.to_string(), true, [address.into()]).map(|_| ()),
            Some(Host::Ipv6(address)) => self.pass(&address.to_string(), true, [address.into()]).map(|_| ()),
            _ => Ok(()),
        }
    }

    /// The addresses behind the host of a URL that may be dialled; at least one.
    pub(super) async fn addresses(&self, url: &Url) -> Result<Vec<SocketAddr>, NetError> {
        match url.host() {
            Some(Host::Ipv4(address)) => self.pass(&address.to_string(), true, [address.into()]),
            Some(Host::Ipv6(address)) => self.pass(&address.to_string(), true, [address.into()]),
            Some(Host::Domain(name)) => self.resolve_name(name).await,
            None => Err(NetError::new(ErrorKind::BadRequest, "the URL has no host")),
        }
    }

    async fn resolve_name(&self, name: &str) -> Result<Vec<SocketAddr>, NetError> {
        let unknown = || NetError::new(ErrorKind::Dns, format!("the host name `{name}` cannot be resolved"));
        let late = |_| NetError::new(ErrorKind::Dns, format!("no name server answered within {DNS_TIMEOUT:?}"));
        let asked = tokio::time::timeout(DNS_TIMEOUT, self.door.lookup(name));
        let found = asked.await.map_err(late)?.map_err(|_| unknown())?;
        if found.is_empty() {
            return Err(unknown());
        }
        self.pass(name, false, found.into_iter().take(DNS_ANSWERS_MAX))
    }

    /// Those that may be dialled. If none may, why the first may not.
    fn pass(
        &self,
        host: &str,
        is_literal: bool,
        addresses: impl IntoIterator<Item = IpAddr>,
    ) -> Result<Vec<SocketAddr>, NetError> {
        let (mut passed, mut barred) = (Vec::new(), None);
        for address in addresses {
            match self.check(address) {
                Ok(()) => passed.push(SocketAddr::new(address, self.port)),
                Err(bar) => barred = barred.or(Some((address, bar))),
            }
        }
        match barred {
            Some((address, bar)) if passed.is_empty() => {
                // Here and not in the error: what a name server of one's own says is not a pack's to know.
                info!(by = %self.side, host, %address, port = self.port, ?bar, "an address is not dialled");
                Err(self.refusal(host, is_literal, address, bar))
            }
            _ => Ok(passed),
        }
    }

    fn check(&self, address: IpAddr) -> Result<(), Bar> {
        self.reach.check(address).map_err(Bar::Class)?;
        // An operator who writes the very address of this process into a connection means it. A grant does not count: no
        // pack has to call the process that it runs in.
        let is_meant = matches!(self.side, Side::Connection(_)) && self.reach.names(address);
        if !is_meant && self.door.leads_here(address, self.port) { Err(Bar::Own) } else { Ok(()) }
    }

    fn refusal(&self, host: &str, is_literal: bool, address: IpAddr, bar: Bar) -> NetError {
        let verb = if is_literal { "is" } else { "has" };
        let (message, hint) = match bar {
            Bar::Class(class) => (
                format!("`{host}` {verb} {class}, which the request may not reach"),
                self.line(host, is_literal, address, class),
            ),
            Bar::Own => {
                let message = format!("on port {} of `{host}` this process itself listens", self.port);
                (message, self.own_line(host))
            }
        };
        NetError::new(ErrorKind::Address, message).with_hint(hint)
    }

    /// The line to write, if it is meant. The address of a name is not shown: only the network that its class names.
    fn line(&self, host: &str, is_literal: bool, address: IpAddr, class: AddressClass) -> String {
        if class.is_never() {
            return "no request can be sent to such an address, and nothing permits it".to_owned();
        }
        let network = if is_literal { AddressRange::from(address).to_string() } else { usual_network(address, class) };
        match &self.side {
            Side::Grant(pack) if class.is_only_by_name() && (is_literal || is_localhost(host)) => {
                let host = if address.is_ipv6() && is_literal { format!("[{host}]") } else { host.to_owned() };
                let (scheme, port) = (&self.scheme, self.port);
                format!(
                    "if it is meant, the operator names host and port in `http` under `[grants.{pack}]` in runner.toml: \
                     `url = \"{scheme}://{host}:{port}\"`"
                )
            }
            Side::Grant(pack) => format!(
                "if it is meant, the operator adds `addresses = [\"{network}\"]`, or a narrower network, to the rule for \
                 this host in `http` under `[grants.{pack}]` in runner.toml"
            ),
            Side::Connection(name) => format!(
                "if it is meant, write the address itself into the URL, or `addresses = [\"{network}\"]` into \
                 `[connections.{name}]` in runner.toml"
            ),
            #[cfg(test)]
            Side::Host => network,
        }
    }

    fn own_line(&self, host: &str) -> String {
        if let Side::Connection(name) = &self.side {
            return format!(
                "if it is meant, write the address itself in place of `{host}` into the base URL of `[connections.{name}]`"
            );
        }
        "a pack reaches it, if it has to, only through a connection with this address as its base URL".to_owned()
    }
}

impl Resolve for Gate {
    fn resolve(&self, name: Name) -> Resolving {
        let gate = self.clone();
        Box::pin(async move {
            match gate.resolve_name(name.as_str()).await {
                Ok(addresses) => Ok(Box::new(addresses.into_iter()) as Addrs),
                Err(error) => Err(Unreached(error).into()),
            }
        })
    }
}

/// The network that an address of a class is in, as far as everybody knows it.
fn usual_network(address: IpAddr, class: AddressClass) -> String {
    let networks: &[&str] = match class {
        AddressClass::Private => &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"],
        AddressClass::Loopback => &["127.0.0.0/8", "::1/128"],
        AddressClass::LinkLocal => &["169.254.0.0/16", "fe80::/10"],
        _ => &[],
    };
    let holds = |text: &&&str| text.parse::<AddressRange>().is_ok_and(|range| range.permits(address));
    networks.iter().find(holds).map_or_else(|| AddressRange::from(address).to_string(), |text| (*text).to_owned())
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use runner_model::Limits;

    use super::*;
    use crate::egress::lookup::Lookup;

    /// Says in turns what it is given.
    struct Rebinding(Vec<Vec<IpAddr>>, AtomicUsize);

    #[async_trait]
    impl Lookup for Rebinding {
        async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            let number = self.1.fetch_add(1, Ordering::SeqCst);
            Ok(self.0[number % self.0.len()].clone())
        }
    }

    fn gate(answers: &[&[&str]], reach: Reach) -> Gate {
        let parsed = |answer: &&[&str]| answer.iter().map(|text| text.parse().unwrap()).collect();
        let lookup = Arc::new(Rebinding(answers.iter().map(parsed).collect(), AtomicUsize::new(0)));
        let url = "https://rebound.example/".parse().unwrap();
        Gate::new(&Door::with_lookup(&Limits::default(), lookup), reach, &url, Side::Host)
    }

    /// What the HTTP client is given to dial.
    async fn dialled(gate: &Gate) -> Result<Vec<IpAddr>, String> {
        let name: Name = "rebound.example".parse().unwrap();
        let given = gate.resolve(name).await.map_err(|error| error.to_string())?;
        Ok(given.map(|address| address.ip()).collect())
    }

    /// S15: the client never sees the second answer, whichever it asks for.
    #[tokio::test]
    async fn a_public_name_that_turns_into_another_is_never_handed_on() {
        let public: IpAddr = "93.184.216.34".parse().unwrap();
        for second in ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "fd00:ec2::254"] {
            let gate = gate(&[&["93.184.216.34"], &[second]], Reach { global: true, ..Reach::default() });
            for round in 0..1_000 {
                assert_eq!(dialled(&gate).await.unwrap(), [public], "{round}");
                assert!(dialled(&gate).await.unwrap_err().contains("may not reach"), "{round}");
            }
        }
    }

    #[tokio::test]
    async fn every_answer_is_looked_at_and_only_so_many_of_them() {
        let mixed: &[&str] = &["127.0.0.1", "1.1.1.1", "10.0.0.1", "2606:4700::1111", "0.0.0.0", "8.8.8.8"];
        let gate = gate(&[mixed, &["1.1.1.1"; 10_000], &[]], Reach { global: true, ..Reach::default() });
        let expected: [IpAddr; 3] = ["1.1.1.1", "2606:4700::1111", "8.8.8.8"].map(|text| text.parse().unwrap());
        assert_eq!(dialled(&gate).await.unwrap(), expected);
        assert_eq!(dialled(&gate).await.unwrap().len(), DNS_ANSWERS_MAX);
        assert!(dialled(&gate).await.unwrap_err().contains("cannot be resolved"));
    }
}
