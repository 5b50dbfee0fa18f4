//! Two clusters that are made peers of each other. One makes a passphrase and the other is told it, within one call: it is never in the
//! result of a step, and so in no journal, no page and no log.

mod side;

use runner_sdk::prelude::{Failure, Result, Value, bail, json, log};

use self::side::Side;
use super::Special;
use super::cluster_peer::check;
use crate::api::Api;
use crate::body;
use crate::call::Call;
use crate::field::{Field, Kind, When};

const LOCAL: Field = Field::text("local", "", "One cluster: the name of a connection.").default("\"cluster1\"");
const REMOTE: Field = Field::text("remote", "", "The other cluster: the name of a connection.").default("\"cluster2\"");

pub(super) static ALL: &[Special] = &[
    Special {
        name: "pair_clusters",
        about: "Makes two clusters peers of each other, unless they are. The passphrase is made by one, told to the other, and kept nowhere.",
        fields: &[
            LOCAL,
            REMOTE,
            Field::new(
                "local_addresses",
                "",
                Kind::Texts,
                "Intercluster addresses of `local`; none are all that it has.",
            ),
            Field::new(
                "remote_addresses",
                "",
                Kind::Texts,
                "Intercluster addresses of `remote`; none are all that it has.",
            ),
            Field::text(
                "expiry_time",
                "",
                "How long the passphrase is valid: an ISO 8601 duration, at most seven days.",
            )
            .default("\"PT1H\""),
            Field::new(
                "encryption",
                "",
                Kind::Choice(&["none", "tls_psk", "tls-psk"]),
                "How the two talk; none leaves it to ONTAP.",
            ),
            Field::text("ipspace", "", "The IPspace of the intercluster interfaces, on both sides."),
            Field::new("local_svms", "", Kind::Names, "SVMs of `local` that may peer with those of `remote`."),
            Field::new("remote_svms", "", Kind::Names, "SVMs of `remote` that may peer with those of `local`."),
        ],
        connected: false,
        output: paired,
        idempotent: true,
        timeout: 120,
        run: pair,
    },
    Special {
        name: "check_pairing",
        about: "Looks at both sides of a cluster peering.",
        fields: &[LOCAL, REMOTE],
        connected: false,
        output: looked,
        idempotent: true,
        timeout: 60,
        run: look,
    },
    Special {
        name: "unpair_clusters",
        about: "Ends a cluster peering on both sides, if there is one.",
        fields: &[LOCAL, REMOTE, Field::flag("only_if", "", "False: nothing is done.").default("true")],
        connected: false,
        output: unpaired,
        idempotent: true,
        timeout: 120,
        run: unpair,
    },
];

fn paired() -> Value {
    let side =
        |of: &str| json!({ "type": "object", "description": format!("The peering as `{of}` has it: `uuid`, `name`.") });
    json!({
        "type": "object",
        "properties": {
            "changed": { "type": "boolean", "description": "Whether anything was changed." },
            "local": side("local"),
            "remote": side("remote"),
        },
        "required": ["changed", "local", "remote"],
    })
}

fn looked() -> Value {
    json!({
        "type": "object",
        "properties": {
            "available": { "type": "boolean", "description": "Whether each side reaches the other." },
            "local_state": { "description": "What `local` says; null if it knows of no peering." },
            "remote_state": { "description": "What `remote` says; null if it knows of no peering." },
        },
        "required": ["available", "local_state", "remote_state"],
    })
}

fn unpaired() -> Value {
    json!({
        "type": "object",
        "properties": { "changed": { "type": "boolean", "description": "Whether anything was changed." } },
        "required": ["changed"],
    })
}

fn sides(call: &Call) -> Result<(Side, Side)> {
    let local = Side::of(Api::new(call.need("local")?))?;
    let remote = Side::of(Api::new(call.need("remote")?))?;
    if local.name == remote.name {
        let message = format!(
            "`{}` and `{}` lead to the same cluster, `{}`: a cluster cannot be its own peer",
            local.api.connection, remote.api.connection, local.name
        );
        return Err(Failure::new("4656071", message));
    }
    Ok((local, remote))
}

