//! Where pieces leave and reach what they link.

use std::collections::BTreeMap;

use super::{Piece, Pieces};
use crate::layout::network::{Kind, Network};
use crate::layout::per::Per;

/// Pixels between two ports of a node.
const PORT: f64 = 14.0;
/// How far from its middle, in pixels, a node is reached if that keeps a piece straight.
const SLACK: f64 = 26.0;
/// From how many pieces on, those that reach a node do so at one point.
const MERGED_FROM: usize = 4;

/// Gives each piece of a gap its two ends.
pub(super) fn assign(network: &Network, columns: &Per<f64>, pieces: &mut Pieces) {
    for piece in pieces.values_mut() {
        piece.from_x = columns[piece.upper];
        piece.to_x = columns[piece.lower];
    }
    let mut leaving: BTreeMap<usize, Vec<(usize, usize, bool)>> = BTreeMap::new();
    let mut reaching: BTreeMap<usize, Vec<(usize, usize, bool)>> = BTreeMap::new();
    for key in pieces.keys() {
        leaving.entry(key.0).or_default().push(*key);
        reaching.entry(key.1).or_default().push(*key);
    }
    for (vertex, keys) in &leaving {
        leave(network, *vertex, columns[*vertex], keys, pieces);
    }
    for (vertex, keys) in &reaching {
        reach(network, *vertex, columns[*vertex], keys, pieces);
    }
}

/// How far from its middle a vertex can be reached.
fn room(network: &Network, vertex: usize) -> f64 {
    match network.vertices[vertex].kind {
        Kind::Bend => 0.0,
        Kind::Label(_) | Kind::Node(_) => (network.vertices[vertex].size.left - 10.0).max(0.0),
    }
}

/// The lower edge: everything that leads down begins in the middle; what leads up ends beside it.
fn leave(network: &Network, vertex: usize, middle: f64, keys: &[(usize, usize, bool)], pieces: &mut Pieces) {
    if let [key] = keys {
        let slack = SLACK.min(room(network, vertex));
        if let Some(piece) = pieces.get_mut(key)
            && (piece.to_x - middle).abs() <= slack
            && room(network, piece.lower) == 0.0
        {
            piece.from_x = piece.to_x;
        }
        return;
    }
    let (up, down): (Vec<_>, Vec<_>) = keys.iter().copied().partition(|key| key.2);
    let goals: Vec<_> = down.iter().filter_map(|key| pieces.get(key)).map(|piece| piece.to_x).collect();
    // What leads up stands on the other side of what leads down, so that they need not cross.
    let divide = if goals.is_empty() { middle } else { goals.iter().sum::<f64>() / goals.len() as f64 };
    spread(&Edge { room: room(network, vertex), middle, divide, taken: true }, &up, pieces, lower_end);
}

/// The upper edge: one place each, but one for all if they are many.
fn reach(network: &Network, vertex: usize, middle: f64, keys: &[(usize, usize, bool)], pieces: &mut Pieces) {
    let (up, down): (Vec<_>, Vec<_>) = keys.iter().copied().partition(|key| key.2);
    let edge = Edge { room: room(network, vertex), middle, divide: middle, taken: false };
    if down.len() >= MERGED_FROM {
        spread(&Edge { taken: true, ..edge }, &up, pieces, upper_end);
    } else {
        spread(&edge, keys, pieces, upper_end);
    }
}

/// Where a piece comes from, and where it reaches the vertex below.
const fn upper_end(piece: &mut Piece) -> (f64, &mut f64) {
    (piece.from_x, &mut piece.to_x)
}

/// Where a piece goes, and where it leaves the vertex above.
const fn lower_end(piece: &mut Piece) -> (f64, &mut f64) {
    (piece.to_x, &mut piece.from_x)
}

/// The upper or the lower edge of a vertex.
#[derive(Clone, Copy)]
struct Edge {
    /// How far from its middle it can be reached.
    room: f64,
    middle: f64,
    /// What comes from the left of this stands on the left.
    divide: f64,
    /// Whether the middle is taken already.
    taken: bool,
}

/// The ends of a piece: the other one, and the one that is to be set.
type Ends = fn(&mut Piece) -> (f64, &mut f64);

/// Spreads ends over an edge in the order of where they come from.
fn spread(edge: &Edge, keys: &[(usize, usize, bool)], pieces: &mut Pieces, ends: Ends) {
    let Edge { room, middle, divide, taken } = *edge;
    if room == 0.0 {
        return;
    }
    let mut others: Vec<_> = keys.iter().filter_map(|key| pieces.get_mut(key).map(|p| (ends(p).0, *key))).collect();
    others.sort_by(|a, b| a.0.total_cmp(&b.0));
    let slack = SLACK.min(room);
    let straight = |x: f64| !taken && (x - middle).abs() <= slack;
    let (mut left, mut right) = (middle, middle);
    let mut set = |key: &(usize, usize, bool), x: f64| {
        if let Some(piece) = pieces.get_mut(key) {
            *ends(piece).1 = x;
        }
    };
    let mut any = taken;
    for (x, key) in others.iter().filter(|(x, _)| straight(*x)) {
        set(key, *x);
        (left, right, any) = (left.min(*x), right.max(*x), true);
    }
    if !any && others.len() == 1 {
        return;
    }
    let first = if any { PORT } else { PORT / 2.0 };
    let side = |at: &dyn Fn(f64) -> bool| others.iter().filter(|(x, _)| !straight(*x) && at(*x)).collect::<Vec<_>>();
    let lefts = side(&|x| x < divide);
    let rights = side(&|x| x >= divide);
    let step = |from: f64, count: usize| PORT.min((room - from).max(0.0) / (count.max(1) as f64));
    let (left_step, right_step) = (step(middle - left, lefts.len()), step(right - middle, rights.len()));
    for (index, (_, key)) in lefts.iter().rev().enumerate() {
        set(key, left - first.min(left_step) - left_step * index as f64);
    }
    for (index, (_, key)) in rights.iter().enumerate() {
        set(key, right + first.min(right_step) + right_step * index as f64);
    }
}
