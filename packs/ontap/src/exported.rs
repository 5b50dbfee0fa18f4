//! The component: each action by its name. The table says what they do; a test compares the two.

use runner_sdk::prelude::{Result, Value};

macro_rules! actions {
    ($($name:ident)+) => {
        $(
            #[allow(non_camel_case_types, reason = "an action and its type are the same word")]
            #[doc(hidden)]
            pub enum $name {}

            impl runner_sdk::Action for $name {
                const NAME: &'static str = stringify!($name);
                // The table has it.
                const DESCRIPTION: &'static str = "";

                fn run(input: &str) -> Result<String> {
                    crate::action::run(Self::NAME, input)
                }

                fn describe() -> Value {
                    crate::action::describe(Self::NAME)
                }
            }
        )+

        runner_sdk::export!($($name),+);
    };
}

actions! {
    request find check_job update_job resize_volume clone_volume move_volume offline_volume online_volume
    mount_volume unmount_volume initialize_snapmirror update_snapmirror quiesce_snapmirror resume_snapmirror
    break_snapmirror resync_snapmirror pair_clusters check_pairing unpair_clusters get_cluster update_cluster
    get_node list_nodes find_node update_node create_aggregate get_aggregate list_aggregates find_aggregate
    update_aggregate delete_aggregate get_job list_jobs find_job create_cluster_peer get_cluster_peer
    list_cluster_peers find_cluster_peer update_cluster_peer delete_cluster_peer create_svm get_svm list_svms
    find_svm update_svm delete_svm create_svm_peer get_svm_peer list_svm_peers find_svm_peer update_svm_peer
    delete_svm_peer create_ip_interface get_ip_interface list_ip_interfaces find_ip_interface update_ip_interface
    delete_ip_interface create_route get_route list_routes find_route update_route delete_route create_volume
    get_volume list_volumes find_volume update_volume delete_volume create_qtree get_qtree list_qtrees find_qtree
    update_qtree delete_qtree create_quota_rule get_quota_rule list_quota_rules find_quota_rule update_quota_rule
    delete_quota_rule create_snapshot get_snapshot list_snapshots find_snapshot update_snapshot delete_snapshot
    create_snapshot_policy get_snapshot_policy list_snapshot_policies find_snapshot_policy update_snapshot_policy
    delete_snapshot_policy get_schedule list_schedules find_schedule create_snapmirror get_snapmirror
    list_snapmirrors find_snapmirror modify_snapmirror delete_snapmirror create_export_policy get_export_policy
    list_export_policies find_export_policy update_export_policy delete_export_policy create_export_rule
    get_export_rule list_export_rules find_export_rule update_export_rule delete_export_rule create_nfs_service
    get_nfs_service list_nfs_services find_nfs_service update_nfs_service delete_nfs_service create_cifs_share
    get_cifs_share list_cifs_shares find_cifs_share update_cifs_share delete_cifs_share create_igroup get_igroup
    list_igroups find_igroup update_igroup delete_igroup create_lun get_lun list_luns find_lun update_lun delete_lun
    create_lun_map get_lun_map list_lun_maps find_lun_map delete_lun_map
}
