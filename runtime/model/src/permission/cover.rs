//! Whether one set of permissions holds everything that another does; the same set, however it is written.
//!
//! **A yes is sure, a no is not**: every request that the narrower one allows is allowed by the wider one. What is hard to
//! compare counts as not covered.

use sha2::{Digest as _, Sha256};

use super::glob;
use super::origin::OriginPattern;
use super::{HttpRule, Permissions};

impl Permissions {
    /// Whether everything that `narrow` allows is allowed by this.
    #[must_use]
    pub fn covers(&self, narrow: &Self) -> bool {
        self.kv >= narrow.kv && narrow.http.iter().all(|rule| self.uncovered(rule).is_empty())
    }

    /// The parts of a rule that no rule of this covers, each with one or more methods and paths.
    pub(super) fn uncovered(&self, rule: &HttpRule) -> Vec<HttpRule> {
        if self.http.iter().any(|wide| wide.covers(rule)) {
            return Vec::new();
        }
        let mut open: Vec<HttpRule> = Vec::new();
        for method in rule.method_list() {
            let one = |path: Option<&String>| HttpRule {
                methods: vec![method.clone()],
                paths: path.cloned().into_iter().collect(),
                ..rule.clone()
            };
            let paths = if rule.paths.is_empty() { vec![None] } else { rule.paths.iter().map(Some).collect() };
            let missing: Vec<_> =
                paths.into_iter().map(one).filter(|atom| !self.http.iter().any(|wide| wide.covers(atom))).collect();
            if missing.is_empty() {
                continue;
            }
            let paths: Vec<_> = missing.into_iter().flat_map(|atom| atom.paths).collect();
            match open.iter_mut().find(|other| other.paths == paths) {
                Some(other) => other.methods.push(method),
                None => open.push(HttpRule { methods: vec![method], paths, ..rule.clone() }),
            }
        }
        open
    }

    /// The same permissions, written as everybody who means the same writes them.
    #[must_use]
    pub fn normal(&self) -> Self {
        let mut http: Vec<_> = self.http.iter().map(HttpRule::normal).collect();
        http.sort_by_cached_key(|rule| serde_json::to_string(rule).unwrap_or_default());
        http.dedup();
        let mut kept: Vec<HttpRule> = Vec::new();
        for (index, rule) in http.iter().enumerate() {
            // Of two that cover each other the first stays.
            let is_wider = |(other, wide): (usize, &HttpRule)| {
                other != index && wide.covers(rule) && (other < index || !rule.covers(wide))
            };
            if !http.iter().enumerate().any(is_wider) {
                kept.push(rule.clone());
            }
        }
        Self { http: kept, ..self.clone() }
    }

    /// SHA-256, in hexadecimal, over the normal form.
    #[must_use]
    pub fn digest(&self) -> String {
        let text = serde_json::to_string(&self.normal()).unwrap_or_default();
        Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Everything that this or the other allows.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut http = self.http.clone();
        http.extend(other.http.iter().filter(|rule| !self.http.contains(rule)).cloned());
        Self { http, kv: self.kv.max(other.kv) }
    }
}

impl HttpRule {
    /// Whether everything that `narrow` allows is allowed by this.
    pub(super) fn covers(&self, narrow: &Self) -> bool {
        // Without networks a rule reaches global addresses, with them others: neither holds the other.
        let alike = self.addresses == narrow.addresses;
        self == narrow
            || alike && self.covers_target(narrow) && self.covers_methods(narrow) && self.covers_paths(narrow)
    }

    fn covers_target(&self, narrow: &Self) -> bool {
        match (&self.connection, &self.url, &narrow.connection, &narrow.url) {
            (Some(wide), None, Some(narrow), None) => wide == "*" || wide == narrow,
            (None, Some(wide), None, Some(narrow)) => {
                let (wide, narrow) = (OriginPattern::parse(wide), OriginPattern::parse(narrow));
                wide.zip(narrow).is_some_and(|(wide, narrow)| wide.covers(&narrow))
            }
            _ => false,
        }
    }

    fn covers_methods(&self, narrow: &Self) -> bool {
        let wide = self.method_list();
        wide.iter().any(|method| method == "*") || narrow.method_list().iter().all(|method| wide.contains(method))
    }

    fn covers_paths(&self, narrow: &Self) -> bool {
        let covered = |path: &String| self.paths.iter().any(|wide| glob::covers(wide, path));
        self.paths.is_empty() || !narrow.paths.is_empty() && narrow.paths.iter().all(covered)
    }

    /// Its methods, with those that are meant if none is listed.
    pub(super) fn method_list(&self) -> Vec<String> {
        if self.methods.is_empty() { vec!["GET".to_owned(), "HEAD".to_owned()] } else { self.methods.clone() }
    }

    fn normal(&self) -> Self {
        let mut methods = self.method_list();
        if methods.iter().any(|method| method == "*") {
            methods = vec!["*".to_owned()];
        }
        methods.sort();
        methods.dedup();
        let mut paths = self.paths.clone();
        paths.sort();
        paths.dedup();
        let wider = |path: &String| {
            paths
                .iter()
                .any(|wide| wide != path && glob::covers(wide, path) && !(glob::covers(path, wide) && path < wide))
        };
        let paths = paths.iter().filter(|path| !wider(path)).cloned().collect();
        let url = self.url.as_deref();
        let url = url.map(|url| OriginPattern::parse(url).map_or_else(|| url.to_owned(), |origin| origin.normal()));
        let addresses = self.addresses.clone().map(|mut ranges| {
            ranges.sort();
            ranges.dedup();
            ranges
        });
        Self { url, methods, paths, addresses, ..self.clone() }
    }
}

#[cfg(test)]
mod tests;
