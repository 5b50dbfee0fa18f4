//! Data sources, and that no password comes back.

use super::*;

#[test]
fn a_data_source_is_added_once_and_its_password_never_comes_back() {
    let um = Um::new();
    let add = |address: &str, more: Value| {
        let mut input = json!({ "address": address, "port": 443, "protocol": "https", "username": "admin", "password": "hidden-away" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        um.run(add_datasource, input)
    };
    let added = add("cluster7", json!({ "port": 8443 })).output();
    assert_eq!((&added["changed"], &added["datasource"]["port"]), (&json!(true), &json!(8443)));
    assert!(!added.to_string().contains("hidden-away"), "{added}");
    assert_eq!(um.run(get_cluster, json!({ "cluster_key": added["key"] })).output()["name"], "cluster7");
    let again = add("CLUSTER7", json!({ "username": "other" }));
    assert!(methods(&again).is_empty());
    let again = again.output();
    assert_eq!((&again["changed"], &again["key"]), (&json!(false), &added["key"]));
    // What is there keeps its login.
    assert_eq!(again["datasource"]["username"], "admin");
    um.control("/simulator/faults", &json!({ "kind": "refused", "method": "POST" }));
    let failure = add("cluster8", json!({})).failure();
    assert!(failure.message.contains("for the gateway and data sources"), "{failure}");
    assert!(!format!("{failure:?}").contains("hidden-away"));
}
