//! Where the daemon listens: on an address, or on a socket that the service manager holds open across restarts
//! (`LISTEN_FDS`), so that nobody who connects meanwhile is turned away.

use std::io;
use std::net::{SocketAddr, TcpListener};

use runner_model::code;
use runner_server::Certificate;

use crate::error::CliError;
use crate::exit::Exit;

/// A socket that is listened on.
pub(super) struct Socket {
    listener: tokio::net::TcpListener,
    address: SocketAddr,
    certificate: Option<Certificate>,
}

/// Where the daemon is in its life, for the service manager.
#[derive(Debug, Clone, Copy)]
pub(super) enum Phase {
    /// It serves.
    Ready,
    /// It ends.
    Stopping,
}

impl Socket {
    /// The socket that was handed over, or else one on `address`.
    pub(super) async fn open(address: SocketAddr, certificate: Option<Certificate>) -> Result<Self, CliError> {
        let handed = listenfd::ListenFd::from_env().take_tcp_listener(0).ok().flatten();
        let listener = match handed {
            Some(listener) => adopt(listener),
            None => tokio::net::TcpListener::bind(address).await,
        };
        let opened = listener.and_then(|listener| Ok(Self { address: listener.local_addr()?, listener, certificate }));
        opened.map_err(|error| refused(address, &error))
    }

    /// Where it is.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether only this machine reaches it.
    pub(super) const fn is_local(&self) -> bool {
        self.address.ip().is_loopback()
    }

    /// What is shown to whoever connects; none without TLS.
    pub(super) const fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    /// The URL to reach it by, and the socket itself.
    pub(super) fn into_listener(self) -> (String, tokio::net::TcpListener) {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        (format!("{scheme}://{}", self.address), self.listener)
    }
}

fn adopt(listener: TcpListener) -> io::Result<tokio::net::TcpListener> {
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}

fn refused(address: SocketAddr, error: &io::Error) -> CliError {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => "another process listens there: choose another address with `--listen`",
        io::ErrorKind::PermissionDenied => "ports below 1024 need privileges: choose another one with `--listen`",
        _ => "choose an address of this machine with `--listen`",
    };
    CliError::new(Exit::Usage, code::CLI_LISTEN, format!("cannot listen on {address}: {error}")).hint(hint)
}

/// Tells the service manager, if there is one that wants to know.
pub(super) fn tell_manager(phase: Phase) {
    let state = match phase {
        Phase::Ready => sd_notify::NotifyState::Ready,
        Phase::Stopping => sd_notify::NotifyState::Stopping,
    };
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(%error, "the service manager was not told");
    }
}
