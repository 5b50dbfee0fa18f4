//! Lists: plain filters, order and pages. Knows nothing of what the records are.

use std::cmp::Ordering;

use runner_sdk::simulator::{Reply, Request};
use serde_json::{Value, json};

use crate::path;
use crate::problem::Problem;

/// How many records a page has at most, whatever is asked for.
const PAGE_MAX: usize = 1000;
/// How many it has if nothing is asked for.
pub(crate) const PAGE: usize = 100;
/// Parameters that are no filters. There is no `fields`: as with the real one it says nothing.
const OWN: [&str; 5] = ["offset", "max_records", "order_by", "fields", "query"];

/// Answers with those records that the query asks for.
pub(crate) fn reply(request: &Request, records: Vec<Value>, page: usize) -> Result<Reply, Problem> {
    let mut records = filtered(&request.query, records)?;
    if let Some(order) = request.query("order_by") {
        sort(&mut records, order);
    }
    let total = records.len();
    let offset = count(request, "offset")?.unwrap_or(0);
    let page = count(request, "max_records")?.unwrap_or(page).clamp(1, PAGE_MAX);
    let shown: Vec<Value> = records.into_iter().skip(offset).take(page).collect();
    let href = |offset: usize| json!({ "href": href(request, offset, page) });
    let mut links = json!({ "self": href(offset) });
    if offset + shown.len() < total {
        path::set(&mut links, "next", href(offset + shown.len()));
    }
    let body = json!({ "records": shown, "num_records": shown.len(), "total_records": total, "_links": links });
    Ok(Reply::json(200, &body))
}

fn filtered(query: &[(String, String)], records: Vec<Value>) -> Result<Vec<Value>, Problem> {
    let filters: Vec<_> = query.iter().filter(|(name, _)| !OWN.contains(&name.as_str())).collect();
    if let Some((name, value)) = filters.iter().find(|(_, value)| value.contains('?')) {
        return Err(Problem::invalid(name, value));
    }
    Ok(records.into_iter().filter(|record| filters.iter().all(|(name, value)| fits(record, name, value))).collect())
}

fn fits(record: &Value, name: &str, wanted: &str) -> bool {
    let values: Vec<String> = path::all(record, name).into_iter().map(path::plain).collect();
    wanted.split('|').any(|pattern| values.iter().any(|value| matches(pattern, value)))
}

/// Whether a text fits a pattern in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == text };
    let Some(rest) = text.strip_prefix(head) else { return false };
    let starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    starts.filter_map(|at| rest.get(at..)).any(|rest| matches(tail, rest))
}

fn sort(records: &mut [Value], order: &str) {
    // The last key first: the sort is stable.
    for key in order.split(',').rev() {
        let (name, direction) = key.trim().split_once(' ').unwrap_or((key.trim(), "asc"));
        records.sort_by(|a, b| {
            let ordering = compare(path::get(a, name), path::get(b, name));
            if direction.trim().eq_ignore_ascii_case("desc") { ordering.reverse() } else { ordering }
        });
    }
}

fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a.and_then(Value::as_f64), b.and_then(Value::as_f64)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => a.map(path::plain).cmp(&b.map(path::plain)),
    }
}

fn count(request: &Request, name: &str) -> Result<Option<usize>, Problem> {
    let parsed = request.query(name).map(|text| text.parse().map_err(|_| Problem::invalid(name, text)));
    parsed.transpose()
}

/// The same list from another place on. Links have no version.
fn href(request: &Request, offset: usize, page: usize) -> String {
    let path = request.path.replacen("/api/v2/", "/api/", 1);
    let own = |name: &str| name == "offset" || name == "max_records";
    let others = request.query.iter().filter(|(name, _)| !own(name));
    let others: String =
        others.map(|(name, value)| format!("{}={}&", path::encoded(name), path::encoded(value))).collect();
    format!("{path}?{others}offset={offset}&max_records={page}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, fit) in [
            ("svm*", "svm1", true),
            ("*1", "svm1", true),
            ("*v*1", "svm1", true),
            ("svm", "svm1", false),
            ("*", "", true),
            ("s*x", "svm1", false),
        ] {
            assert_eq!(matches(pattern, text), fit, "{pattern} {text}");
        }
    }

    #[test]
    fn filters_lead_into_lists_and_take_alternatives() {
        let record = json!({ "name": "a", "aggregates": [{ "name": "x" }, { "name": "y" }], "size": 7 });
        for (name, wanted, fit) in [
            ("aggregates.name", "y", true),
            ("aggregates.name", "z|x", true),
            ("size", "7", true),
            ("size", "8", false),
            ("nothing", "*", false),
        ] {
            assert_eq!(fits(&record, name, wanted), fit, "{name}={wanted}");
        }
    }
}
