//! A histogram whose buckets somebody else has filled, in Prometheus' text format
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::fmt::Write as _;

/// What was counted.
pub(super) struct Histogram {
    /// Its name, with the unit.
    pub(super) name: &'static str,
    /// What it is, on one line.
    pub(super) help: &'static str,
    /// Upper bounds, included, of all buckets but the last one.
    pub(super) bounds: Vec<f64>,
    /// How many are in each bucket; one more than there are bounds.
    pub(super) counts: Vec<u64>,
    /// All values together.
    pub(super) sum: f64,
}

impl Histogram {
    /// Adds it to a page. Its buckets are said as the format wants them: each with all that are below.
    pub(super) fn write(&self, page: &mut String) {
        let Self { name, help, bounds, counts, sum } = self;
        let mut count = 0;
        let mut lines = format!("# HELP {name} {help}\n# TYPE {name} histogram\n");
        let bounds = bounds.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
        for (bound, more) in bounds.zip(counts) {
            count += more;
            // Writing to a text cannot fail.
            let _ = writeln!(lines, "{name}_bucket{{le=\"{bound}\"}} {count}");
        }
        let _ = writeln!(lines, "{name}_sum {sum}\n{name}_count {count}\n");
        page.push_str(&lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_what_is_below_them() {
        let (bounds, counts) = (vec![0.0001, 2.5], vec![3, 0, 2]);
        let mut page = String::new();
        Histogram { name: "h_seconds", help: "Time.", bounds, counts, sum: 7.25 }.write(&mut page);
        let expected = "# HELP h_seconds Time.\n# TYPE h_seconds histogram\nh_seconds_bucket{le=\"0.0001\"} 3\n\
             h_seconds_bucket{le=\"2.5\"} 3\nh_seconds_bucket{le=\"+Inf\"} 5\nh_seconds_sum 7.25\nh_seconds_count 5\n\n";
        assert_eq!(page, expected);
    }
}
