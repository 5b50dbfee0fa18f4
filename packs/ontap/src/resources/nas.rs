//! Files over NFS and SMB.

use crate::field::{Field, Kind};
use crate::resource::{Parent, Resource};
use crate::verbs::ALL;

pub(super) static EXPORT_POLICY: Resource = Resource {
    name: "export_policy",
    plural: "export_policies",
    what: "an export policy",
    path: "/api/protocols/nfs/export-policies",
    keys: &["id"],
    parent: None,
    identity: &[
        Field::text("name", "name", "The policy's name.").required(),
        Field::text("svm", "svm.name", "The SVM that it belongs to.").required(),
    ],
    fields: &[
        Field::text("new_name", "name", "Another name for it.").later(),
        Field::new(
            "rules",
            "rules",
            Kind::Objects,
            "Its rules: `{clients: [{match}], protocols, ro_rule, rw_rule, superuser, anonymous_user}`.",
        ),
    ],
    check: None,
    listed: "name,svm,id,rules",
    verbs: ALL,
};

pub(super) static EXPORT_RULE: Resource = Resource {
    name: "export_rule",
    plural: "export_rules",
    what: "an export rule",
    path: "/api/protocols/nfs/export-policies/{policy.id}/rules",
    keys: &["index"],
    parent: Some(Parent {
        resource: &EXPORT_POLICY,
        key: "policy.id",
        from: "id",
        by: &[("policy", "name"), ("svm", "svm")],
    }),
    identity: &[
        Field::text("policy", "policy.name", "The export policy.").required().parent(),
        Field::text("svm", "svm.name", "The policy's SVM.").required().parent(),
        Field::new(
            "client",
            "clients",
            Kind::OneMatch,
            "For whom: an address, a network, a host, a `.domain`, an `@netgroup`.",
        ),
        Field::number("index", "index", "Its place in the policy: the first that fits counts."),
    ],
    fields: &[
        Field::new("clients", "clients", Kind::Objects, "For several: `{match}` each, instead of `client`."),
        Field::new("protocols", "protocols", Kind::Texts, "`any`, `nfs`, `nfs3`, `nfs4`, `cifs`, `flexcache`."),
        Field::new(
            "ro_rule",
            "ro_rule",
            Kind::Texts,
            "Who may read: `any`, `none`, `never`, `sys`, `krb5`, `krb5i`, `krb5p`, `ntlm`.",
        ),
        Field::new("rw_rule", "rw_rule", Kind::Texts, "Who may write."),
        Field::new("superuser", "superuser", Kind::Texts, "Who may be root."),
        Field::text("anonymous_user", "anonymous_user", "The user that stands for root and unknown ones."),
        Field::flag("allow_suid", "allow_suid", "Whether set-user-id has an effect."),
        Field::flag("allow_device_creation", "allow_device_creation", "Whether devices may be made."),
    ],
    check: Some(crate::special::export_rule::check),
    listed: "index,clients,protocols,ro_rule,rw_rule,superuser",
    verbs: ALL,
};

pub(super) static NFS_SERVICE: Resource = Resource {
    name: "nfs_service",
    plural: "nfs_services",
    what: "an NFS service",
    path: "/api/protocols/nfs/services",
    keys: &["svm.uuid"],
    parent: None,
    identity: &[Field::text("svm", "svm.name", "The SVM that it belongs to.").required()],
    fields: &[
        Field::flag("enabled", "enabled", "Whether it serves."),
        Field::flag("v3_enabled", "protocol.v3_enabled", "Whether it speaks NFS 3."),
        Field::flag("v40_enabled", "protocol.v40_enabled", "Whether it speaks NFS 4.0."),
        Field::flag("v41_enabled", "protocol.v41_enabled", "Whether it speaks NFS 4.1."),
        Field::flag("v42_enabled", "protocol.v42_enabled", "Whether it has the features of NFS 4.2."),
        Field::text("v4_id_domain", "protocol.v4_id_domain", "The domain of NFS 4's names of users."),
        Field::flag("tcp_enabled", "transport.tcp_enabled", "Whether it speaks TCP."),
        Field::flag("udp_enabled", "transport.udp_enabled", "Whether it speaks UDP."),
        Field::flag("showmount_enabled", "showmount_enabled", "Whether `showmount -e` shows what there is."),
        Field::flag("vstorage_enabled", "vstorage_enabled", "Whether VMware may offload copies."),
    ],
    check: None,
    listed: "svm,enabled,state,protocol",
    verbs: ALL,
};

pub(super) static CIFS_SHARE: Resource = Resource {
    name: "cifs_share",
    plural: "cifs_shares",
    what: "an SMB share",
    path: "/api/protocols/cifs/shares",
    keys: &["svm.uuid", "name"],
    parent: None,
    identity: &[
        Field::text("name", "name", "The share's name.").required(),
        Field::text("svm", "svm.name", "The SVM that it belongs to.").required(),
    ],
    fields: &[
        Field::text("path", "path", "What it shows: a path in the SVM, which must exist."),
        Field::text("comment", "comment", "A remark."),
        Field::new("acls", "acls", Kind::Objects, "Who may do what: `{user_or_group, permission, type}`.").fixed(),
        Field::flag("home_directory", "home_directory", "Whether each user has a directory of their own.").fixed(),
        Field::flag("access_based_enumeration", "access_based_enumeration", "Show only what one may open."),
        Field::flag("continuously_available", "continuously_available", "Keep files open over a failover."),
        Field::flag("encryption", "encryption", "Whether clients must encrypt."),
        Field::flag("oplocks", "oplocks", "Whether clients may cache."),
        Field::flag("browsable", "browsable", "Whether it is listed."),
        Field::new(
            "offline_files",
            "offline_files",
            Kind::Choice(&["none", "manual", "documents", "programs"]),
            "What clients may keep when they are away.",
        ),
    ],
    check: None,
    listed: "name,svm,path,comment",
    verbs: ALL,
};
