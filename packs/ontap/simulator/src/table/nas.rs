//! Files: export policies with their rules, NFS and CIFS services, shares.

use serde_json::{Value, json};

use crate::path;
use crate::refusal::Refusal;
use crate::resource::{Edit, Link, Params, Resource, Way};
use crate::site::Site;

const POLICIES: &str = "/protocols/nfs/export-policies";
const RULES: &str = "/protocols/nfs/export-policies/{policy.id}/rules";
const SHARES: &str = "/protocols/cifs/shares";
const ACLS: &str = "/protocols/cifs/shares/{svm.uuid}/{share}/acls";

/// The rows.
pub(crate) static ROWS: &[Resource] = &[
    Resource {
        path: POLICIES,
        keys: &["id"],
        post: Way::Now,
        patch: Way::Now,
        delete: Way::Now,
        required: &["name", "svm"],
        unique: &[&["svm.uuid", "name"]],
        links: &[Link::SVM],
        check: |_, record| valid_rules(record),
        create: |site, record| put_rules(site, record),
        change: |site, edit| {
            valid_rules(&mut edit.after)?;
            if edit.patch.get("rules").is_some() {
                let id = path::number(&edit.after, "id");
                site.remove(RULES, |rule| path::number(rule, "policy.id") == id);
                return put_rules(site, &mut edit.after);
            }
            Ok(())
        },
        spare: policy_is_unused,
        delete_with: |site, record| {
            let id = path::number(record, "id");
            site.remove(RULES, |rule| path::number(rule, "policy.id") == id);
            Ok(())
        },
        view: |site, record| {
            let id = path::number(record, "id");
            let mut rules: Vec<Value> =
                site.records(RULES).iter().filter(|rule| path::number(rule, "policy.id") == id).cloned().collect();
            rules.sort_by_key(|rule| path::number(rule, "index"));
            for rule in &mut rules {
                path::remove(rule, "policy");
                path::remove(rule, "svm");
            }
            path::set(record, "rules", rules);
        },
        ..Resource::BASE
    },
    Resource {
        path: RULES,
        keys: &["index"],
        brief: &[],
        post: Way::Now,
        patch: Way::Now,
        delete: Way::Now,
        required: &["clients", "ro_rule", "rw_rule"],
        links: &[Link::to("policy", POLICIES), Link::SVM],
        defaults: RULE,
        check: complete_rule,
        create: make_room,
        admit: |_, edit| valid_rule(&edit.after),
        change: |_, edit| valid_rule(&edit.after),
        ..Resource::BASE
    },
    Resource {
        path: "/protocols/nfs/services",
        keys: &["svm.uuid"],
        brief: &["svm.name"],
        post: Way::Now,
        patch: Way::Now,
        delete: Way::Now,
        required: &["svm"],
        links: &[Link::SVM],
        defaults: r#"{"enabled": true, "state": "online", "protocol": {"v3_enabled": true, "v40_enabled": true, "v41_enabled": true, "v42_enabled": true},
            "transport": {"tcp_enabled": true, "udp_enabled": false}, "vstorage_enabled": false, "showmount_enabled": true}"#,
        check: |site, record| once(site, "/protocols/nfs/services", record),
        create: |site, record| take_over(site, "/protocols/nfs/services", record),
        change: |_, edit| switch(edit),
        ..Resource::BASE
    },
    Resource {
        path: "/protocols/cifs/services",
        keys: &["svm.uuid"],
        brief: &["svm.name", "name"],
        post: Way::Job(1500),
        patch: Way::Job(500),
        delete: Way::Job(500),
        required: &["svm", "name"],
        unique: &[&["svm.uuid"]],
        links: &[Link::SVM],
        defaults: r#"{"enabled": true, "comment": "", "default_unix_user": "pcuser", "security": {"smb_signing": false, "smb_encryption": false}}"#,
        check: |_, record| {
            let domain = path::text(record, "ad_domain.fqdn").is_some();
            if domain && path::text(record, "ad_domain.password").is_none() {
                return Err(Refusal::missing("ad_domain.password"));
            }
            // Passwords are used, not kept.
            path::remove(record, "ad_domain.password");
            Ok(())
        },
        change: |_, edit| {
            path::remove(&mut edit.after, "ad_domain.password");
            Ok(())
        },
        delete_with: |site, record| {
            let svm = path::owned(record, "svm.uuid");
            site.remove(SHARES, |share| path::text(share, "svm.uuid") == Some(&svm));
            Ok(())
        },
        ..Resource::BASE
    },
    Resource {
        path: SHARES,
        keys: &["svm.uuid", "name"],
        brief: &["svm.name", "path"],
        post: Way::Now,
        patch: Way::Now,
        delete: Way::Now,
        required: &["svm", "name", "path"],
        unique: &[&["svm.uuid", "name"]],
        links: &[Link::SVM],
        fixed: &["name"],
        defaults: r#"{"comment": "", "oplocks": true, "browsable": true, "change_notify": true, "show_snapshot": false, "encryption": false,
            "access_based_enumeration": false, "continuously_available": false, "home_directory": false, "unix_symlink": "local",
            "acls": [{"user_or_group": "Everyone", "type": "windows", "permission": "full_control"}]}"#,
        check: path_is_mounted,
        create: |site, share| {
            let acls = path::get(share, "acls").and_then(Value::as_array).cloned().unwrap_or_default();
            for mut acl in acls {
                path::set(&mut acl, "svm", share["svm"].clone());
                path::set(&mut acl, "share", share["name"].clone());
                site.insert(ACLS, acl);
            }
            Ok(())
        },
        delete_with: |site, share| {
            let of_it = |acl: &Value| acl["svm"]["uuid"] == share["svm"]["uuid"] && acl["share"] == share["name"];
            site.remove(ACLS, of_it);
            Ok(())
        },
        view: |site, share| {
            let acls = site
                .records(ACLS)
                .iter()
                .filter(|acl| acl["svm"]["uuid"] == share["svm"]["uuid"] && acl["share"] == share["name"]);
            let acls: Vec<Value> = acls.map(|acl| json!({ "user_or_group": acl["user_or_group"], "type": acl["type"], "permission": acl["permission"] })).collect();
            path::set(share, "acls", acls);
        },
        ..Resource::BASE
    },
    Resource {
        path: ACLS,
        keys: &["user_or_group", "type"],
        brief: &["permission", "share"],
        post: Way::Now,
        patch: Way::Now,
        delete: Way::Now,
        required: &["user_or_group", "permission"],
        unique: &[&["svm.uuid", "share", "user_or_group", "type"]],
        links: &[Link::SVM],
        defaults: r#"{"type": "windows"}"#,
        enums: &[("permission", &["no_access", "read", "change", "full_control"])],
        ..Resource::BASE
    },
];

