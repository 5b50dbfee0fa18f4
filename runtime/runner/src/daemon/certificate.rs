//! The daemon's certificate: read at the start, and again when its files are renewed, so that nobody who is connected or asks
//! meanwhile notices.

use std::path::Path;

use runner_model::{code, limits};
use runner_server::Certificate;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::reload::HangUps;
use crate::config::TlsFiles;
use crate::error::CliError;
use crate::exit::Exit;

/// The certificate of the files.
pub(super) fn read(files: &TlsFiles) -> Result<Certificate, CliError> {
    let (chain, key) = (text(&files.certificate)?, text(&files.key)?);
    Certificate::of_pem(&chain, &key).map_err(|error| {
        let message = format!("`{}` and `{}` make no certificate", files.certificate.display(), files.key.display());
        CliError::new(Exit::Invalid, code::CONF_INVALID, message)
            .caused_by(&error)
            .hint("both are PEM: the chain with the daemon's own certificate first, and the key without a password")
    })
}

fn text(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path).map_err(|error| {
        let message = format!("the file `{}` cannot be read: {error}", path.display());
        CliError::new(Exit::Invalid, code::CONF_UNREADABLE, message)
    })
}

/// Shows what is in the files whenever that is another one: looks now and then, and on SIGHUP. Files that make no
/// certificate change nothing; they may only be half written.
pub(super) async fn follow(files: TlsFiles, certificate: Certificate, mut signals: HangUps, stop: CancellationToken) {
    let mut look = tokio::time::interval(limits::CERTIFICATE_LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failed_before = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = look.tick() => {}
            () = signals.next() => failed_before = false,
        }
        let of = files.clone();
        let Ok(found) = tokio::task::spawn_blocking(move || read(&of)).await else { continue };
        match found {
            Ok(found) if found.pin() != certificate.pin() => {
                certificate.renew(&found);
                info!(pin = %found.pin(), "certificate renewed");
                failed_before = false;
            }
            Ok(_) => failed_before = false,
            Err(error) => {
                if !std::mem::replace(&mut failed_before, true) {
                    let message = error.mistakes.first().map(|mistake| mistake.message.as_str()).unwrap_or_default();
                    warn!("{message}; the certificate from before stays");
                }
            }
        }
    }
}
