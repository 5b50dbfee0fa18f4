//! Storage virtual machines, and those that they are peered with.

use crate::field::{Field, Kind};
use crate::resource::Resource;
use crate::verbs::ALL;

pub(super) static SVM: Resource = Resource {
    name: "svm",
    plural: "svms",
    what: "an SVM",
    path: "/api/svm/svms",
    keys: &["uuid"],
    parent: None,
    identity: &[Field::text("name", "name", "The SVM's name.").required()],
    fields: &[
        Field::text("new_name", "name", "Another name for it.").later(),
        Field::new("aggregates", "aggregates", Kind::Names, "Aggregates that its volumes may be on."),
        Field::text("ipspace", "ipspace.name", "Its IPspace.").fixed(),
        Field::text("language", "language", "The language of its names, such as `c.utf_8`."),
        Field::new(
            "subtype",
            "subtype",
            Kind::Choice(&["default", "dp_destination", "sync_source", "sync_destination", "data_engine"]),
            "What it is for.",
        )
        .fixed(),
        Field::text("comment", "comment", "A remark."),
        Field::text("snapshot_policy", "snapshot_policy.name", "The snapshot policy of its new volumes."),
        Field::number("max_volumes", "max_volumes", "How many volumes it may have."),
        Field::new("state", "state", Kind::Choice(&["running", "stopped"]), "Whether it serves data.").later(),
        Field::flag("nfs_enabled", "nfs.enabled", "Whether it serves NFS."),
        Field::flag("nfs_allowed", "nfs.allowed", "Whether it may serve NFS."),
        Field::flag("cifs_allowed", "cifs.allowed", "Whether it may serve SMB."),
        Field::flag("iscsi_enabled", "iscsi.enabled", "Whether it serves iSCSI."),
        Field::flag("iscsi_allowed", "iscsi.allowed", "Whether it may serve iSCSI."),
        Field::flag("fcp_enabled", "fcp.enabled", "Whether it serves Fibre Channel."),
        Field::flag("nvme_enabled", "nvme.enabled", "Whether it serves NVMe."),
        Field::new("dns_domains", "dns.domains", Kind::Texts, "DNS domains to search."),
        Field::new("dns_servers", "dns.servers", Kind::Texts, "Addresses of its name servers."),
        Field::new(
            "ip_interfaces",
            "ip_interfaces",
            Kind::Objects,
            "Interfaces to make with it: `{name, ip: {address, netmask}, location: {broadcast_domain: {name}, home_node: {name}}, service_policy}`.",
        )
        .fixed(),
        Field::new("routes", "routes", Kind::Objects, "Routes to make with it: `{gateway, destination: {address, netmask}}`.")
            .fixed(),
    ],
    check: None,
    listed: "name,state,subtype,language,ipspace,aggregates,nfs.enabled,cifs.enabled,iscsi.enabled",
    verbs: ALL,
};

pub(super) static SVM_PEER: Resource = Resource {
    name: "svm_peer",
    plural: "svm_peers",
    what: "an SVM peer",
    path: "/api/svm/peers",
    keys: &["uuid"],
    parent: None,
    identity: &[
        Field::text("svm", "svm.name", "The local SVM.").required(),
        Field::text("peer_svm", "peer.svm.name", "The SVM on the other side.").required(),
        Field::text(
            "peer_cluster",
            "peer.cluster.name",
            "Its cluster, as the local one calls it; none is the local one.",
        ),
    ],
    fields: &[
        Field::text("name", "name", "What the local cluster calls the other SVM, if its own name is taken."),
        Field::new(
            "applications",
            "applications",
            Kind::Texts,
            "What the peering is for: `snapmirror`, `file_copy`, `lun_copy`, `flexcache`.",
        ),
        Field::new("state", "state", Kind::Choice(&["peered", "rejected", "suspended"]), "`peered` accepts it.")
            .later(),
        Field::flag("force", "force", "Suspend, resume or make it although the other side cannot be asked."),
    ],
    check: None,
    listed: "name,state,svm,peer,applications",
    verbs: ALL,
};
