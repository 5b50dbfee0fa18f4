//! Snapshots by schedule, and mirrors.

use crate::field::{Field, Kind};
use crate::resource::Resource;
use crate::verbs::{ALL, Verb};

pub(super) static SNAPSHOT_POLICY: Resource = Resource {
    name: "snapshot_policy",
    plural: "snapshot_policies",
    what: "a snapshot policy",
    path: "/api/storage/snapshot-policies",
    keys: &["uuid"],
    parent: None,
    identity: &[
        Field::text("name", "name", "The policy's name.").required(),
        Field::text("svm", "svm.name", "The SVM that it belongs to; none for one of the cluster."),
    ],
    fields: &[
        Field::new(
            "copies",
            "copies",
            Kind::Objects,
            "What is kept: `{schedule: {name}, count, prefix, snapmirror_label}` each.",
        )
        .fixed(),
        Field::flag("enabled", "enabled", "Whether it is in force."),
        Field::text("comment", "comment", "A remark."),
    ],
    check: None,
    listed: "name,svm,enabled,copies,scope",
    verbs: ALL,
};

pub(super) static SCHEDULE: Resource = Resource {
    name: "schedule",
    plural: "schedules",
    what: "a schedule",
    path: "/api/cluster/schedules",
    keys: &["uuid"],
    parent: None,
    identity: &[Field::text("name", "name", "The schedule's name.").required()],
    fields: &[],
    check: None,
    listed: "name,type,cron,interval",
    verbs: &[Verb::Get, Verb::List, Verb::Find],
};

/// A mirror, seen from its destination.
pub static SNAPMIRROR: Resource = Resource {
    name: "snapmirror",
    plural: "snapmirrors",
    what: "a SnapMirror relationship",
    path: "/api/snapmirror/relationships",
    keys: &["uuid"],
    parent: None,
    identity: &[Field::text("destination_path", "destination.path", "What is written: `svm:volume`.").required()],
    fields: &[
        Field::text("source_path", "source.path", "What is read: `svm:volume`.").fixed().required(),
        Field::text("source_cluster", "source.cluster.name", "The source's cluster, to make the peering on the way.")
            .fixed(),
        Field::text("policy", "policy.name", "Its policy, such as `Asynchronous` or `MirrorAllSnapshots`."),
        Field::text("transfer_schedule", "transfer_schedule.name", "When it is updated."),
        Field::flag("create_destination", "create_destination.enabled", "Make the destination too.").fixed(),
        Field::text(
            "destination_storage_service",
            "create_destination.storage_service.name",
            "The storage service of the new destination.",
        )
        .fixed(),
        Field::number("throttle", "throttle", "At most so many KB a second; 0 is no limit."),
    ],
    check: None,
    listed: "source,destination,state,healthy,lag_time,policy,unhealthy_reason",
    verbs: ALL,
};