const RULE: &str = r#"{"protocols": ["any"], "superuser": ["none"], "anonymous_user": "65534", "chown_mode": "restricted",
    "ntfs_unix_security": "fail", "allow_suid": true, "allow_device_creation": true}"#;

/// The security flavours of rules.
const FLAVOURS: [&str; 9] = ["any", "none", "never", "sys", "krb5", "krb5i", "krb5p", "ntlm", "tls"];
const PROTOCOLS: [&str; 7] = ["any", "nfs", "nfs3", "nfs4", "nfs41", "cifs", "flexcache"];

fn valid_rules(record: &mut Value) -> Result<(), Refusal> {
    let rules = record.get("rules").and_then(Value::as_array);
    rules.into_iter().flatten().try_for_each(valid_rule)
}

fn valid_rule(rule: &Value) -> Result<(), Refusal> {
    if path::all(rule, "clients.match").iter().all(|client| client.as_str().is_none_or(str::is_empty)) {
        return Err(Refusal::missing("clients.match"));
    }
    for (field, known) in
        [("ro_rule", FLAVOURS.as_slice()), ("rw_rule", &FLAVOURS), ("superuser", &FLAVOURS), ("protocols", &PROTOCOLS)]
    {
        let values = path::all(rule, field).into_iter().filter_map(Value::as_str);
        if let Some(wrong) = values.into_iter().find(|value| !known.contains(value)) {
            return Err(Refusal::invalid(field, wrong));
        }
    }
    Ok(())
}

