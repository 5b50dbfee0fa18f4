//! Lists, a page at a time.

use runner_model::limits::{API_PAGE, API_PAGE_MAX};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problem::ApiProblem;

/// Which page, of a list without filters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// How many to list.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub(crate) limit: Option<u64>,
    /// Where the page before ended: its `next`.
    pub(crate) cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Items<T> {
    /// What is on this page.
    pub(crate) items: Vec<T>,
    /// What to send as `cursor` for the next page; null if this is the last.
    #[schema(required = true)]
    pub(crate) next: Option<String>,
}

/// How many to list: what was asked for, checked.
pub(crate) fn limit(asked: Option<u64>) -> Result<usize, ApiProblem> {
    match asked {
        None => Ok(API_PAGE),
        Some(asked) => usize::try_from(asked)
            .ok()
            .filter(|asked| (1..=API_PAGE_MAX).contains(asked))
            .ok_or_else(|| ApiProblem::bad(format!("`limit` is {asked}: it must be from 1 to {API_PAGE_MAX}"))),
    }
}

/// What a cursor says.
pub(crate) fn cursor<T: std::str::FromStr>(text: Option<&str>) -> Result<Option<T>, ApiProblem> {
    let unknown = |_| ApiProblem::bad("`cursor` is none that was given out").hint("begin without one");
    text.map(|text| text.parse().map_err(unknown)).transpose()
}

impl<T> Items<T> {
    /// A page of `limit`, of up to one more than that.
    pub(crate) fn of(mut items: Vec<T>, limit: usize, cursor: impl Fn(&T) -> String) -> Self {
        let is_last = items.len() <= limit;
        items.truncate(limit);
        let next = if is_last { None } else { items.last().map(cursor) };
        Self { items, next }
    }

    /// A page of what is at hand as a whole, sorted by `key`: what comes after `after`.
    pub(crate) fn among(all: Vec<T>, limit: usize, after: Option<&str>, key: impl Fn(&T) -> String) -> Self {
        let rest = all.into_iter().filter(|item| after.is_none_or(|after| key(item).as_str() > after));
        Self::of(rest.take(limit + 1).collect(), limit, key)
    }
}
