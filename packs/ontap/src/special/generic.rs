//! `request` and `find`: anything that the API has.

use runner_sdk::prelude::{Result, Value, bail, json};

use super::Special;
use crate::api::{Api, Wanted, without_links};
use crate::body;
use crate::call::Call;
use crate::field::{Field, Kind};

pub(super) static ALL: &[Special] = &[
    Special {
        name: "request",
        about: "Sends any request to ONTAP's REST API.",
        fields: &[
            Field::text("path", "", "The path, with `/api` or without: `storage/volumes`, `/api/private/cli/volume`.")
                .required(),
            Field::new("method", "", Kind::Choice(&["GET", "POST", "PATCH", "DELETE"]), "The method.")
                .default("\"GET\""),
            Field::new("query", "", Kind::Object, "The query: names and values, not encoded."),
            Field::new("body", "", Kind::Object, "The body, as the API has it."),
            Field::text("svm", "", "The name of an SVM to do it in, as its administrator (`X-Dot-SVM-Name`)."),
        ],
        connected: true,
        output: request_output,
        idempotent: false,
        timeout: 180,
        run: request,
    },
    Special {
        name: "find",
        about: "Looks for the one record of any collection that fits a query.",
        fields: &[
            Field::text("path", "", "The collection, with `/api` or without: `storage/volumes`.").required(),
            Field::new("query", "", Kind::Object, "ONTAP's filters: fields and what they must be.").required(),
            Field::text("fields", "", "What to read: ONTAP's `fields`.").default("\"*\""),
        ],
        connected: true,
        output: find_output,
        idempotent: true,
        timeout: 60,
        run: find,
    },
];

fn request_output() -> Value {
    json!({
        "type": "object",
        "properties": {
            "status": { "type": "integer", "description": "The status: 200, 201 or 202." },
            "body": { "description": "The body, as the API has it." },
            "location": { "description": "Where the object is; null if ONTAP does not say." },
            "job": { "description": "The job that goes on with it, for `ontap.check_job`; null if there is none." },
        },
        "required": ["status", "body", "location", "job"],
    })
}

fn find_output() -> Value {
    json!({
        "type": "object",
        "properties": {
            "found": { "type": "boolean", "description": "Whether there is one." },
            "record": { "description": "What ONTAP shows of it; null if there is none." },
        },
        "required": ["found", "record"],
    })
}

/// The path below `/api`.
fn path(call: &Call) -> Result<String> {
    let text = call.need("path")?.trim_matches('/');
    if text.is_empty() || text.contains(['?', '#', ' ']) {
        bail!("bad-input", "`{text}` is not a path: write `storage/volumes`, and filters into `query`");
    }
    Ok(if text == "api" || text.starts_with("api/") { format!("/{text}") } else { format!("/api/{text}") })
}

fn request(call: &Call) -> Result<Value> {
    let api = Api { tunnel: call.text("svm").map(str::to_owned), ..call.api()? };
    let method = call.text("method").unwrap_or("GET");
    let mut answer = api.send(method, &path(call)?, &call.query(), call.get("body"))?;
    without_links(&mut answer.body);
    let job = answer.job.as_ref().map(|uuid| match (&answer.location, method) {
        (Some(location), method) => json!({
            "uuid": uuid, "path": location.path, "query": location.query.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
            "effect": match method { "POST" => "create", "DELETE" => "delete", _ => "update" },
        }),
        (None, _) => json!({ "uuid": uuid }),
    });
    let location = answer.location.map(|location| location.path);
    Ok(json!({ "status": answer.status, "body": answer.body, "location": location, "job": job }))
}

fn find(call: &Call) -> Result<Value> {
    let api = call.api()?;
    let path = path(call)?;
    let mut query = call.query();
    if query.is_empty() {
        bail!("bad-input", "`query` says nothing: name a field and what it must be");
    }
    query.extend(call.text("fields").map(|fields| ("fields".to_owned(), fields.to_owned())));
    let mut list = api.list(&path, &Wanted { query, limit: 2 })?;
    if list.records.len() > 1 {
        let names: Vec<_> = list.records.iter().filter_map(|record| body::text(record, "name")).collect();
        bail!(
            "ambiguous",
            "several records of `{path}` fit, `{}` among them: say more in `query`",
            names.join("` and `")
        );
    }
    let record = list.records.pop();
    Ok(json!({ "found": record.is_some(), "record": record }))
}
