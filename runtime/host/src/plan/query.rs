//! Which planned things a query asks for, as far as that can be told without knowing the system.

use serde_json::Value;

use super::change::at;

/// Whether a thing fits the query of a list. A name that the thing has no member for selects nothing: it may be about
/// paging, sorting or fields.
pub(super) fn fits(object: &Value, query: &[(String, String)]) -> bool {
    query.iter().all(|(name, wanted)| {
        let member = object.get(name).or_else(|| at(object, name));
        member.is_none_or(|member| fits_one(member, wanted))
    })
}

fn fits_one(member: &Value, wanted: &str) -> bool {
    let text = match member {
        Value::String(text) => text.clone(),
        Value::Array(items) => return items.iter().any(|item| fits_one(item, wanted)),
        other => other.to_string(),
    };
    // Some keys hold a comma themselves.
    wanted == text || wanted.split(['|', ',']).any(|one| like(one.as_bytes(), text.as_bytes()))
}

/// Whether a text is like a pattern in which `*` stands for anything.
fn like(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(byte) if text.get(t).is_some_and(|other| other.eq_ignore_ascii_case(byte)) => {
                p += 1;
                t += 1;
            }
            // The last star takes one more.
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_query_selects_by_members_and_leaves_the_rest_alone() {
        let volume = json!({ "name": "vol_a", "svm": { "name": "svm1" }, "size": 5, "tags": ["x", "y"], "key": "u:type=volume,uuid=1" });
        assert!(fits(&volume, &[("key".to_owned(), "u:type=volume,uuid=1".to_owned())]));
        assert!(!fits(&volume, &[("key".to_owned(), "u:type=volume,uuid=2".to_owned())]));
        let cases = [
            ("name", "vol_a", true),
            ("name", "vol_b", false),
            ("name", "vol_*", true),
            ("name", "vol_b|vol_a", true),
            ("svm.name", "svm1", true),
            ("svm.name", "svm2", false),
            ("size", "5", true),
            ("tags", "y", true),
            ("fields", "name,size", true),
            ("max_records", "1", true),
        ];
        for (name, wanted, expected) in cases {
            assert_eq!(fits(&volume, &[(name.to_owned(), wanted.to_owned())]), expected, "{name}={wanted}");
        }
    }
}
