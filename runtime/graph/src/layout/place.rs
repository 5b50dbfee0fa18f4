//! The place of each vertex from left to right, after Brandes and Köpf (2001): four drawings, each with as many vertical
//! links as an order allows, balanced. Bends that follow each other stand in one column.

mod relax;

use std::collections::HashSet;

use super::network::{Kind, Network};
use super::per::Per;

/// Pixels between two nodes, and between a bend and whatever is beside it.
const GAP: f64 = 32.0;
const BEND_GAP: f64 = 18.0;

/// The place of each vertex's centre.
pub(super) fn columns(network: &Network) -> Per<f64> {
    let positions = network.positions();
    let conflicts = conflicts(network, &positions);
    let mut drawings = Vec::new();
    for down in [true, false] {
        for right in [false, true] {
            let view = View::of(network, &positions, down, right);
            let blocks = view.align(network, &conflicts);
            drawings.push((right, view.compact(network, &blocks)));
        }
    }
    let balanced = balance(network, &drawings);
    if extent(network, &balanced) > WASTE_MAX * width_min(network) { relaxed(network) } else { balanced }
}

/// The places without a care for straight lines.
pub(super) fn relaxed(network: &Network) -> Per<f64> {
    relax::columns(network)
}

/// How much wider than its widest rank a picture may get for the sake of straight lines.
const WASTE_MAX: f64 = 1.7;

/// How wide a picture is.
fn extent(network: &Network, places: &Per<f64>) -> f64 {
    let (left, right) = borders(network, places);
    right - left
}

fn borders(network: &Network, places: &Per<f64>) -> (f64, f64) {
    let of = |vertex: usize| (places[vertex], network.vertices[vertex].size);
    let left = (0..network.count()).map(|v| of(v).0 - of(v).1.left).fold(f64::INFINITY, f64::min);
    let right = (0..network.count()).map(|v| of(v).0 + of(v).1.right).fold(f64::NEG_INFINITY, f64::max);
    (left, right)
}

/// How wide the widest rank is at least.
fn width_min(network: &Network) -> f64 {
    let of_rank = |rank: &Vec<usize>| {
        let gaps: f64 =
            rank.iter().zip(rank.iter().skip(1)).map(|(left, right)| distance(network, *left, *right)).sum();
        let ends = rank.first().map(|v| network.vertices[*v].size.left).unwrap_or_default()
            + rank.last().map(|v| network.vertices[*v].size.right).unwrap_or_default();
        gaps + ends
    };
    network.ranks.iter().map(of_rank).fold(0.0, f64::max)
}

/// The network as one of the four drawings sees it: perhaps upside down, perhaps mirrored.
struct View {
    ranks: Vec<Vec<usize>>,
    positions: Per<usize>,
    mirrored: bool,
    upside_down: bool,
}

impl View {
    fn of(network: &Network, positions: &Per<usize>, down: bool, mirrored: bool) -> Self {
        let mut ranks = network.ranks.clone();
        let mut positions = positions.clone();
        if !down {
            ranks.reverse();
        }
        if mirrored {
            for rank in &mut ranks {
                rank.reverse();
                for (at, &vertex) in rank.iter().enumerate() {
                    positions[vertex] = at;
                }
            }
        }
        Self { ranks, positions, mirrored, upside_down: !down }
    }

    /// For each vertex the first of the column that it belongs to.
    fn align(&self, network: &Network, conflicts: &HashSet<(usize, usize)>) -> Per<usize> {
        let mut first: Per<usize> = Per::default();
        for vertex in 0..network.count() {
            first[vertex] = vertex;
        }
        for rank in &self.ranks {
            let mut left_of = None;
            for &vertex in rank {
                let neighbours = network.main_neighbours(vertex, self.upside_down);
                for neighbour in medians(&neighbours, &self.positions) {
                    let at = self.positions[neighbour];
                    let free = left_of.is_none_or(|left_of| left_of < at);
                    let pair = if self.upside_down { (vertex, neighbour) } else { (neighbour, vertex) };
                    if first[vertex] == vertex && free && !conflicts.contains(&pair) {
                        first[vertex] = first[neighbour];
                        left_of = Some(at);
                    }
                }
            }
        }
        first
    }

