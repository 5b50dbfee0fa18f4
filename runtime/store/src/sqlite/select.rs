//! A query whose conditions are put together as a filter asks for them.

use std::fmt::Write as _;

use rusqlite::ToSql;

/// SQL and the values of its parameters, which are numbered as they come.
pub(crate) struct Select {
    pub sql: String,
    pub values: Vec<Box<dyn ToSql>>,
}

impl Select {
    pub(crate) fn new(sql: &str) -> Self {
        Self { sql: sql.to_owned(), values: Vec::new() }
    }

    /// A piece of SQL that ends in a value.
    pub(crate) fn push(&mut self, sql: &str, value: impl ToSql + 'static) {
        self.values.push(Box::new(value));
        // Writing to a string cannot fail.
        let _ = write!(self.sql, "{sql} ?{}", self.values.len());
    }

    /// One more condition, written up to its value, if there is one.
    pub(crate) fn narrow(&mut self, condition: &str, value: Option<impl ToSql + 'static>) {
        if let Some(value) = value {
            self.sql.push_str(" AND ");
            self.push(condition, value);
        }
    }
}

/// How SQLite would go about a query: one line a step.
#[cfg(test)]
pub(crate) fn plan(db: &rusqlite::Connection, select: Select) -> Vec<String> {
    let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {}", select.sql)).unwrap();
    let plan = explain.query_map(rusqlite::params_from_iter(select.values), |row| row.get(3)).unwrap();
    plan.collect::<Result<_, _>>().unwrap()
}
