//! The edges: lines with round corners and a head at their end.

use super::Picture;
use super::markup::{Markup, number};
use super::paint::Paint;
use crate::execution::Taken;
use crate::graph::{Edge, Graph};
use crate::layout::{Layout, Point};

const RADIUS: f64 = 7.0;
const HEAD_LENGTH: f64 = 8.0;
const HEAD_HALF: f64 = 4.0;

impl Picture<'_> {
    /// Draws every edge; those that were taken lie on top.
    pub(super) fn draw_wires(&self, out: &mut Markup, layout: &Layout, edges: &[usize]) {
        let mut wires: Vec<_> = edges.iter().copied().zip(layout.arcs.iter().cloned()).collect();
        wires.extend(self.loops(layout));
        let key = |index: usize| {
            self.graph.edges.get(index).map_or((0, false), |edge| (layer(edge.taken), !edge.is_on_failure()))
        };
        wires.sort_by_key(|(index, _)| key(*index));
        for (index, points) in &wires {
            if let Some(edge) = self.graph.edges.get(*index) {
                draw(out, self.graph, edge, points);
            }
        }
    }

    /// Edges that lead back to their own task at once, with their corners.
    fn loops(&self, layout: &Layout) -> Vec<(usize, Vec<Point>)> {
        let mut loops = Vec::new();
        for (from, (card, middle)) in self.cards.iter().zip(&layout.nodes).enumerate() {
            let own = self.graph.edges.iter().enumerate().filter(|(_, edge)| edge.from == from && edge.is_loop());
            for (nth, (index, _)) in own.enumerate() {
                let Some((corners, _)) = card.loop_points(nth) else { continue };
                let at = |corner: Point| Point { x: middle.x + corner.x, y: middle.y + corner.y };
                loops.push((index, corners.map(at).to_vec()));
            }
        }
        loops
    }
}

const fn layer(taken: Option<Taken>) -> u8 {
    match taken {
        Some(Taken::No) => 0,
        None | Some(Taken::Unknown) => 1,
        Some(Taken::Yes) => 2,
    }
}

fn draw(out: &mut Markup, graph: &Graph, edge: &Edge, points: &[Point]) {
    let ([.., before, end], Some(start)) = (points, points.first()) else { return };
    let (paint, width) = match edge.taken {
        Some(Taken::Yes) => (Paint::WireTaken, 2.2),
        Some(Taken::No) => (Paint::WireFaint, 1.2),
        _ if edge.is_on_failure() => (Paint::WireFailure, 1.4),
        _ => (Paint::Wire, 1.4),
    };
    let toward = direction(*before, *end);
    let shaft_end = Point { x: end.x - toward.x * (HEAD_LENGTH - 1.0), y: end.y - toward.y * (HEAD_LENGTH - 1.0) };
    let mut shaft = points.to_vec();
    shaft.pop();
    shaft.push(shaft_end);
    out.open("g").class("edge", None, None);
    if let Some(taken) = edge.taken {
        let word = match taken {
            Taken::Yes => "yes",
            Taken::No => "no",
            Taken::Unknown => "unknown",
        };
        out.text_attribute("data-taken", word);
    }
    out.tooltip(&tooltip(graph, edge));
    out.open("path").text_attribute("d", &path(*start, &shaft)).text_attribute("fill", "none");
    out.class("", None, Some(paint)).stroke(paint, width);
    if edge.is_on_failure() && edge.taken != Some(Taken::Yes) {
        out.text_attribute("stroke-dasharray", "5 3");
    }
    out.close();
    out.open("path").text_attribute("d", &head(*end, toward)).class("", Some(paint), None).fill(paint).close();
    out.close();
}

fn tooltip(graph: &Graph, edge: &Edge) -> String {
    let from = graph.nodes.get(edge.from).map_or("", |node| node.name.as_str());
    let condition = edge.label.as_ref().map_or(String::new(), |label| format!(", when {}", label.text));
    let taken = match edge.taken {
        Some(Taken::Yes) => ": taken",
        Some(Taken::No) => ": not taken",
        Some(Taken::Unknown) => ": perhaps taken",
        None => "",
    };
    format!("{from} → {}{condition}{taken}", graph.end_name(&edge.to))
}

/// The unit vector from one point to another; down, if they are the same.
fn direction(from: Point, to: Point) -> Point {
    let (x, y) = (to.x - from.x, to.y - from.y);
    let length = x.hypot(y);
    if length > 0.0 { Point { x: x / length, y: y / length } } else { Point { x: 0.0, y: 1.0 } }
}

fn head(end: Point, toward: Point) -> String {
    let base = Point { x: end.x - toward.x * HEAD_LENGTH, y: end.y - toward.y * HEAD_LENGTH };
    let (x, y) = (-toward.y * HEAD_HALF, toward.x * HEAD_HALF);
    let at = |point: Point| format!("{} {}", number(point.x), number(point.y));
    let (left, right) = (Point { x: base.x + x, y: base.y + y }, Point { x: base.x - x, y: base.y - y });
    format!("M{}L{}L{}Z", at(end), at(left), at(right))
}

/// A path with round corners.
fn path(start: Point, points: &[Point]) -> String {
    let at = |point: Point| format!("{} {}", number(point.x), number(point.y));
    let mut path = format!("M{}", at(start));
    for three in points.windows(3) {
        let [a, b, c] = three else { continue };
        let half = |from: &Point, to: &Point| (to.x - from.x).hypot(to.y - from.y) / 2.0;
        let radius = RADIUS.min(half(a, b)).min(half(b, c));
        let (into, out_of) = (direction(*a, *b), direction(*b, *c));
        let begin = Point { x: b.x - into.x * radius, y: b.y - into.y * radius };
        let end = Point { x: b.x + out_of.x * radius, y: b.y + out_of.y * radius };
        path.push_str(&format!("L{}Q{} {}", at(begin), at(*b), at(end)));
    }
    if let Some(last) = points.last() {
        path.push_str(&format!("L{}", at(*last)));
    }
    path
}
