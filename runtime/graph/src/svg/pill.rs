//! Small things with round ends: what stands on an edge, and the commands that edges lead to.

use runner_engine::Target;

use super::markup::{Markup, moved};
use super::paint::Paint;
use crate::execution::Taken;
use crate::graph::{Edge, End, Graph};
use crate::label::{Label, Tone};
use crate::layout::{Point, Size};
use crate::text::{Face, line};

const FACE: Face = Face { size: 11.0, bold: false };
const END_FACE: Face = Face { size: 11.0, bold: true };
const HEIGHT: f64 = 20.0;
const END_HEIGHT: f64 = 24.0;
const TEXT_WIDTH_MAX: f64 = 240.0;
const PADDING: f64 = 9.0;

/// A small thing with a word or a condition in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pill {
    text: String,
    tooltip: String,
    face: Face,
    ink: Paint,
    line: Paint,
    dashed: bool,
    class: &'static str,
    taken: Option<Taken>,
}

impl Pill {
    /// What stands on an edge.
    pub(super) fn of_label(label: &Label) -> Self {
        let failure = label.tone == Tone::Failure;
        Self {
            text: FACE.cut(&line(&label.text), TEXT_WIDTH_MAX),
            tooltip: format!("when {}", label.text),
            face: FACE,
            ink: if failure { Paint::WireFailure } else { Paint::Muted },
            line: if failure { Paint::WireFailure } else { Paint::CardLine },
            dashed: false,
            class: "condition",
            taken: None,
        }
    }

    /// What stands beside an edge that leads back to its own task.
    pub(super) fn of_loop(edge: &Edge) -> Self {
        let text = edge.text().unwrap_or_else(|| "always".to_owned());
        let full = Label { text, tone: edge.label.as_ref().map_or(Tone::Other, |label| label.tone) };
        Self { tooltip: full.text.clone(), taken: edge.taken, ..Self::of_label(&full) }
    }

    /// The end of an edge that leads to no task.
    pub(super) fn of_end(graph: &Graph, edge: &Edge) -> Self {
        let name = graph.end_name(&edge.to);
        let (ink, text, tooltip) = match &edge.to {
            End::Command(Target::Fail) => (Paint::Bad, name.to_owned(), "the execution fails".to_owned()),
            End::Command(Target::Noop) => {
                (Paint::Muted, name.to_owned(), "this branch ends, a failure is taken as dealt with".to_owned())
            }
            End::Missing(_) => (Paint::Bad, format!("no task {name}"), format!("there is no task {name}")),
            _ => (Paint::Muted, name.to_owned(), "this branch ends".to_owned()),
        };
        let text = END_FACE.cut(&line(&text), TEXT_WIDTH_MAX);
        let dashed = matches!(edge.to, End::Missing(_));
        Self { text, tooltip, face: END_FACE, ink, line: ink, dashed, class: "command", taken: edge.taken }
    }

    /// Takes into account whether an edge that it stands on was taken.
    pub(super) fn join(&mut self, taken: Option<Taken>) {
        self.taken = match (self.taken, taken) {
            (Some(Taken::Yes), _) | (_, Some(Taken::Yes)) => Some(Taken::Yes),
            (Some(Taken::Unknown), _) | (_, Some(Taken::Unknown)) => Some(Taken::Unknown),
            (old, new) => old.or(new),
        };
    }

    pub(super) fn width(&self) -> f64 {
        (self.face.width(&self.text) + 2.0 * PADDING).ceil()
    }

    fn height(&self) -> f64 {
        if self.face.bold { END_HEIGHT } else { HEIGHT }
    }

    pub(super) fn size(&self) -> Size {
        Size::centred(self.width(), self.height())
    }

    /// Draws it around a point.
    pub(super) fn draw(&self, out: &mut Markup, at: Point) {
        let (width, height) = (self.width(), self.height());
        let faint = self.taken == Some(Taken::No);
        let (line, ink) = match self.taken {
            Some(Taken::Yes) => (if self.line == Paint::CardLine { Paint::WireTaken } else { self.line }, Paint::Text),
            Some(Taken::No) => (Paint::WireFaint, Paint::Muted),
            _ => (self.line, self.ink),
        };
        out.open("g").class(self.class, None, None).text_attribute("transform", &moved(at.x, at.y));
        out.tooltip(&self.tooltip);
        out.open("rect")
            .attribute("x", -width / 2.0)
            .attribute("y", -height / 2.0)
            .attribute("width", width)
            .attribute("height", height)
            .attribute("rx", height / 2.0)
            .class("", Some(Paint::Ground), Some(line))
            .fill(Paint::Ground)
            .stroke(line, if self.taken == Some(Taken::Yes) { 1.5 } else { 1.0 });
        if self.dashed || faint {
            out.text_attribute("stroke-dasharray", "3 3");
        }
        out.close();
        out.words_in_the_middle(&self.text, self.face, 4.0, ink);
        out.close();
    }
}