    /// Puts the columns as far left as they go, then each as far right as that leaves it room.
    fn compact(&self, network: &Network, first: &Per<usize>) -> Per<f64> {
        let mut after: Per<Vec<(usize, f64)>> = Per::default();
        let mut before: Per<usize> = Per::default();
        for rank in &self.ranks {
            for (&left, &right) in rank.iter().zip(rank.iter().skip(1)) {
                after[first[left]].push((first[right], self.distance(network, left, right)));
                before[first[right]] += 1;
            }
        }
        let mut open: Vec<_> = (0..network.count()).filter(|v| first[*v] == *v && before[*v] == 0).collect();
        let mut place: Per<f64> = Per::default();
        let mut order = Vec::new();
        while let Some(column) = open.pop() {
            order.push(column);
            for &(next, distance) in &after[column] {
                place[next] = place[next].max(place[column] + distance);
                before[next] -= 1;
                if before[next] == 0 {
                    open.push(next);
                }
            }
        }
        for &column in order.iter().rev() {
            let room = after[column].iter().map(|(next, distance)| place[*next] - distance).reduce(f64::min);
            if let Some(room) = room {
                place[column] = place[column].max(room);
            }
        }
        let mut places: Per<f64> = Per::default();
        for vertex in 0..network.count() {
            let x = place[first[vertex]];
            places[vertex] = if self.mirrored { -x } else { x };
        }
        places
    }

    /// How far apart the centres of two neighbours are at least.
    fn distance(&self, network: &Network, left: usize, right: usize) -> f64 {
        if self.mirrored { distance(network, right, left) } else { distance(network, left, right) }
    }
}

/// How far apart the centres of two neighbours are at least.
fn distance(network: &Network, left: usize, right: usize) -> f64 {
    let (left, right) = (network.vertices[left], network.vertices[right]);
    let bend = left.kind == Kind::Bend || right.kind == Kind::Bend;
    left.size.right + right.size.left + if bend { BEND_GAP } else { GAP }
}

/// The one or two neighbours in the middle, from the left.
fn medians(neighbours: &[usize], positions: &Per<usize>) -> Vec<usize> {
    let mut sorted = neighbours.to_vec();
    sorted.sort_by_key(|vertex| positions[*vertex]);
    let skipped = sorted.len().saturating_sub(1) / 2;
    let taken = if sorted.len().is_multiple_of(2) { 2 } else { 1 };
    sorted.into_iter().skip(skipped).take(taken).collect()
}

/// Links that cross a link between two bends: that one is kept straight.
fn conflicts(network: &Network, positions: &Per<usize>) -> HashSet<(usize, usize)> {
    let mut conflicts = HashSet::new();
    for (upper, lower) in network.ranks.iter().zip(network.ranks.iter().skip(1)) {
        let mut from = 0;
        let mut passed = Vec::new();
        for (at, &vertex) in lower.iter().enumerate() {
            passed.push(vertex);
            let inner = network.above[vertex].iter().find(|above| network.is_bend(**above) && network.is_bend(vertex));
            if inner.is_none() && at + 1 < lower.len() {
                continue;
            }
            let to = inner.map_or(upper.len(), |above| positions[*above]);
            for lower in passed.drain(..) {
                for &above in &network.above[lower] {
                    let outside = positions[above] < from || positions[above] > to;
                    if outside && !(network.is_bend(above) && network.is_bend(lower)) {
                        conflicts.insert((above, lower));
                    }
                }
            }
            from = to;
        }
    }
    conflicts
}

/// The mean of the two middle places of the four drawings, each moved to the narrowest of them.
fn balance(network: &Network, drawings: &[(bool, Per<f64>)]) -> Per<f64> {
    let extents: Vec<_> = drawings.iter().map(|(_, places)| borders(network, places)).collect();
    let narrowest = extents.iter().copied().min_by(|a, b| (a.1 - a.0).total_cmp(&(b.1 - b.0))).unwrap_or((0.0, 0.0));
    let moves: Vec<_> = drawings
        .iter()
        .zip(&extents)
        .map(|((right, _), (from, to))| if *right { narrowest.1 - to } else { narrowest.0 - from })
        .collect();
    let mut balanced: Per<f64> = Per::default();
    for vertex in 0..network.count() {
        let mut four: Vec<_> = drawings.iter().zip(&moves).map(|((_, places), by)| places[vertex] + by).collect();
        four.sort_by(f64::total_cmp);
        balanced[vertex] = four.iter().skip(1).take(2).sum::<f64>() / 2.0;
    }
    balanced
}
