//! A strict reader of Prometheus' text format, version 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>): it refuses what a lenient one would guess.

use std::collections::{BTreeMap, BTreeSet};

/// A metric with everything that is said of it.
pub(super) struct Family {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) series: Vec<Series>,
}

/// One value.
#[derive(Clone, PartialEq)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

/// Reads a page. Every metric has one HELP and one TYPE in front of its series, all of which stand together; no series comes
/// twice; the buckets of a histogram grow and end with everything.
pub(super) fn read(page: &str) -> Result<Vec<Family>, String> {
    if !page.ends_with('\n') {
        return Err("the last line has no end".to_owned());
    }
    let (mut families, mut seen, mut help) = (Vec::<Family>::new(), BTreeSet::new(), None);
    for line in page.lines().filter(|line| !line.is_empty()) {
        let wrong = |why: &str| format!("{why}: `{line}`");
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, text) = rest.split_once(' ').ok_or_else(|| wrong("HELP without a text"))?;
            if text.trim().is_empty() || !is_name(name) || !seen.insert(format!("HELP {name}")) {
                return Err(wrong("HELP"));
            }
            help = Some(name.to_owned());
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or_else(|| wrong("TYPE without a kind"))?;
            if help.take().as_deref() != Some(name) || !["counter", "gauge", "histogram"].contains(&kind) {
                return Err(wrong("TYPE"));
            }
            families.push(Family { name: name.to_owned(), kind: kind.to_owned(), series: Vec::new() });
        } else {
            let series = series(line).ok_or_else(|| wrong("no series"))?;
            let family = families.last_mut().filter(|family| help.is_none() && family.owns(&series.name));
            let family = family.ok_or_else(|| wrong("a series away from its metric"))?;
            if !seen.insert(format!("{} {:?}", series.name, series.labels)) {
                return Err(wrong("a series comes twice"));
            }
            family.series.push(series);
        }
    }
    families.iter().try_for_each(Family::check)?;
    Ok(families)
}

impl Family {
    fn owns(&self, series: &str) -> bool {
        match (self.kind.as_str(), series.strip_prefix(self.name.as_str())) {
            ("histogram", Some(suffix)) => ["_bucket", "_sum", "_count"].contains(&suffix),
            (_, suffix) => suffix == Some(""),
        }
    }

    fn check(&self) -> Result<(), String> {
        let Self { name, kind, series } = self;
        let fits = match kind.as_str() {
            "counter" => name.ends_with("_total") && series.iter().all(|one| one.value >= 0.0),
            "histogram" => !name.ends_with("_total") && self.has_whole_buckets(),
            _ => !name.ends_with("_total"),
        };
        if fits && !series.is_empty() { Ok(()) } else { Err(format!("{name} is no {kind}")) }
    }

    fn has_whole_buckets(&self) -> bool {
        let mut groups: BTreeMap<_, (Vec<(f64, f64)>, Vec<f64>, Vec<f64>)> = BTreeMap::new();
        for one in &self.series {
            let mut labels = one.labels.clone();
            let bound = labels.remove("le").and_then(|bound| number(&bound));
            let (buckets, counts, sums) = groups.entry(format!("{labels:?}")).or_default();
            match (bound, one.name.strip_prefix(self.name.as_str())) {
                (Some(bound), Some("_bucket")) => buckets.push((bound, one.value)),
                (None, Some("_count")) => counts.push(one.value),
                (None, Some("_sum")) => sums.push(one.value),
                _ => return false,
            }
        }
        groups.values().all(|(buckets, counts, sums)| {
            let grows = buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
            let all = buckets.last().filter(|(bound, _)| *bound == f64::INFINITY).map(|(_, count)| *count);
            grows && counts.len() == 1 && sums.len() == 1 && all == counts.first().copied()
        })
    }
}

fn series(line: &str) -> Option<Series> {
    let end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at(end);
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    let value = number(value.strip_prefix(' ')?)?;
    is_name(name).then(|| Series { name: name.to_owned(), labels, value })
}

/// The labels up to the closing brace, and what follows it.
fn labels(mut rest: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        let (name, after) = rest.split_once("=\"")?;
        let (value, after) = text(after)?;
        if !is_name(name) || name.contains(':') || labels.insert(name.to_owned(), value).is_some() {
            return None;
        }
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Some((labels, after.strip_prefix('}')?)),
        }
    }
}

/// A text up to its closing quote, and what follows it.
fn text(rest: &str) -> Option<(String, &str)> {
    let (mut text, mut chars) = (String::new(), rest.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((text, &rest[at + 1..])),
            '\\' => text.push(match chars.next()?.1 {
                'n' => '\n',
                c @ ('\\' | '"') => c,
                _ => return None,
            }),
            c => text.push(c),
        }
    }
    None
}

fn number(text: &str) -> Option<f64> {
    match text {
        "+Inf" => Some(f64::INFINITY),
        _ => text.parse().ok().filter(|number: &f64| number.is_finite()),
    }
}

fn is_name(name: &str) -> bool {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    name.starts_with(is_first) && name.chars().all(|c| is_first(c) || c.is_ascii_digit())
}

#[test]
fn what_is_not_of_the_format_is_refused() {
    let head = "# HELP a_total A.\n# TYPE a_total counter\n";
    let histogram = "# HELP h H.\n# TYPE h histogram\n";
    assert_eq!(read(&format!("{head}a_total{{x=\"1\\n\"}} 2\na_total 3\n")).map(|read| read[0].series.len()), Ok(2));
    for page in [
        "a_total 1\n".to_owned(),
        format!("{head}a_total 1"),
        format!("{head}a_total 1\na_total 1\n"),
        format!("{head}a_total -1\n"),
        format!("{head}b_total 1\n"),
        format!("{head}a_total{{x=\"1\\x\"}} 1\n"),
        format!("{head}a_total{{x=\"1\",x=\"2\"}} 1\n"),
        format!("{head}a_total 1\n{head}a_total{{x=\"1\"}} 1\n"),
        "# TYPE a gauge\na 1\n".to_owned(),
        "# HELP a\n# TYPE a gauge\na 1\n".to_owned(),
        format!("{histogram}h_bucket{{le=\"1\"}} 2\nh_bucket{{le=\"+Inf\"}} 1\nh_sum 1\nh_count 1\n"),
        format!("{histogram}h_bucket{{le=\"1\"}} 1\nh_sum 1\nh_count 1\n"),
        format!("{histogram}h_bucket{{le=\"+Inf\"}} 1\nh_sum 1\nh_count 2\n"),
    ] {
        assert!(read(&page).is_err(), "{page}");
    }
}
