//! Collections, page after page. The link to the next page is opaque: it is followed as it is, and may lead to an empty page.

use runner_sdk::prelude::{Result, Value, bail};

use super::{Api, Location, Query, without_links};
use crate::body;

/// How many pages are read at most: with the smallest pages that ONTAP makes, more than any collection has.
const PAGES_MAX: usize = 1000;

/// What to read of a collection.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Filters, and ONTAP's own parameters.
    pub query: Query,
    /// How many records at most.
    pub limit: usize,
}

/// Records of a collection.
#[derive(Debug, Default)]
pub struct List {
    /// The records, without links.
    pub records: Vec<Value>,
    /// Whether these are all.
    pub complete: bool,
}

impl Api {
    /// Reads a collection up to a limit.
    ///
    /// # Errors
    /// What ONTAP said; `endless-list` if its links go round in a circle.
    pub fn list(&self, path: &str, wanted: &Wanted) -> Result<List> {
        let mut list = List::default();
        let mut place = Location { path: path.to_owned(), query: wanted.query.clone() };
        let mut seen = Vec::new();
        loop {
            let mut page = self.get(&place.path, &place.query)?;
            let next = body::text(&page, "_links.next.href");
            if let Some(Value::Array(records)) = page.get_mut("records").map(Value::take) {
                list.records.extend(records);
            }
            let Some(next) = next else {
                list.complete = list.records.len() <= wanted.limit;
                break;
            };
            if list.records.len() >= wanted.limit {
                break;
            }
            if seen.contains(&next) || seen.len() >= PAGES_MAX {
                bail!(
                    "endless-list",
                    "`{path}` has no last page: after {} of them ONTAP sends `{next}` again",
                    seen.len() + 1
                );
            }
            let Some(following) = Location::parse(&next) else {
                bail!("bad-response", "`{path}`: the link to the next page leads out of the API: `{next}`");
            };
            seen.push(next);
            place = following;
        }
        list.records.truncate(wanted.limit);
        list.records.iter_mut().for_each(without_links);
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use runner_sdk::prelude::json;
    use runner_sdk::testing::Host;

    use super::*;

    fn page(names: &[&str], next: Option<&str>) -> Value {
        let records: Vec<_> = names.iter().map(|name| json!({ "name": name, "_links": { "self": {} } })).collect();
        match next {
            Some(next) => json!({ "records": records, "_links": { "next": { "href": next } } }),
            None => json!({ "records": records }),
        }
    }

    fn read(pages: Vec<Value>, limit: usize) -> Result<List> {
        let mut host = Host::new();
        for page in pages {
            host = host.on("GET", "ontap", "/api/storage/volumes", 200, page);
        }
        host.inside(|| Api::new("ontap").list("/api/storage/volumes", &Wanted { query: Query::new(), limit }))
    }

    #[test]
    fn pages_are_followed_over_an_empty_one_to_the_end() {
        let next = |start: u32| format!("/api/storage/volumes?start.uuid={start}&max_records=2");
        let pages = || vec![page(&["a", "b"], Some(&next(1))), page(&[], Some(&next(2))), page(&["c"], None)];
        let list = read(pages(), 10).unwrap();
        assert_eq!(list.records, [json!({ "name": "a" }), json!({ "name": "b" }), json!({ "name": "c" })]);
        assert!(list.complete);
        let short = read(pages(), 2).unwrap();
        assert_eq!((short.records.len(), short.complete), (2, false));
    }

    #[test]
    fn links_in_a_circle_are_an_error() {
        let round = page(&["a"], Some("/api/storage/volumes?start.uuid=1"));
        assert_eq!(read(vec![round], 100).unwrap_err().code, "endless-list");
    }
}
