//! Addresses and routes.

use crate::field::{Field, Kind};
use crate::resource::Resource;
use crate::verbs::ALL;

pub(super) static IP_INTERFACE: Resource = Resource {
    name: "ip_interface",
    plural: "ip_interfaces",
    what: "an IP interface",
    path: "/api/network/ip/interfaces",
    keys: &["uuid"],
    parent: None,
    identity: &[
        Field::text("name", "name", "The interface's name.").required(),
        Field::text("svm", "svm.name", "The SVM that it belongs to; none for one of the cluster."),
    ],
    fields: &[
        Field::text("new_name", "name", "Another name for it.").later(),
        Field::text("address", "ip.address", "Its address."),
        Field::text("netmask", "ip.netmask", "Its netmask, or its length."),
        Field::text("home_node", "location.home_node.name", "The node that it is at home on."),
        Field::text("home_port", "location.home_port.name", "The port that it is at home on."),
        Field::text("home_port_node", "location.home_port.node.name", "That port's node."),
        Field::text("broadcast_domain", "location.broadcast_domain.name", "Take any port of this domain.").fixed(),
        Field::flag("auto_revert", "location.auto_revert", "Whether it goes home by itself."),
        Field::new(
            "failover",
            "location.failover",
            Kind::Choice(&[
                "home_port_only",
                "default",
                "home_node_only",
                "sfo_partners_only",
                "broadcast_domain_only",
            ]),
            "Where it may go if its port fails.",
        ),
        Field::text("subnet", "subnet.name", "Take the address from this subnet.").fixed(),
        Field::text("ipspace", "ipspace.name", "Its IPspace, for one of the cluster.").fixed(),
        Field::new("scope", "scope", Kind::Choice(&["svm", "cluster"]), "Whose it is.").fixed(),
        Field::text("service_policy", "service_policy.name", "What it serves, such as `default-data-files`."),
        Field::flag("enabled", "enabled", "Whether it is up."),
    ],
    check: None,
    listed: "name,svm,ip,state,enabled,location,services,service_policy,ipspace",
    verbs: ALL,
};

pub(super) static ROUTE: Resource = Resource {
    name: "route",
    plural: "routes",
    what: "a route",
    path: "/api/network/ip/routes",
    keys: &["uuid"],
    parent: None,
    identity: &[
        Field::text("gateway", "gateway", "The router's address.").required(),
        Field::text("svm", "svm.name", "The SVM that it belongs to; none for one of the cluster."),
        Field::text("destination", "destination.address", "The network that it leads to; none is `0.0.0.0`, all."),
    ],
    fields: &[
        Field::text("destination_netmask", "destination.netmask", "That network's netmask, or its length.").fixed(),
        Field::text("ipspace", "ipspace.name", "Its IPspace, for one of the cluster.").fixed(),
        Field::number("metric", "metric", "Its preference: the smallest wins."),
    ],
    check: None,
    listed: "gateway,destination,svm,scope,ipspace,metric",
    verbs: ALL,
};
