//! The ways of the arcs: down in columns, across in tracks that lie in the gaps between the ranks.

mod ports;
mod tracks;

use std::collections::BTreeMap;

use super::network::{Chain, Kind, Network};
use super::per::Per;
use super::{Drawing, Layout, Point};

/// Pixels between a rank and the first track below it, between tracks, and between the last track and the next rank:
/// there the heads of the arrows are.
const ABOVE_TRACKS: f64 = 15.0;
const TRACK: f64 = 10.0;
const BELOW_TRACKS: f64 = 19.0;

/// A link between two ranks as it is drawn: from a point of the upper vertex to one of the lower.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    upper: usize,
    lower: usize,
    reversed: bool,
    from_x: f64,
    to_x: f64,
    /// Which of the gap's tracks it crosses in.
    track: usize,
}

impl Piece {
    /// Whether it needs no track.
    fn is_straight(&self) -> bool {
        (self.from_x - self.to_x).abs() < 0.5
    }
}

/// The pieces of a gap, by their ends and whether they lead up.
type Pieces = BTreeMap<(usize, usize, bool), Piece>;

/// Puts everything in its place.
pub(super) fn draw(drawing: &Drawing, network: &Network, columns: &Per<f64>) -> Layout {
    let columns = from_zero(network, columns);
    let mut gaps = gaps(network);
    let mut heights = Vec::new();
    for pieces in &mut gaps {
        ports::assign(network, &columns, pieces);
        let tracks = tracks::assign(network, pieces);
        heights.push(ABOVE_TRACKS + TRACK * tracks.saturating_sub(1) as f64 + BELOW_TRACKS);
    }
    let bands = bands(network, &heights);
    let mut layout = Layout { nodes: vec![Point::default(); drawing.nodes.len()], ..Layout::default() };
    for (rank, band) in network.ranks.iter().zip(&bands) {
        for &vertex in rank {
            let (at, size) = (Point { x: columns[vertex], y: band.middle() }, network.vertices[vertex].size);
            layout.width = layout.width.max(at.x + size.right);
            match network.vertices[vertex].kind {
                Kind::Node(node) => layout.nodes.iter_mut().skip(node).take(1).for_each(|slot| *slot = at),
                Kind::Label(label) => layout.pills.push((label, at)),
                Kind::Bend => {}
            }
        }
    }
    layout.height = bands.last().map_or(0.0, |band| band.bottom);
    let rank_of = rank_of(network);
    layout.arcs = network.chains.iter().map(|chain| way(network, chain, &gaps, &bands, &rank_of)).collect();
    layout
}

/// The strip that a rank takes.
struct Band {
    top: f64,
    bottom: f64,
}

impl Band {
    const fn middle(&self) -> f64 {
        f64::midpoint(self.top, self.bottom)
    }
}

/// The columns, moved so that the picture begins at 0.
fn from_zero(network: &Network, columns: &Per<f64>) -> Per<f64> {
    let left = |vertex: usize| columns[vertex] - network.vertices[vertex].size.left;
    let first = (0..network.count()).map(left).reduce(f64::min).unwrap_or(0.0);
    let mut moved: Per<f64> = Per::default();
    for vertex in 0..network.count() {
        // On whole half pixels, so that what should be straight is; nothing gets before 0 by that.
        moved[vertex] = ((columns[vertex] - first) * 2.0).round() / 2.0 + 0.5;
    }
    moved
}

fn rank_of(network: &Network) -> Per<usize> {
    let mut ranks: Per<usize> = Per::default();
    for (rank, vertices) in network.ranks.iter().enumerate() {
        for &vertex in vertices {
            ranks[vertex] = rank;
        }
    }
    ranks
}

/// The pieces of each gap, without their places.
fn gaps(network: &Network) -> Vec<Pieces> {
    let ranks = rank_of(network);
    let mut gaps = vec![Pieces::new(); network.ranks.len().saturating_sub(1)];
    for chain in &network.chains {
        let reversed = chain.reversed;
        for (&upper, &lower) in chain.vertices.iter().zip(chain.vertices.iter().skip(1)) {
            let piece = Piece { upper, lower, reversed, from_x: 0.0, to_x: 0.0, track: 0 };
            if let Some(gap) = gaps.get_mut(ranks[upper]) {
                gap.insert((upper, lower, reversed), piece);
            }
        }
    }
    gaps
}

fn bands(network: &Network, gaps: &[f64]) -> Vec<Band> {
    let mut top = 0.0;
    let mut bands = Vec::new();
    for (rank, gap) in network.ranks.iter().zip(gaps.iter().chain([&0.0])) {
        let height = rank.iter().map(|vertex| network.vertices[*vertex].size.height).fold(0.0, f64::max);
        bands.push(Band { top, bottom: top + height });
        top += height + gap;
    }
    bands
}

/// The corners of an arc.
fn way(network: &Network, chain: &Chain, gaps: &[Pieces], bands: &[Band], ranks: &Per<usize>) -> Vec<Point> {
    let mut points = Vec::new();
    let pieces = chain.vertices.iter().zip(chain.vertices.iter().skip(1));
    for (index, (&upper, &lower)) in pieces.enumerate() {
        let key = (upper, lower, chain.reversed);
        let (Some(above), Some(below)) = (bands.get(ranks[upper]), bands.get(ranks[lower])) else { continue };
        let Some(piece) = gaps.get(ranks[upper]).and_then(|gap| gap.get(&key)) else { continue };
        // A node is left at its edge; behind what stands on an arc it may change its column.
        let reach = if index == 0 { network.vertices[upper].size.height / 2.0 } else { 0.0 };
        points.push(Point { x: piece.from_x, y: above.middle() + reach });
        let across = above.bottom + ABOVE_TRACKS + TRACK * piece.track as f64;
        points.push(Point { x: piece.from_x, y: across });
        points.push(Point { x: piece.to_x, y: across });
        let last = index + 2 == chain.vertices.len();
        let reach = if last { network.vertices[lower].size.height / 2.0 } else { 0.0 };
        points.push(Point { x: piece.to_x, y: below.middle() - reach });
    }
    let mut points = without_needless(&points);
    if chain.reversed {
        points.reverse();
    }
    points
}

/// The points that are corners or ends.
fn without_needless(points: &[Point]) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::new();
    for point in points {
        if kept.last() == Some(point) {
            continue;
        }
        if let [.., a, b] = kept.as_slice()
            && ((a.x == b.x && b.x == point.x) || (a.y == b.y && b.y == point.y))
        {
            kept.pop();
        }
        kept.push(*point);
    }
    kept
}
