//! `permissions:` of `pack.yaml`, and of an action, which asks for no more than its pack.

use std::collections::BTreeMap;

use runner_model::{Difference, HttpRule, KvAccess, Permissions, code};

use super::{ConnectionKind, Manifest};
use crate::diagnostic::{Document, Mistake};
use crate::fields::{Fields, Foreign, wrong_type};
use crate::suggest;
use crate::yaml::{Entry, Kind, Node};

pub(super) fn read(
    file: &Document<'_>,
    fields: &mut Fields<'_>,
    connections: &BTreeMap<String, ConnectionKind>,
) -> Permissions {
    let entry = fields.entry("permissions").filter(|entry| !entry.value.is_null());
    entry.map(|entry| of_entry(file, entry, connections)).unwrap_or_default()
}

/// What an action asks for, if it says so: less than its pack, or the same.
pub(crate) fn of_action(
    file: &Document<'_>,
    fields: &mut Fields<'_>,
    manifest: Option<&Manifest>,
) -> Option<Permissions> {
    let entry = fields.entry("permissions")?;
    if entry.value.as_text() == Some("none") {
        return Some(Permissions::default());
    }
    let manifest = manifest?;
    let own = of_entry(file, entry, &manifest.connections);
    if !manifest.permissions.covers(&own) {
        let more = Difference::between(&manifest.permissions, &own).more();
        let message = format!("the action asks for more than its pack: {}", more.join("; "));
        let hint = "ask for it in `permissions` of pack.yaml, too, or write less here";
        file.add(Mistake::new(code::PACK_BAD_VALUE, entry.key_span, message).hint(hint));
    }
    Some(own)
}

fn of_entry(file: &Document<'_>, entry: &Entry, connections: &BTreeMap<String, ConnectionKind>) -> Permissions {
    let mut permissions = Permissions::default();
    let Some(mut fields) = Fields::open(file, &entry.value, "`permissions`", entry.key_span) else {
        return permissions;
    };
    if let Some(node) = fields.get("http") {
        permissions.http = http(file, node, connections);
    }
    if let Some(node) = fields.get("kv") {
        permissions.kv = kv(file, node);
    }
    fields.finish(&Foreign { later: &["secrets", "commands", "files"], instead: &[] });
    permissions
}

fn kv(file: &Document<'_>, node: &Node) -> KvAccess {
    match node.as_text() {
        Some("none") => KvAccess::None,
        Some("read") => KvAccess::Read,
        Some("read_write") => KvAccess::ReadWrite,
        _ => {
            file.add(wrong_type(node, "kv", "`read` or `read_write`"));
            KvAccess::None
        }
    }
}

fn http(file: &Document<'_>, node: &Node, connections: &BTreeMap<String, ConnectionKind>) -> Vec<HttpRule> {
    let Kind::List(items) = &node.kind else {
        let hint = "write `http:` and below it one item for each target, such as `- url: https://example.com`";
        file.add(wrong_type(node, "http", "a list").hint(hint));
        return Vec::new();
    };
    items.iter().filter_map(|item| rule(file, item, connections)).collect()
}

fn rule(file: &Document<'_>, node: &Node, connections: &BTreeMap<String, ConnectionKind>) -> Option<HttpRule> {
    let (_, place, _) = node.at(&[]);
    let place = node.as_map().and_then(|entries| entries.first()).map_or(place, |entry| entry.key_span);
    let mut fields = Fields::open(file, node, "an HTTP permission", place)?;
    let connection_place = fields.place_of("connection");
    let url_place = fields.place_of("url");
    let connection = fields.text("connection").map(str::to_owned);
    let url = fields.text("url").map(str::to_owned);
    let methods = fields.texts("methods");
    let paths = fields.texts("paths");
    fields.finish(&Foreign {
        later: &[],
        instead: &[
            ("method", "write `methods: [GET]`"),
            ("path", "write `paths: [/…]`"),
            ("host", "write `url: https://host`"),
            ("addresses", "leave it out: which addresses a host may have is the operator's to grant, in runner.toml"),
        ],
    });
    if let Some(kind) = connection.as_ref().filter(|kind| *kind != "*" && !connections.contains_key(*kind)) {
        let message = format!("the pack declares no connection of kind `{kind}`");
        let declared = suggest::hint(kind, connections.keys().map(String::as_str), "declared kinds are");
        let hint = declared.unwrap_or_else(|| format!("declare it: `connections: {{{kind}: {{description: …}}}}`"));
        file.add(Mistake::new(code::PACK_BAD_VALUE, connection_place, message).hint(hint));
    }
    // Each method and path is checked by itself, so that each mistake points at its own line.
    let bare = HttpRule { connection, url, ..HttpRule::default() };
    let mut mistakes: Vec<_> = bare.mistakes().into_iter().map(|mistake| (url_place, mistake, None)).collect();
    let reference = HttpRule { connection: Some("*".to_owned()), ..HttpRule::default() };
    for (method, span) in &methods {
        let one = HttpRule { methods: vec![(*method).to_owned()], ..reference.clone() };
        let upper = method.to_ascii_uppercase();
        let legal = upper != *method && upper.chars().all(|c| c.is_ascii_uppercase());
        let hint = legal.then(|| format!("write `{upper}`"));
        mistakes.extend(one.mistakes().into_iter().map(|mistake| (*span, mistake, hint.clone())));
    }
    for (path, span) in &paths {
        let one = HttpRule { paths: vec![(*path).to_owned()], ..reference.clone() };
        let hint = format!("write `/{path}`");
        mistakes.extend(one.mistakes().into_iter().map(|mistake| (*span, mistake, Some(hint.clone()))));
    }
    for (span, message, hint) in mistakes {
        file.add(Mistake::new(code::PACK_BAD_VALUE, span, message).maybe_hint(hint));
    }
    let owned = |texts: Vec<(&str, _)>| texts.into_iter().map(|(text, _)| text.to_owned()).collect();
    Some(HttpRule { methods: owned(methods), paths: owned(paths), ..bare })
}
