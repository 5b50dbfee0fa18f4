//! The cluster itself, its nodes and aggregates, its jobs, its peers.

use crate::field::{Field, Kind};
use crate::resource::Resource;
use crate::verbs::{ALL, Verb};

pub(super) static CLUSTER: Resource = Resource {
    name: "cluster",
    plural: "clusters",
    what: "a cluster",
    path: "/api/cluster",
    keys: &[],
    parent: None,
    identity: &[],
    fields: &[
        Field::text("name", "name", "The cluster's name.").later(),
        Field::text("contact", "contact", "Whom to ask about it.").later(),
        Field::text("location", "location", "Where it stands.").later(),
        Field::new("dns_domains", "dns_domains", Kind::Texts, "DNS domains to search.").later(),
        Field::new("name_servers", "name_servers", Kind::Texts, "Addresses of its name servers.").later(),
        Field::new("ntp_servers", "ntp_servers", Kind::Texts, "Its time servers.").later(),
    ],
    check: None,
    listed: "name,version",
    verbs: &[Verb::Get, Verb::Update],
};

pub(super) static NODE: Resource = Resource {
    name: "node",
    plural: "nodes",
    what: "a node",
    path: "/api/cluster/nodes",
    keys: &["uuid"],
    parent: None,
    identity: &[Field::text("name", "name", "The node's name.").required()],
    fields: &[
        Field::text("new_name", "name", "Another name for it.").later(),
        Field::text("location", "location", "Where it stands.").later(),
        Field::text("owner", "owner", "Whose it is.").later(),
    ],
    check: None,
    listed: "name,model,version,state,uptime,membership,ha",
    verbs: &[Verb::Get, Verb::List, Verb::Find, Verb::Update],
};

pub(super) static AGGREGATE: Resource = Resource {
    name: "aggregate",
    plural: "aggregates",
    what: "an aggregate",
    path: "/api/storage/aggregates",
    keys: &["uuid"],
    parent: None,
    identity: &[Field::text("name", "name", "The aggregate's name.").required()],
    fields: &[
        Field::text("node", "node.name", "The node that owns it.").fixed(),
        Field::number("disk_count", "block_storage.primary.disk_count", "How many disks it is made of."),
        Field::text("disk_class", "block_storage.primary.disk_class", "Their class, such as `solid_state`.").fixed(),
        Field::text("raid_type", "block_storage.primary.raid_type", "How they are protected, such as `raid_dp`."),
        Field::number("raid_size", "block_storage.primary.raid_size", "How many disks a RAID group may have."),
        Field::flag("mirrored", "block_storage.mirror.enabled", "Whether it is mirrored."),
    ],
    check: None,
    listed: "name,node,state,space,block_storage.primary",
    verbs: ALL,
};

pub(super) static JOB: Resource = Resource {
    name: "job",
    plural: "jobs",
    what: "a job",
    path: "/api/cluster/jobs",
    keys: &["uuid"],
    parent: None,
    identity: &[Field::text("uuid", "uuid", "The job's UUID.").required()],
    fields: &[],
    check: None,
    listed: "description,state,message,code,start_time,end_time",
    verbs: &[Verb::Get, Verb::List, Verb::Find],
};

/// Another cluster that this one talks to. What must hold of its fields is in `special::cluster_peer`.
pub static CLUSTER_PEER: Resource = Resource {
    name: "cluster_peer",
    plural: "cluster_peers",
    what: "a cluster peer",
    path: "/api/cluster/peers",
    keys: &["uuid"],
    parent: None,
    identity: &[Field::text("name", "name", "The name of the relationship; without one, that of the other cluster.")],
    fields: &[
        Field::text("new_name", "name", "Another name for it.").later(),
        Field::new(
            "remote_ip_addresses",
            "remote.ip_addresses",
            Kind::Texts,
            "Intercluster addresses of the other cluster. They need a `passphrase` or `generate_passphrase`.",
        ),
        Field::text("passphrase", "authentication.passphrase", "The passphrase that the other cluster was given.")
            .secret(),
        Field::flag(
            "generate_passphrase",
            "authentication.generate_passphrase",
            "Let ONTAP make a passphrase, for the other cluster to use.",
        ),
        Field::text(
            "expiry_time",
            "authentication.expiry_time",
            "How long the passphrase is valid: an ISO 8601 duration such as `PT1H`, or a time; at most seven days.",
        ),
        Field::new(
            "authentication_in_use",
            "authentication.in_use",
            Kind::Choice(&["ok", "absent", "revoked"]),
            "Whether the relationship is authenticated.",
        ),
        Field::new(
            "encryption",
            "encryption.proposed",
            Kind::Choice(&["none", "tls_psk", "tls-psk"]),
            "How the two clusters talk; a change needs the passphrase again.",
        ),
        Field::text("ipspace", "ipspace.name", "The IPspace of the local intercluster interfaces.").fixed(),
        Field::text("ipspace_uuid", "ipspace.uuid", "The same, by its UUID.").fixed(),
        Field::new(
            "initial_allowed_svms",
            "initial_allowed_svms",
            Kind::Names,
            "Local SVMs that may peer with the other cluster's.",
        ),
        Field::new(
            "local_ip_addresses",
            "local_network.interfaces",
            Kind::Addresses,
            "Addresses for new local intercluster interfaces, one for each node.",
        )
        .fixed(),
        Field::text("local_netmask", "local_network.netmask", "Their netmask, or its length.").fixed(),
        Field::text("local_broadcast_domain", "local_network.broadcast_domain", "Their broadcast domain.").fixed(),
        Field::text("local_gateway", "local_network.gateway", "The router on their way.").fixed(),
        Field::new(
            "peer_applications",
            "peer_applications",
            Kind::Texts,
            "What the peering is for, such as `snapmirror`.",
        ),
    ],
    check: Some(crate::special::cluster_peer::check),
    listed: "name,remote,status,authentication,encryption,ipspace",
    verbs: ALL,
};
