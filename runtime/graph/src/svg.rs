//! A graph as SVG: one file without scripts, fonts or anything else from outside.
//!
//! Colours are written as attributes, so that every viewer shows them; a style sheet in the file changes them for those
//! who like it dark. The state of a task is always also a word and a sign.

mod card;
mod header;
mod markup;
mod paint;
mod pill;
mod wire;

use std::collections::BTreeMap;

use crate::graph::{End, Graph};
use crate::layout::{Arc, Drawing, Point, Size};

use card::Card;
use header::Header;
use markup::Markup;
use paint::Paint;
use pill::Pill;

pub use paint::{Theme, dark_stylesheet};

/// How a picture is to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SvgOptions {
    /// Light, dark, or as the viewer likes it.
    pub theme: Theme,
    /// Where the tasks that follow stand.
    pub direction: Direction,
    /// Whether the picture has a ground of its own; without, that of the page shows.
    pub background: bool,
    /// Whether title, run and what holds for the whole workflow stand above the graph.
    pub header: bool,
    /// What the ids in the picture begin with, for a page with several: `task-NAME` follows.
    pub id_prefix: String,
}

impl Default for SvgOptions {
    fn default() -> Self {
        Self {
            theme: Theme::Auto,
            direction: Direction::Down,
            background: true,
            header: true,
            id_prefix: String::new(),
        }
    }
}

/// Where the tasks that follow stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Below.
    #[default]
    Down,
    /// To the right: for what branches widely.
    Right,
}

/// The typefaces, narrower than the table of widths supposes.
const FONTS: &str = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/// Pixels around everything.
const MARGIN: f64 = 24.0;

/// Everything that is drawn, measured.
struct Picture<'a> {
    graph: &'a Graph,
    rightwards: bool,
    cards: Vec<Card>,
    /// The ends of edges that lead to a command or to nothing, by edge; their nodes follow those of the tasks.
    ends: BTreeMap<usize, (usize, Pill)>,
    /// What stands on edges, and by edge which of them.
    labels: Vec<Pill>,
    label_of: BTreeMap<usize, usize>,
}

impl Graph {
    /// The graph as SVG.
    #[must_use]
    pub fn to_svg(&self, options: &SvgOptions) -> String {
        let picture = Picture::of(self, options.direction == Direction::Right);
        let (drawing, edges) = picture.drawing();
        let layout = drawing.lay_out();
        let layout = if picture.rightwards { layout.turned() } else { layout };
        let header = if options.header { Header::of(self, layout.width) } else { Header::default() };
        let width = layout.width.max(header.width) + 2.0 * MARGIN;
        let height = header.height + layout.height + 2.0 * MARGIN;
        let origin = Point { x: (width - layout.width) / 2.0, y: MARGIN + header.height };

        let mut out = Markup::new(options);
        let prefix = &options.id_prefix;
        out.open("svg")
            .text_attribute("xmlns", "http://www.w3.org/2000/svg")
            .text_attribute("viewBox", &format!("0 0 {} {}", markup::number(width), markup::number(height)))
            .attribute("width", width)
            .attribute("height", height)
            .text_attribute("role", "img")
            .text_attribute("aria-labelledby", &format!("{prefix}graph-title {prefix}graph-desc"))
            .text_attribute("font-family", FONTS);
        out.open("title").text_attribute("id", &format!("{prefix}graph-title")).content(&self.title).close();
        out.open("desc").text_attribute("id", &format!("{prefix}graph-desc")).content(&self.description()).close();
        out.stylesheet();
        if options.background {
            out.open("rect").attribute("width", width).attribute("height", height).fill(Paint::Ground).close();
        }
        header.draw(&mut out, MARGIN);
        out.open("g").text_attribute("transform", &markup::moved(origin.x, origin.y));
        picture.draw_wires(&mut out, &layout, &edges);
        picture.draw_nodes(&mut out, &layout);
        out.close();
        out.close();
        out.finish()
    }

    /// The graph in a few sentences, for those who do not see it.
    fn description(&self) -> String {
        let mut sentences =
            vec![format!("A workflow of {} tasks and {} transitions.", self.nodes.len(), self.edges.len())];
        if let Some(run) = &self.run {
            sentences.push(format!("Execution {} is {}.", run.id, run.status.as_str()));
            let states = self
                .nodes
                .iter()
                .filter_map(|node| node.state.as_ref().map(|state| format!("{} {}", node.name, state.status.as_str())));
            let states: Vec<_> = states.collect();
            if !states.is_empty() {
                sentences.push(format!("Tasks: {}.", states.join(", ")));
            }
        }
        sentences.join(" ")
    }
}

impl<'a> Picture<'a> {
    fn of(graph: &'a Graph, rightwards: bool) -> Self {
        let cards = (0..graph.nodes.len()).map(|index| Card::of(graph, index, rightwards)).collect();
        let mut picture =
            Self { graph, rightwards, cards, ends: BTreeMap::new(), labels: Vec::new(), label_of: BTreeMap::new() };
        let mut shared: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for (index, edge) in graph.edges.iter().enumerate().filter(|(_, edge)| !edge.is_loop()) {
            if !matches!(edge.to, End::Task(_)) {
                let node = graph.nodes.len() + picture.ends.len();
                picture.ends.insert(index, (node, Pill::of_end(graph, edge)));
            }
            if let Some(label) = &edge.label {
                let labels = &mut picture.labels;
                let at = *shared.entry((edge.from, edge.transition)).or_insert_with(|| {
                    labels.push(Pill::of_label(label));
                    labels.len() - 1
                });
                picture.label_of.insert(index, at);
                if let Some(pill) = picture.labels.get_mut(at) {
                    pill.join(edge.taken);
                }
            }
        }
        picture
    }

    /// What is to be laid out, and for each arc its edge.
    fn drawing(&self) -> (Drawing, Vec<usize>) {
        let mut drawing = Drawing {
            nodes: self.cards.iter().map(Card::size).collect(),
            labels: self.labels.iter().map(|pill| self.size(pill)).collect(),
            arcs: Vec::new(),
        };
        drawing.nodes.resize(self.cards.len() + self.ends.len(), Size::default());
        let mut edges = Vec::new();
        for (index, edge) in self.graph.edges.iter().enumerate().filter(|(_, edge)| !edge.is_loop()) {
            let to = match (&edge.to, self.ends.get(&index)) {
                (End::Task(to), _) => *to,
                (_, Some((node, pill))) => {
                    drawing.nodes.iter_mut().skip(*node).take(1).for_each(|size| *size = self.size(pill));
                    *node
                }
                _ => continue,
            };
            let label = self.label_of.get(&index).copied();
            let (minor, short) = (edge.is_on_failure(), !matches!(edge.to, End::Task(_)));
            drawing.arcs.push(Arc { from: edge.from, to, label, minor, short });
            edges.push(index);
        }
        (drawing, edges)
    }

    /// The size of a pill as the layout sees it.
    fn size(&self, pill: &Pill) -> Size {
        if self.rightwards { pill.size().turned() } else { pill.size() }
    }

    fn draw_nodes(&self, out: &mut Markup, layout: &crate::layout::Layout) {
        for (label, at) in &layout.pills {
            if let Some(pill) = self.labels.get(*label) {
                pill.draw(out, *at);
            }
        }
        for (node, pill) in self.ends.values() {
            if let Some(at) = layout.nodes.get(*node) {
                pill.draw(out, *at);
            }
        }
        for (card, at) in self.cards.iter().zip(&layout.nodes) {
            card.draw(out, *at);
        }
    }
}
