//! Blocks over iSCSI and Fibre Channel.

use crate::field::{Field, Kind};
use crate::resource::Resource;
use crate::verbs::{ALL, Verb};

const IGROUP_OS: Kind =
    Kind::Choice(&["aix", "hpux", "hyper_v", "linux", "netware", "openvms", "solaris", "vmware", "windows", "xen"]);
const LUN_OS: Kind = Kind::Choice(&[
    "aix",
    "hpux",
    "hyper_v",
    "linux",
    "netware",
    "openvms",
    "solaris",
    "solaris_efi",
    "vmware",
    "windows",
    "windows_2008",
    "windows_gpt",
    "xen",
]);

pub(super) static IGROUP: Resource = Resource {
    name: "igroup",
    plural: "igroups",
    what: "an initiator group",
    path: "/api/protocols/san/igroups",
    keys: &["uuid"],
    parent: None,
    identity: &[
        Field::text("name", "name", "The group's name.").required(),
        Field::text("svm", "svm.name", "The SVM that it belongs to.").required(),
    ],
    fields: &[
        Field::text("new_name", "name", "Another name for it.").later(),
        Field::new("os_type", "os_type", IGROUP_OS, "What runs on the hosts."),
        Field::new("protocol", "protocol", Kind::Choice(&["fcp", "iscsi", "mixed"]), "How they come.").fixed(),
        Field::new("initiators", "initiators", Kind::Names, "Who is in it: IQNs or WWPNs.").fixed(),
        Field::text("comment", "comment", "A remark."),
    ],
    check: None,
    listed: "name,svm,os_type,protocol,initiators.name",
    verbs: ALL,
};

pub(super) static LUN: Resource = Resource {
    name: "lun",
    plural: "luns",
    what: "a LUN",
    path: "/api/storage/luns",
    keys: &["uuid"],
    parent: None,
    identity: &[
        Field::text("name", "name", "The LUN's path: `/vol/<volume>/<lun>`.").required(),
        Field::text("svm", "svm.name", "The SVM that it belongs to.").required(),
    ],
    fields: &[
        Field::text("new_name", "name", "Another path for it.").later(),
        Field::new("os_type", "os_type", LUN_OS, "What its host runs."),
        Field::new("size", "space.size", Kind::Size, "Its size: bytes, or a text such as `100GB`."),
        Field::flag("space_reserved", "space.guarantee.requested", "Whether its space is set aside."),
        Field::flag("enabled", "enabled", "Whether it is online.").later(),
        Field::text("qos_policy", "qos_policy.name", "Its QoS policy."),
        Field::text("comment", "comment", "A remark."),
    ],
    check: None,
    listed: "name,svm,os_type,space.size,space.used,status.state,serial_number",
    verbs: ALL,
};

pub(super) static LUN_MAP: Resource = Resource {
    name: "lun_map",
    plural: "lun_maps",
    what: "a LUN map",
    path: "/api/protocols/san/lun-maps",
    keys: &["lun.uuid", "igroup.uuid"],
    parent: None,
    identity: &[
        Field::text("lun", "lun.name", "The LUN's path: `/vol/<volume>/<lun>`.").required(),
        Field::text("igroup", "igroup.name", "The initiator group that sees it.").required(),
        Field::text("svm", "svm.name", "The SVM that both belong to.").required(),
    ],
    fields: &[Field::number(
        "logical_unit_number",
        "logical_unit_number",
        "The number that the host sees; none is the next free one.",
    )
    .fixed()],
    check: None,
    listed: "lun,igroup,svm,logical_unit_number",
    // ONTAP changes no map: one is removed, and another one made.
    verbs: &[Verb::Create, Verb::Get, Verb::List, Verb::Find, Verb::Delete],
};
