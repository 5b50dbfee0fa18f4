//! Initiator groups: made through the gateway, seen by Unified Manager.

use super::*;

#[test]
fn an_igroup_gets_the_initiators_that_it_lacks_and_is_deleted_only_if_told_to() {
    let mut um = Um::new();
    let svm = um.svm();
    let create = |os: &str, protocol: &str, initiators: &[&str]| {
        let input =
            json!({ "svm_key": svm, "name": "ig1", "os_type": os, "protocol": protocol, "initiators": initiators });
        um.run(create_igroup, input)
    };
    let (one, two) = ("iqn.1994-05.com.redhat:one", "iqn.1994-05.com.redhat:two");
    let made = create("linux", "iscsi", &[one]).output();
    assert_eq!(
        (&made["changed"], &made["created"], &made["added_initiators"]),
        (&json!(true), &json!(true), &json!([]))
    );
    let again = create("linux", "iscsi", &[one]);
    assert!(methods(&again).is_empty());
    let again = again.output();
    assert_eq!((&again["changed"], &again["key"]), (&json!(false), &made["key"]));
    let added = create("linux", "iscsi", &[&one.to_uppercase(), two, two]).output();
    assert_eq!((&added["created"], &added["added_initiators"]), (&json!(false), &json!([two])));
    assert_eq!(create("linux", "iscsi", &[]).output()["changed"], false);
    for (os, protocol, difference) in
        [("windows", "iscsi", "os_type linux, not windows"), ("linux", "fcp", "protocol iscsi, not fcp")]
    {
        let failure = create(os, protocol, &[one]).failure();
        assert!(failure.code == "igroup-differs" && failure.message.ends_with(difference), "{failure}");
    }
    let delete = |only_if: bool| {
        um.run(delete_igroup, json!({ "svm_key": svm, "name": "ig1", "only_if": only_if })).output()["changed"] == true
    };
    assert_eq!([delete(false), delete(true), delete(true)], [false, true, false]);
    // A group may be empty.
    assert_eq!(create("linux", "mixed", &[]).output()["created"], true);
}

#[test]
fn an_igroup_is_seen_by_unified_manager_and_one_that_is_mapped_stays() {
    let mut um = Um::new();
    let svm = um.svm();
    let group = json!({ "svm_key": svm, "name": "ig1", "os_type": "linux", "protocol": "mixed", "initiators": ["iqn.1994-05.com.redhat:one"] });
    let made = um.run(create_igroup, group).output();
    let list = |um: &Um, name: Value| um.run(list_igroups, json!({ "svm_key": svm, "name": name })).output();
    um.control("/simulator/rules", &json!({ "acquisition_ms": 60_000 }));
    assert_eq!(list(&um, Value::Null)["num_records"], 0);
    um.pass(60);
    let seen = list(&um, json!("ig*"));
    assert_eq!((&seen["num_records"], &seen["records"][0]["key"]), (&json!(1), &made["key"]));
    assert_eq!(seen["records"][0]["initiators"][0]["name"], "iqn.1994-05.com.redhat:one");
    assert_eq!(list(&um, json!("other"))["num_records"], 0);

    let lun = json!({ "name": "lun1", "size": "10GB", "svm_key": svm, "os_type": "linux", "performance_service_level": "Value", "igroups": ["ig1"] });
    let written = um.run(create_lun, lun).output();
    um.pass(10);
    assert_eq!(um.run(check_job, json!({ "job": written["job"] })).output()["done"], true);
    let failure = um.run(delete_igroup, json!({ "svm_key": svm, "name": "ig1", "only_if": true })).failure();
    assert!(!failure.retryable && failure.message.contains("is mapped to LUNs"), "{failure}");
}
