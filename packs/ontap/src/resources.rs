//! The table of all kinds of objects.

mod cluster;
mod nas;
mod network;
mod protection;
mod san;
mod svm;
mod volume;

pub use cluster::CLUSTER_PEER;
pub use protection::SNAPMIRROR;
pub use volume::VOLUME;

use crate::resource::Resource;

/// All of them, in the order in which they are described.
pub static ALL: &[&Resource] = &[
    &cluster::CLUSTER,
    &cluster::NODE,
    &cluster::AGGREGATE,
    &cluster::JOB,
    &cluster::CLUSTER_PEER,
    &svm::SVM,
    &svm::SVM_PEER,
    &network::IP_INTERFACE,
    &network::ROUTE,
    &volume::VOLUME,
    &volume::QTREE,
    &volume::QUOTA_RULE,
    &volume::SNAPSHOT,
    &protection::SNAPSHOT_POLICY,
    &protection::SCHEDULE,
    &protection::SNAPMIRROR,
    &nas::EXPORT_POLICY,
    &nas::EXPORT_RULE,
    &nas::NFS_SERVICE,
    &nas::CIFS_SHARE,
    &san::IGROUP,
    &san::LUN,
    &san::LUN_MAP,
];
