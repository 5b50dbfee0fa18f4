//! Where the daemon listens: on an address, or on a socket that the service manager holds open across restarts
//! (`LISTEN_FDS`), so that nobody who connects meanwhile is turned away.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use runner_model::code;
use runner_server::Certificate;

use crate::config::TlsFiles;
use crate::error::CliError;
use crate::exit::Exit;

/// A socket that is listened on.
pub(super) struct Socket {
    listener: tokio::net::TcpListener,
    address: SocketAddr,
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
    pub(super) async fn open(address: SocketAddr) -> Result<Self, CliError> {
        let handed = listenfd::ListenFd::from_env().take_tcp_listener(0).ok().flatten();
        let listener = match handed {
            Some(listener) => adopt(listener),
            None => tokio::net::TcpListener::bind(address).await,
        };
        let opened = listener.and_then(|listener| Ok(Self { address: listener.local_addr()?, listener }));
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

    /// The URL to reach it by, and the socket itself.
    pub(super) fn into_listener(self, tls: bool) -> (String, tokio::net::TcpListener) {
        let scheme = if tls { "https" } else { "http" };
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

/// The certificate of the files.
pub(super) fn certificate(files: Option<&TlsFiles>) -> Result<Option<Certificate>, CliError> {
    let Some(files) = files else { return Ok(None) };
    let read = |path: &Path| {
        std::fs::read_to_string(path).map_err(|error| {
            let message = format!("the file `{}` cannot be read: {error}", path.display());
            CliError::new(Exit::Invalid, code::CONF_UNREADABLE, message)
        })
    };
    let (chain, key) = (read(&files.certificate)?, read(&files.key)?);
    let certificate = Certificate::of_pem(&chain, &key).map_err(|error| {
        let message = format!("`{}` and `{}` make no certificate", files.certificate.display(), files.key.display());
        CliError::new(Exit::Invalid, code::CONF_INVALID, message)
            .caused_by(&error)
            .hint("both are PEM: the chain with the daemon's own certificate first, and the key without a password")
    })?;
    Ok(Some(certificate))
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
