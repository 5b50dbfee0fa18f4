//! Volumes and what is within them.

use crate::field::{Field, Kind};
use crate::resource::{Parent, Resource};
use crate::verbs::ALL;

/// A volume.
pub static VOLUME: Resource = Resource {
    name: "volume",
    plural: "volumes",
    what: "a volume",
    path: "/api/storage/volumes",
    keys: &["uuid"],
    parent: None,
    identity: &[
        Field::text("name", "name", "The volume's name.").required(),
        Field::text("svm", "svm.name", "The SVM that it belongs to.").required(),
    ],
    fields: &[
        Field::text("new_name", "name", "Another name for it.").later(),
        Field::new("size", "size", Kind::Size, "Its size: bytes, or a text such as `500GB`."),
        Field::new("aggregates", "aggregates", Kind::Names, "The aggregate that it is on; several for a FlexGroup.")
            .fixed(),
        Field::new("type", "type", Kind::Choice(&["rw", "dp", "ls"]), "`dp` for the destination of a mirror.").fixed(),
        Field::new("style", "style", Kind::Choice(&["flexvol", "flexgroup"]), "Its style.").fixed(),
        Field::new(
            "guarantee",
            "guarantee.type",
            Kind::Choice(&["volume", "none"]),
            "`none`: thin; `volume`: its space is set aside.",
        ),
        Field::text("junction_path", "nas.path", "Where it is mounted in the SVM, such as `/share`."),
        Field::text("export_policy", "nas.export_policy.name", "Its export policy."),
        Field::new(
            "security_style",
            "nas.security_style",
            Kind::Choice(&["unix", "ntfs", "mixed", "unified"]),
            "Whose permissions count.",
        ),
        Field::number("unix_permissions", "nas.unix_permissions", "The permissions of its root, such as 755."),
        Field::number("uid", "nas.uid", "The user that its root belongs to."),
        Field::number("gid", "nas.gid", "The group that its root belongs to."),
        Field::text("snapshot_policy", "snapshot_policy.name", "Its snapshot policy."),
        Field::number("snapshot_reserve_percent", "space.snapshot.reserve_percent", "How much is kept for snapshots."),
        Field::text("qos_policy", "qos.policy.name", "Its QoS policy."),
        Field::text("language", "language", "The language of its names.").fixed(),
        Field::new(
            "autosize_mode",
            "autosize.mode",
            Kind::Choice(&["off", "grow", "grow_shrink"]),
            "Whether it grows by itself.",
        ),
        Field::new("autosize_maximum", "autosize.maximum", Kind::Size, "How far it grows by itself."),
        Field::new(
            "tiering_policy",
            "tiering.policy",
            Kind::Choice(&["all", "auto", "backup", "none", "snapshot_only"]),
            "What goes to the object store.",
        ),
        Field::flag("encryption", "encryption.enabled", "Whether it is encrypted."),
        Field::new("state", "state", Kind::Choice(&["online", "offline", "restricted"]), "Whether it can be used."),
        Field::text("comment", "comment", "A remark."),
    ],
    check: None,
    listed: "name,svm,state,type,style,size,space.used,space.available,space.percent_used,aggregates,nas.path,snapshot_policy",
    verbs: ALL,
};

pub(super) static QTREE: Resource = Resource {
    name: "qtree",
    plural: "qtrees",
    what: "a qtree",
    path: "/api/storage/qtrees",
    keys: &["volume.uuid", "id"],
    parent: None,
    identity: &[
        Field::text("name", "name", "The qtree's name.").required(),
        Field::text("volume", "volume.name", "The volume that it is in.").required(),
        Field::text("svm", "svm.name", "The volume's SVM.").required(),
    ],
    fields: &[
        Field::text("new_name", "name", "Another name for it.").later(),
        Field::text("export_policy", "export_policy.name", "Its export policy; none is the volume's."),
        Field::new(
            "security_style",
            "security_style",
            Kind::Choice(&["unix", "ntfs", "mixed"]),
            "Whose permissions count.",
        ),
        Field::number("unix_permissions", "unix_permissions", "The permissions of its root, such as 755."),
        Field::text("user", "user.name", "The user that it belongs to."),
        Field::text("group", "group.name", "The group that it belongs to."),
    ],
    check: None,
    listed: "name,id,volume,svm,security_style,export_policy,path",
    verbs: ALL,
};

pub(super) static QUOTA_RULE: Resource = Resource {
    name: "quota_rule",
    plural: "quota_rules",
    what: "a quota rule",
    path: "/api/storage/quota/rules",
    keys: &["uuid"],
    parent: None,
    identity: &[
        Field::text("volume", "volume.name", "The volume that it holds for.").required(),
        Field::text("svm", "svm.name", "The volume's SVM.").required(),
        Field::new("type", "type", Kind::Choice(&["tree", "user", "group"]), "What is counted.").required(),
        Field::text(
            "qtree",
            "qtree.name",
            "The qtree; an empty name is the default for all qtrees, or the volume itself.",
        ),
        Field::new(
            "user",
            "users",
            Kind::OneName,
            "The user, for the type `user`; an empty name is the default for all.",
        ),
        Field::text("group", "group.name", "The group, for the type `group`; an empty name is the default for all."),
    ],
    fields: &[
        Field::new(
            "space_hard_limit",
            "space.hard_limit",
            Kind::Size,
            "No more than this: bytes, or a text such as `10GB`.",
        ),
        Field::new("space_soft_limit", "space.soft_limit", Kind::Size, "More than this is told."),
        Field::number("files_hard_limit", "files.hard_limit", "No more files than this."),
        Field::number("files_soft_limit", "files.soft_limit", "More files than this are told."),
        Field::flag("user_mapping", "user_mapping", "Count the Windows and the UNIX user as one."),
    ],
    check: None,
    listed: "type,volume,svm,qtree,users,group,space,files",
    verbs: ALL,
};

pub(super) static SNAPSHOT: Resource = Resource {
    name: "snapshot",
    plural: "snapshots",
    what: "a snapshot",
    path: "/api/storage/volumes/{volume.uuid}/snapshots",
    keys: &["uuid"],
    parent: Some(Parent {
        resource: &VOLUME,
        key: "volume.uuid",
        from: "uuid",
        by: &[("volume", "name"), ("svm", "svm")],
    }),
    identity: &[
        Field::text("name", "name", "The snapshot's name.").required(),
        Field::text("volume", "volume.name", "The volume that it is of.").required().parent(),
        Field::text("svm", "svm.name", "The volume's SVM.").required().parent(),
    ],
    fields: &[
        Field::text("new_name", "name", "Another name for it.").later(),
        Field::text("comment", "comment", "A remark."),
        Field::text("expiry_time", "expiry_time", "Until when it may not be deleted by itself: a time, ISO 8601."),
        Field::text("snapmirror_label", "snapmirror_label", "The label that a mirror's policy looks for."),
    ],
    check: None,
    listed: "name,create_time,size,comment,snapmirror_label,expiry_time",
    verbs: ALL,
};
