//! The box of a task: its name, its action, what is remarkable about it, and how it went.

use super::markup::{Markup, moved};
use super::paint::{Look, Paint};
use super::pill::Pill;
use crate::execution::TaskState;
use crate::graph::{Graph, Mark, Node};
use crate::layout::{Point, Size};
use crate::text::{Face, line};

const NAME: Face = Face { size: 13.0, bold: true };
const SMALL: Face = Face { size: 11.0, bold: false };
const SMALL_BOLD: Face = Face { size: 11.0, bold: true };

const TEXT_WIDTH_MAX: f64 = 240.0;
const WIDTH_MIN: f64 = 124.0;
const PADDING: f64 = 14.0;
const ROW: f64 = 16.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 9.0;
const STATE_ROW: f64 = 26.0;
/// From the left of the state row to its word: the sign stands there.
const SIGN: f64 = 19.0;
/// Between the box and the pill of a loop beside it, and from one loop to the next.
const LOOP_GAP: f64 = 28.0;
const LOOP_STEP: f64 = 28.0;
/// The same from one loop to the next below the box.
const LOOP_DROP: f64 = 36.0;
/// Half the height of that pill.
const LOOP_PILL: f64 = 10.0;

/// A task's box, measured.
pub(super) struct Card {
    name: String,
    text: String,
    action: String,
    marks: Vec<(&'static str, String)>,
    state: Option<(TaskState, String)>,
    idle: bool,
    tooltip: String,
    pub(super) loops: Vec<Pill>,
    /// Whether what follows stands to the right: then loops stand below.
    rightwards: bool,
}

impl Card {
    pub(super) fn of(graph: &Graph, index: usize, rightwards: bool) -> Self {
        let loops = graph.edges.iter().filter(|edge| edge.from == index && edge.is_loop()).map(Pill::of_loop).collect();
        let blank = Self {
            name: String::new(),
            text: String::new(),
            action: String::new(),
            marks: Vec::new(),
            state: None,
            idle: false,
            tooltip: String::new(),
            loops,
            rightwards,
        };
        let Some(node) = graph.nodes.get(index) else { return blank };
        let state = node.state.clone().map(|state| {
            let details = state.details();
            (state, details)
        });
        Self {
            name: node.name.to_string(),
            text: NAME.cut(node.name.as_str(), TEXT_WIDTH_MAX),
            action: SMALL.cut(&line(&node.action), TEXT_WIDTH_MAX),
            marks: node.marks.iter().map(cut_mark).collect(),
            idle: state.is_none() && graph.run.is_some(),
            state,
            tooltip: tooltip(node, graph.run.is_some()),
            ..blank
        }
    }

    fn state_width(&self) -> f64 {
        self.state
            .as_ref()
            .map_or(0.0, |(state, details)| SIGN + SMALL_BOLD.width(state.status.as_str()) + SMALL.width(details))
    }

    pub(super) fn width(&self) -> f64 {
        let marks = self.marks.iter().map(|(key, text)| mark_key_width(key) + SMALL.width(text));
        let rows = marks.chain([NAME.width(&self.text), SMALL.width(&self.action), self.state_width()]);
        let loops = self.loops.iter().filter(|_| self.rightwards).map(|pill| pill.width() - 2.0 * PADDING);
        let rows = rows.chain(loops);
        (rows.fold(0.0, f64::max) + 2.0 * PADDING).max(WIDTH_MIN).ceil()
    }

    fn body_height(&self) -> f64 {
        TOP + ROW * (2.0 + self.marks.len() as f64) + BOTTOM
    }

    pub(super) fn height(&self) -> f64 {
        let state = if self.state.is_some() || self.idle { STATE_ROW } else { 0.0 };
        let loops = if self.rightwards { 0.0 } else { LOOP_STEP * self.loops.len() as f64 };
        (self.body_height() + state).max(loops)
    }

    /// How far it reaches, with the loops beside it.
    pub(super) fn size(&self) -> Size {
        if self.rightwards {
            let half = self.height() / 2.0;
            return Size { left: half, right: half + LOOP_DROP * self.loops.len() as f64, height: self.width() };
        }
        let half = self.width() / 2.0;
        let loops = self.loops.iter().map(|pill| LOOP_GAP + pill.width()).fold(0.0, f64::max);
        Size { left: half, right: half + loops, height: self.height() }
    }

    /// The corners of a loop, and where its pill stands, seen from the middle of the box.
    pub(super) fn loop_points(&self, index: usize) -> Option<([Point; 4], Point)> {
        let pill = self.loops.get(index)?;
        let at = |x: f64, y: f64| Point { x, y };
        if self.rightwards {
            let (side, x) = (self.height() / 2.0, index as f64 * LOOP_PILL * 2.0);
            let y = side + LOOP_DROP * (index as f64 + 1.0) - LOOP_PILL;
            let corners = [at(x - 5.0, side), at(x - 5.0, y), at(x + 5.0, y), at(x + 5.0, side)];
            return Some((corners, at(0.0, y)));
        }
        let side = self.width() / 2.0;
        let y = (index as f64 - (self.loops.len() as f64 - 1.0) / 2.0) * LOOP_STEP;
        let x = side + LOOP_GAP + pill.width() / 2.0;
        Some(([at(side, y - 5.0), at(x, y - 5.0), at(x, y + 5.0), at(side, y + 5.0)], at(x, y)))
    }

