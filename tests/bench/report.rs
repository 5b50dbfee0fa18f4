//! Figures of a bench: shown line by line while it runs, and written as JSON for whoever puts several benches together.

use serde::{Deserialize, Serialize};

use crate::asked;

/// One figure.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    what: String,
    value: f64,
    unit: String,
    /// How many times what it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    /// What it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<String>,
    /// What it is to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    aim: Option<String>,
}

impl Line {
    pub(crate) fn new(what: impl Into<String>, value: f64, unit: &str) -> Self {
        Self { what: what.into(), value, unit: unit.to_owned(), ratio: None, of: None, aim: None }
    }

    /// The same, beside another figure of the same run.
    pub(crate) fn beside(mut self, ratio: f64, of: impl Into<String>) -> Self {
        self.ratio = Some(ratio);
        self.of = Some(of.into());
        self
    }

    /// With what it is to be.
    #[allow(dead_code, reason = "not all that is measured has an aim")]
    pub(crate) fn aim(mut self, aim: &str) -> Self {
        self.aim = Some(aim.to_owned());
        self
    }
}

/// All figures of a bench.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Line>);

impl Report {
    /// Shows a figure and keeps it.
    pub(crate) fn add(&mut self, line: Line) {
        let ratio = line.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
        let of = line.of.as_ref().map_or_else(String::new, |of| format!("  (x {of})"));
        let aim = line.aim.as_ref().map_or_else(String::new, |aim| format!("  aim: {aim}"));
        println!("{ratio:>8} {:>12.2} {:<14} {}{of}{aim}", line.value, line.unit, line.what);
        self.0.push(line);
    }

    /// A line above the figures that follow.
    pub(crate) fn title(&self, title: &str) {
        println!("\n{title}\n{:>8} {:>12}", "ratio", "value");
    }

    /// Writes the figures to the file that `--json` names, after those that are there already: a bench may be several
    /// processes.
    pub(crate) fn end(self) {
        let Some(path) = asked::option("--json") else { return };
        let before = std::fs::read(&path).unwrap_or_default();
        let mut all: Vec<Line> = serde_json::from_slice(&before).unwrap_or_default();
        all.extend(self.0);
        std::fs::write(path, serde_json::to_vec_pretty(&all).unwrap()).unwrap();
    }
}
