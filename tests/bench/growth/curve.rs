//! Sizes, with the cost of one piece at each.

use crate::report::{Line, Report};

pub(crate) struct Curve {
    what: &'static str,
    unit: &'static str,
    first: Option<f64>,
    aim: &'static str,
}

impl Curve {
    /// A curve that is to stay at about its first point.
    pub(crate) const fn new(what: &'static str, unit: &'static str, aim: &'static str) -> Self {
        Self { what, unit, first: None, aim }
    }

    /// The next point: how much one piece costs, or is done in a second, at this size.
    pub(crate) fn point(&mut self, report: &mut Report, size: usize, value: f64) {
        let first = *self.first.get_or_insert(value);
        let line = Line::new(format!("{}: {size}", self.what), value, self.unit);
        report.add(line.beside(value / first, "the first point").aim(self.aim));
    }
}
