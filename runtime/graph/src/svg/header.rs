//! What stands above the graph: the title, the run, and what holds for the whole workflow.

use super::card::sign;
use super::markup::Markup;
use super::paint::{Look, Paint};
use crate::execution::RunState;
use crate::graph::Graph;
use crate::layout::Point;
use crate::text::{Face, duration, line};

const TITLE: Face = Face { size: 16.0, bold: true };
const SMALL: Face = Face { size: 12.0, bold: false };
const WIDTH_MAX: f64 = 620.0;
const WIDTH_MIN: f64 = 300.0;
const ROW: f64 = 22.0;
const BELOW: f64 = 16.0;

/// The header, measured.
#[derive(Debug, Default)]
pub(super) struct Header {
    title: String,
    run: Option<(RunState, String)>,
    marks: String,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Header {
    pub(super) fn of(graph: &Graph, width: f64) -> Self {
        let room = width.clamp(WIDTH_MIN, WIDTH_MAX);
        let title = TITLE.cut(&line(&graph.title), room);
        let run = graph.run.clone().map(|run| {
            let took = run.duration_ms.map(|millis| format!(" · {}", duration(millis))).unwrap_or_default();
            let words = SMALL.cut(&format!("{}{took} · {}", run.status.as_str(), run.id), room.max(420.0));
            (run, words)
        });
        let marks: Vec<_> = graph.marks.iter().map(|mark| format!("{} {}", mark.key, mark.text)).collect();
        let marks = SMALL.cut(&line(&marks.join(" · ")), room);
        let rows = 1.0 + f64::from(u8::from(run.is_some())) + f64::from(u8::from(!marks.is_empty()));
        let run_width = run.as_ref().map_or(0.0, |(_, words)| SMALL.width(words) + ROW);
        let width = TITLE.width(&title).max(run_width).max(SMALL.width(&marks)).ceil();
        Self { title, run, marks, width, height: rows * ROW + BELOW }
    }

    /// Draws it with its top left corner at `margin`, `margin`.
    pub(super) fn draw(&self, out: &mut Markup, margin: f64) {
        if self.height == 0.0 {
            return;
        }
        let mut y = margin + 14.0;
        out.words(&self.title, TITLE, margin, y, Paint::Text);
        if let Some((run, words)) = &self.run {
            y += ROW;
            let look = Look::of(run.status);
            sign(out, &look, Point { x: margin + 7.0, y: y - 4.0 });
            out.words(words, SMALL, margin + ROW, y, Paint::Muted);
        }
        if !self.marks.is_empty() {
            y += ROW;
            out.words(&self.marks, SMALL, margin, y, Paint::Muted);
        }
    }
}
