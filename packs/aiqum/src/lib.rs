//! The actions of the pack `aiqum`: Active IQ Unified Manager over its REST API v2, and ONTAP through its gateway.
//!
//! An action sends a few requests and ends; what takes longer is a job, whose key it returns and which a workflow polls with
//! `check_job`. Whoever creates reads first, and says with `changed` whether anything was done.

mod api;
mod cluster;
mod datasource;
mod endpoint;
mod event;
mod export;
mod gateway;
mod igroup;
mod interface;
mod job;
mod key;
mod level;
mod lun;
mod share;
mod size;
mod svm;
mod system;

use cluster::{check_cluster_health, get_cluster, list_aggregates, list_nodes, pick_aggregate};
use datasource::add_datasource;
use endpoint::{create_access_endpoint, delete_access_endpoint, list_access_endpoints};
use event::{acknowledge_event, assign_event, list_events};
use export::{create_export_policy, delete_export_policy, list_export_policies};
use igroup::{create_igroup, delete_igroup, list_igroups};
use interface::{create_interface, delete_interface};
use job::{check_job, get_job, list_jobs};
use level::{create_psl, list_psl};
use lun::{create_lun, delete_lun, expand_lun};
use share::{
    apply_export_policy, create_file_share, delete_file_share, discard_file_share, get_file_share, list_file_shares,
    set_volume_style, update_file_share,
};
use svm::{delete_svm, discard_svm, find_svm, get_svm, list_svms, modify_svm, set_root_volume, submit_svm, verify_nfs};
use system::{list_workloads, system_info};

runner_sdk::export!(
    get_cluster,
    check_cluster_health,
    list_nodes,
    list_aggregates,
    pick_aggregate,
    submit_svm,
    get_svm,
    find_svm,
    list_svms,
    modify_svm,
    delete_svm,
    discard_svm,
    verify_nfs,
    set_root_volume,
    create_interface,
    delete_interface,
    get_job,
    check_job,
    list_jobs,
    create_access_endpoint,
    list_access_endpoints,
    delete_access_endpoint,
    list_psl,
    create_psl,
    list_export_policies,
    create_export_policy,
    delete_export_policy,
    create_file_share,
    get_file_share,
    list_file_shares,
    update_file_share,
    apply_export_policy,
    set_volume_style,
    delete_file_share,
    discard_file_share,
    create_lun,
    expand_lun,
    delete_lun,
    list_igroups,
    create_igroup,
    delete_igroup,
    list_events,
    acknowledge_event,
    assign_event,
    list_workloads,
    gateway::gateway,
    add_datasource,
    system_info,
);

#[cfg(test)]
mod tests;