    /// Draws it around a point.
    pub(super) fn draw(&self, out: &mut Markup, at: Point) {
        let (width, height) = (self.width(), self.height());
        let look = self.state.as_ref().map(|(state, _)| Look::of(state.status));
        let (line, ground) = look.as_ref().map_or((Paint::CardLine, Paint::Card), |look| (look.ink, look.ground));
        let id = format!("{}task-{}", out.id_prefix, self.name);
        let status = self.state.as_ref().map_or("none", |(state, _)| state.status.as_str());
        out.open("g").text_attribute("id", &id).class("task", None, None).text_attribute("data-status", status);
        out.text_attribute("transform", &moved(at.x - width / 2.0, at.y - height / 2.0));
        out.tooltip(&self.tooltip);
        out.open("rect")
            .attribute("width", width)
            .attribute("height", height)
            .attribute("rx", 8.0)
            .class("", Some(ground), Some(line))
            .fill(ground)
            .stroke(line, if look.is_some() { 1.5 } else { 1.0 });
        if self.idle {
            out.text_attribute("stroke-dasharray", "4 3");
        }
        out.close();
        self.draw_rows(out);
        self.draw_state(out, width);
        out.close();
        for (index, pill) in self.loops.iter().enumerate() {
            if let Some((_, middle)) = self.loop_points(index) {
                pill.draw(out, Point { x: at.x + middle.x, y: at.y + middle.y });
            }
        }
    }

    fn draw_rows(&self, out: &mut Markup) {
        let ink = if self.idle { Paint::Muted } else { Paint::Text };
        out.words(&self.text, NAME, PADDING, TOP + 12.0, ink);
        out.words(&self.action, SMALL, PADDING, TOP + ROW + 12.0, Paint::Muted);
        for (index, (key, text)) in self.marks.iter().enumerate() {
            let y = TOP + ROW * (2.0 + index as f64) + 12.0;
            out.open("text").attribute("x", PADDING).attribute("y", y).attribute("font-size", SMALL.size);
            out.class("", Some(Paint::Muted), None).fill(Paint::Muted);
            out.open("tspan").text_attribute("font-weight", "600").content(key).close();
            out.content(" ").content(text).close();
        }
    }

    fn draw_state(&self, out: &mut Markup, width: f64) {
        let top = self.height() - STATE_ROW;
        let look = self.state.as_ref().map(|(state, _)| Look::of(state.status));
        let line = look.as_ref().map_or(Paint::CardLine, |look| look.ink);
        if self.state.is_some() || self.idle {
            let path = format!("M0.5 {y}H{x}", y = super::markup::number(top), x = super::markup::number(width - 0.5));
            out.open("path").text_attribute("d", &path).class("", None, Some(line)).stroke(line, 1.0);
            out.text_attribute("stroke-opacity", "0.35").close();
        }
        let y = top + 17.0;
        match (&self.state, look) {
            (Some((state, details)), Some(look)) => {
                sign(out, &look, Point { x: PADDING + 6.0, y: top + STATE_ROW / 2.0 });
                let word = state.status.as_str();
                out.open("text").attribute("x", PADDING + SIGN).attribute("y", y).attribute("font-size", SMALL.size);
                out.class("", Some(Paint::Muted), None).fill(Paint::Muted);
                out.open("tspan").text_attribute("font-weight", "600").class("", Some(look.ink), None).fill(look.ink);
                out.content(word).close().content(details).close();
            }
            _ if self.idle => {
                out.words("not run", SMALL, PADDING, y, Paint::Muted);
            }
            _ => {}
        }
    }
}

/// The sign of a status, in a filled circle around a point.
pub(super) fn sign(out: &mut Markup, look: &Look, at: Point) {
    out.open("g").text_attribute("transform", &moved(at.x, at.y));
    out.open("circle").attribute("r", 7.0).class("", Some(look.ink), None).fill(look.ink).close();
    out.open("path")
        .text_attribute("d", look.sign)
        .text_attribute("fill", "none")
        .text_attribute("stroke-linecap", "round")
        .text_attribute("stroke-linejoin", "round")
        .class("", None, Some(look.ground))
        .stroke(look.ground, 1.6)
        .close();
    out.close();
}

fn cut_mark(mark: &Mark) -> (&'static str, String) {
    (mark.key, SMALL.cut(&line(&mark.text), TEXT_WIDTH_MAX - mark_key_width(mark.key)))
}

fn mark_key_width(key: &str) -> f64 {
    SMALL_BOLD.width(key) + SMALL.width(" ")
}

/// Everything about a task, uncut.
fn tooltip(node: &Node, in_run: bool) -> String {
    let mut rows = vec![node.name.to_string(), format!("action {}", node.action)];
    rows.extend(node.marks.iter().map(|mark| format!("{} {}", mark.key, mark.text)));
    match &node.state {
        Some(state) => {
            let routes: Vec<_> = state.routes.iter().map(ToString::to_string).collect();
            rows.push(format!("{}{}", state.status.as_str(), state.details()));
            rows.push(format!("routes {}", routes.join(", ")));
        }
        None if in_run => rows.push("not run".to_owned()),
        None => {}
    }
    rows.join("\n")
}
