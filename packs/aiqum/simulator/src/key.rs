//! Keys of Unified Manager: `<cluster uuid>:type=<type>,uuid=<uuid>`.

/// A key, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key<'a> {
    /// The uuid of the cluster.
    pub(crate) cluster: &'a str,
    /// What kind of object it is of.
    pub(crate) kind: &'a str,
    /// Its uuid.
    pub(crate) uuid: &'a str,
}

/// The key of an object.
pub(crate) fn of(cluster: &str, kind: &str, uuid: &str) -> String {
    format!("{cluster}:type={kind},uuid={uuid}")
}

/// Takes a key apart.
pub(crate) fn parse(key: &str) -> Option<Key<'_>> {
    let (cluster, rest) = key.split_once(":type=")?;
    let (kind, uuid) = rest.split_once(",uuid=")?;
    Some(Key { cluster, kind, uuid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_cluster_type_and_object() {
        let key = of("c-1", "vserver", "s-1");
        assert_eq!(key, "c-1:type=vserver,uuid=s-1");
        assert_eq!(parse(&key), Some(Key { cluster: "c-1", kind: "vserver", uuid: "s-1" }));
        assert_eq!(parse("s-1"), None);
    }
}