fn pair(call: &Call) -> Result<Value> {
    let (local, remote) = sides(call)?;
    let there = (local.peer(&remote.name)?, remote.peer(&local.name)?);
    if let (Some(at_local), Some(at_remote)) = &there
        && side::is_available(at_local)
        && side::is_available(at_remote)
    {
        return Ok(json!({ "changed": false, "local": side::shown(at_local), "remote": side::shown(at_remote) }));
    }
    let local_addresses = local.addresses(call.get("local_addresses"))?;
    let remote_addresses = remote.addresses(call.get("remote_addresses"))?;

    let mut offer = about(call, "local_svms", &remote_addresses)?;
    body::set(&mut offer, "authentication.generate_passphrase", json!(true));
    body::set(&mut offer, "authentication.expiry_time", json!(call.need("expiry_time")?));
    check(&mut offer, When::Created)?;
    log::field("cluster", &local.name).info("asking for a passphrase");
    let passphrase = local.write(there.0.as_ref(), &offer)?.passphrase(&local)?;

    let mut answer = about(call, "remote_svms", &local_addresses)?;
    body::set(&mut answer, "authentication.passphrase", passphrase);
    log::field("cluster", &remote.name).info("telling it");
    if let Err(failure) = remote.write(there.1.as_ref(), &answer) {
        return Err(withdrawn(&local, &remote, there.0.is_none(), failure));
    }
    let shown = |of: &Side, other: &Side| -> Result<Value> {
        Ok(of.peer(&other.name)?.as_ref().map_or_else(|| json!({}), side::shown))
    };
    Ok(json!({ "changed": true, "local": shown(&local, &remote)?, "remote": shown(&remote, &local)? }))
}

/// What both sides are told.
fn about(call: &Call, svms: &str, addresses: &[String]) -> Result<Value> {
    let mut wanted = json!({ "remote": { "ip_addresses": addresses } });
    if let Some(Value::Array(names)) = call.get(svms) {
        let names: Vec<_> = names.iter().map(|name| json!({ "name": name })).collect();
        body::set(&mut wanted, "initial_allowed_svms", json!(names));
    }
    for (parameter, path) in [("encryption", "encryption.proposed"), ("ipspace", "ipspace.name")] {
        if let Some(value) = call.get(parameter) {
            body::set(&mut wanted, path, value.clone());
        }
    }
    if body::text(&wanted, "encryption.proposed").as_deref() == Some("tls-psk") {
        body::set(&mut wanted, "encryption.proposed", json!("tls_psk"));
    }
    Ok(wanted)
}

/// The other side did not accept: what was offered for it is taken back, so that nothing half done is left.
fn withdrawn(local: &Side, remote: &Side, made: bool, mut failure: Failure) -> Failure {
    let gone = made && matches!(local.forget(&remote.name), Ok(true));
    let after = if gone {
        format!("the offer on `{}` was withdrawn", local.api.connection)
    } else {
        format!("`{}` still has the peering, waiting for the other side", local.api.connection)
    };
    failure.message = format!("`{}` did not accept the peering: {}; {after}", remote.api.connection, failure.message);
    failure
}

fn look(call: &Call) -> Result<Value> {
    let (local, remote) = sides(call)?;
    let (at_local, at_remote) = (local.peer(&remote.name)?, remote.peer(&local.name)?);
    let state = |peer: &Option<Value>| peer.as_ref().and_then(|peer| body::text(peer, "status.state"));
    let available = |peer: &Option<Value>| peer.as_ref().is_some_and(side::is_available);
    Ok(json!({
        "available": available(&at_local) && available(&at_remote),
        "local_state": state(&at_local),
        "remote_state": state(&at_remote),
    }))
}

fn unpair(call: &Call) -> Result<Value> {
    if call.flag("only_if") == Some(false) {
        return Ok(json!({ "changed": false }));
    }
    let (local, remote) = sides(call)?;
    let of_local = local.forget(&remote.name);
    // Both are tried: a side that cannot be reached must not keep the other from being cleared.
    let of_remote = remote.forget(&local.name);
    match (of_local, of_remote) {
        (Ok(a), Ok(b)) => Ok(json!({ "changed": a || b })),
        (Err(failure), _) | (_, Err(failure)) => {
            bail!(failure.code, "the peering is not ended on both sides: {}", failure.message)
        }
    }
}

#[cfg(test)]
mod tests;
