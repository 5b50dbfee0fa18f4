//! Medians, and how they are shown.

use std::time::Duration;

/// The times of one part, in microseconds.
pub(crate) struct Figures {
    pub(crate) median: f64,
    pub(crate) p99: f64,
}

impl Figures {
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1e6;
        Self { median: at(50), p99: at(99) }
    }
}

/// A line of the table.
pub(crate) struct Row {
    what: &'static str,
    median: f64,
    p99: f64,
    ratio: String,
}

impl Row {
    pub(crate) fn bare(what: &'static str, figures: &Figures) -> Self {
        Self::with(what, figures, String::new())
    }

    pub(crate) fn beside(what: &'static str, figures: &Figures, bare: &Figures, of: &str) -> Self {
        Self::with(what, figures, format!("{:.2} {of}", figures.median / bare.median))
    }

    pub(crate) fn with(what: &'static str, figures: &Figures, ratio: String) -> Self {
        Self { what, median: figures.median, p99: figures.p99, ratio }
    }
}

pub(crate) fn print(title: &str, rows: &[Row]) {
    println!("{title:<50} {:>12} {:>12}   ratio", "median", "p99");
    for row in rows {
        println!("  {:<48} {:>9.1} us {:>9.1} us   {}", row.what, row.median, row.p99, row.ratio);
    }
}
