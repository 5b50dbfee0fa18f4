//! What must hold of a cluster peer, looked at before anything is sent, with the codes that ONTAP itself would answer.

use runner_sdk::prelude::{Failure, Result, Value, clock, json};

use super::expiry;
use crate::body;
use crate::field::When;

/// A passphrase, and no addresses of the other cluster.
pub const PASSPHRASE_WITHOUT_ADDRESSES: &str = "4656069";
/// Addresses, and nothing that the other cluster could know this one by.
pub const NEITHER_PASSPHRASE: &str = "4656077";
/// A passphrase that is given and is to be made.
pub const BOTH_PASSPHRASES: &str = "4656083";
/// Encryption between clusters that do not authenticate.
pub const ENCRYPTION_WITHOUT_AUTHENTICATION: &str = "4656070";
/// A name that is none.
pub const BAD_NAME: &str = "4656072";
/// New local interfaces, and no addresses for them.
pub const NO_LOCAL_ADDRESSES: &str = "4656081";
/// A passphrase that is valid for too long.
pub const VALID_TOO_LONG: &str = "4655058";
/// Another encryption, without the passphrase.
pub const ENCRYPTION_NEEDS_PASSPHRASE: &str = "4656073";

/// Refuses what ONTAP would refuse, and writes what it writes differently.
///
/// # Errors
/// ONTAP's code, and what to do.
pub fn check(wanted: &mut Value, when: When) -> Result<()> {
    // ONTAP's documentation writes it both ways, its API only one.
    if body::text(wanted, "encryption.proposed").as_deref() == Some("tls-psk") {
        body::set(wanted, "encryption.proposed", json!("tls_psk"));
    }
    let given = Given::of(wanted);
    given.expiry()?;
    given.both()?;
    match when {
        When::Changed => given.changed(wanted),
        _ => given.created(wanted),
    }
}

/// What of it counts.
struct Given {
    addresses: bool,
    passphrase: bool,
    generate: bool,
    encryption: Option<String>,
    in_use: Option<String>,
    expiry: Option<String>,
    name: Option<String>,
}

fn refuse(code: &str, message: &str) -> Result<()> {
    Err(Failure::new(code, message))
}

impl Given {
    fn of(wanted: &Value) -> Self {
        let list = body::get(wanted, "remote.ip_addresses").and_then(Value::as_array);
        let passphrase = body::text(wanted, "authentication.passphrase");
        Self {
            addresses: list.is_some_and(|list| !list.is_empty()),
            passphrase: passphrase.is_some_and(|passphrase| !passphrase.is_empty()),
            generate: body::text(wanted, "authentication.generate_passphrase").as_deref() == Some("true"),
            encryption: body::text(wanted, "encryption.proposed"),
            in_use: body::text(wanted, "authentication.in_use"),
            expiry: body::text(wanted, "authentication.expiry_time"),
            name: body::text(wanted, "name"),
        }
    }

    fn expiry(&self) -> Result<()> {
        let Some(text) = &self.expiry else { return Ok(()) };
        match expiry::seconds(text, clock::now_ms()) {
            Some(seconds) if seconds > expiry::SECONDS_MAX => refuse(
                VALID_TOO_LONG,
                "a passphrase cannot be valid for more than seven days: give a shorter `expiry_time`",
            ),
            Some(_) => Ok(()),
            None => refuse(
                "bad-input",
                "`expiry_time` is neither a duration such as `PT1H` or `P2D` nor a time such as `2026-12-25T12:00:00Z`",
            ),
        }
    }

    fn both(&self) -> Result<()> {
        if self.passphrase && self.generate {
            return refuse(BOTH_PASSPHRASES, "give a `passphrase`, or `generate_passphrase`, not both");
        }
        Ok(())
    }

    fn created(&self, wanted: &Value) -> Result<()> {
        if self.passphrase && !self.addresses {
            return refuse(
                PASSPHRASE_WITHOUT_ADDRESSES,
                "a passphrase needs the addresses of the other cluster: give `remote_ip_addresses`, or `generate_passphrase` instead",
            );
        }
        if self.addresses && !self.passphrase && !self.generate {
            return refuse(
                NEITHER_PASSPHRASE,
                "addresses alone are not enough: give the `passphrase` of the other cluster, or `generate_passphrase`",
            );
        }
        let encrypts = self.encryption.as_deref() == Some("tls_psk");
        if encrypts && self.in_use.as_deref() == Some("absent") {
            return refuse(
                ENCRYPTION_WITHOUT_AUTHENTICATION,
                "encryption needs authentication: leave `authentication_in_use` out",
            );
        }
        self.name_is_one()?;
        local_network(wanted)
    }

    fn name_is_one(&self) -> Result<()> {
        let Some(name) = &self.name else { return Ok(()) };
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let begins = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        if begins && name.chars().all(legal) {
            return Ok(());
        }
        refuse(
            BAD_NAME,
            "the name of a cluster peer begins with a letter or `_`, and has only letters, digits, `-`, `_` and `.`",
        )
    }

    fn changed(&self, wanted: &mut Value) -> Result<()> {
        let has_passphrase = self.passphrase || self.generate;
        if self.encryption.is_some() && !has_passphrase {
            return refuse(
                ENCRYPTION_NEEDS_PASSPHRASE,
                "another encryption needs the passphrase again: give `passphrase`, or `generate_passphrase`",
            );
        }
        // A new passphrase is only taken from one that says that it is used.
        if has_passphrase && self.in_use.is_none() {
            body::set(wanted, "authentication.in_use", json!("ok"));
        }
        Ok(())
    }
}

fn local_network(wanted: &Value) -> Result<()> {
    let Some(network) = body::get(wanted, "local_network") else { return Ok(()) };
    let list =
        body::get(network, "interfaces").or_else(|| body::get(network, "ip_addresses")).and_then(Value::as_array);
    if list.is_none_or(Vec::is_empty) {
        return refuse(
            NO_LOCAL_ADDRESSES,
            "new local interfaces need addresses, one for each node: give `local_ip_addresses`, or leave the other `local_` parameters out",
        );
    }
    Ok(())
}
