//! Keys of Unified Manager: `<cluster uuid>:type=<type>,uuid=<uuid>`. The parts lead through the gateway to ONTAP.

use runner_sdk::prelude::{Result, bail};

/// A key, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key<'a> {
    /// The cluster's uuid: the name of its gateway.
    pub(crate) cluster: &'a str,
    /// The uuid that ONTAP knows the object by.
    pub(crate) uuid: &'a str,
}

/// Whether a text looks like a key, and is not a name.
pub(crate) fn is_key(text: &str) -> bool {
    text.contains(":type=")
}

/// Takes the key of an object apart.
///
/// # Errors
/// `bad-key`.
pub(crate) fn parse<'a>(key: &'a str, kind: &str) -> Result<Key<'a>> {
    let parts = key.split_once(":type=").and_then(|(cluster, rest)| {
        let (found, uuid) = rest.split_once(",uuid=")?;
        (found == kind && !cluster.is_empty() && !uuid.is_empty()).then_some(Key { cluster, uuid })
    });
    match parts {
        Some(key) => Ok(key),
        None => bail!(
            "bad-key",
            "`{key}` is not the key of a {kind}: those look like `<cluster uuid>:type={kind},uuid=<uuid>`"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_holds_the_cluster_and_the_object() {
        assert_eq!(parse("c-1:type=vserver,uuid=s-1", "vserver").unwrap(), Key { cluster: "c-1", uuid: "s-1" });
        for wrong in ["s-1", "c-1:type=volume,uuid=s-1", ":type=vserver,uuid=s-1", "c-1:type=vserver,uuid="] {
            assert_eq!(parse(wrong, "vserver").unwrap_err().code, "bad-key", "{wrong}");
        }
    }
}