/// The rules that a policy is made with become records of their own.
fn put_rules(site: &mut Site<'_>, policy: &mut Value) -> Result<(), Refusal> {
    let rules = path::remove(policy, "rules").and_then(|rules| rules.as_array().cloned()).unwrap_or_default();
    for rule in rules {
        let mut whole: Value = serde_json::from_str(RULE).unwrap_or_default();
        path::merge(&mut whole, &rule);
        path::set(&mut whole, "policy", json!({ "name": policy["name"], "id": policy["id"] }));
        path::set(&mut whole, "svm", policy["svm"].clone());
        let index = site.number(&format!("{RULES} {}", path::plain(&policy["id"])));
        path::set(&mut whole, "index", index);
        site.insert(RULES, whole);
    }
    Ok(())
}

fn complete_rule(site: &mut Site<'_>, rule: &mut Value) -> Result<(), Refusal> {
    let id = path::number(rule, "policy.id");
    let svm = site
        .records(POLICIES)
        .iter()
        .find(|policy| path::number(policy, "id") == id)
        .map(|policy| policy["svm"].clone());
    path::set(rule, "svm", svm);
    valid_rule(rule)
}

/// A rule with the index of another moves that one, and those after it, back.
fn make_room(site: &mut Site<'_>, rule: &mut Value) -> Result<(), Refusal> {
    let (id, index) = (path::number(rule, "policy.id"), path::number(rule, "index"));
    let in_policy = |other: &Value| path::number(other, "policy.id") == id;
    let rules = site.records(RULES).iter();
    if rules.filter(|other| in_policy(other)).all(|other| path::number(other, "index") != index) {
        return Ok(());
    }
    for other in site.table(RULES).into_iter().flatten().filter(|other| in_policy(other)) {
        if let Some(later) = path::number(other, "index").filter(|number| Some(*number) >= index) {
            path::set(other, "index", later + 1);
        }
    }
    site.number(&format!("{RULES} {}", id.unwrap_or_default()));
    Ok(())
}

fn policy_is_unused(site: &mut Site<'_>, policy: &Value, _: &Params) -> Result<(), Refusal> {
    let id = path::number(policy, "id");
    if path::text(policy, "name") == Some("default") {
        return Err(Refusal::in_use("The default export policy cannot be deleted."));
    }
    for table in ["/storage/volumes", "/storage/qtrees"] {
        let field = if table == "/storage/qtrees" { "export_policy.id" } else { "nas.export_policy.id" };
        if let Some(user) = site.records(table).iter().find(|user| path::number(user, field) == id) {
            let message = format!("The export policy is in use by \"{}\".", path::owned(user, "name"));
            return Err(Refusal::in_use(message));
        }
    }
    Ok(())
}

/// A service that came with its SVM may still be made by a client, once: many scripts do both.
pub(crate) fn once(site: &mut Site<'_>, table: &str, record: &Value) -> Result<(), Refusal> {
    let svm = path::owned(record, "svm.uuid");
    match site.find(table, "svm.uuid", &svm) {
        Some(there) if !path::is_true(there, "~with_svm") => Err(Refusal::exists(&path::owned(record, "svm.name"))),
        _ => Ok(()),
    }
}

pub(crate) fn take_over(site: &mut Site<'_>, table: &'static str, record: &mut Value) -> Result<(), Refusal> {
    let svm = path::owned(record, "svm.uuid");
    site.remove(table, |other| path::text(other, "svm.uuid") == Some(&svm));
    switch_state(record);
    Ok(())
}

fn switch(edit: &mut Edit) -> Result<(), Refusal> {
    switch_state(&mut edit.after);
    Ok(())
}

fn switch_state(record: &mut Value) {
    let state = if path::is_true(record, "enabled") { "online" } else { "offline" };
    path::set(record, "state", state);
}

/// A share needs a path that is mounted in its SVM, or one below.
fn path_is_mounted(site: &mut Site<'_>, share: &mut Value) -> Result<(), Refusal> {
    let (svm, wanted) = (path::owned(share, "svm.uuid"), path::owned(share, "path"));
    let mounted = site.records("/storage/volumes").iter().filter(|volume| path::text(volume, "svm.uuid") == Some(&svm));
    let below = |place: &str| {
        wanted == place || place != "/" && wanted.strip_prefix(place).is_some_and(|rest| rest.starts_with('/'))
    };
    let there = wanted == "/" || mounted.filter_map(|volume| path::text(volume, "nas.path")).any(below);
    if !there {
        return Err(Refusal::bad(
            655_551,
            format!("The path \"{wanted}\" does not exist in the namespace of the SVM."),
        )
        .at("path"));
    }
    Ok(())
}
