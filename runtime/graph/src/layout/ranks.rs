//! The rank of each node: every arc leads down, and arcs are short.

use std::collections::VecDeque;

use super::Drawing;
use super::per::Per;

/// The rank of each node. Tasks stand on even ranks; the odd ones are for what stands on arcs, and for small things.
pub(super) fn of(drawing: &Drawing, reversed: &[bool]) -> Per<usize> {
    let mut below: Per<Vec<(usize, usize)>> = Per::default();
    let mut above: Per<Vec<(usize, usize)>> = Per::default();
    for (arc, reversed) in drawing.arcs.iter().zip(reversed) {
        let (upper, lower) = if *reversed { (arc.to, arc.from) } else { (arc.from, arc.to) };
        below[upper].push((lower, arc.length()));
        above[lower].push((upper, arc.length()));
    }
    let order = downwards(drawing.nodes.len(), &above, &below);
    let mut ranks: Per<usize> = Per::default();
    for &node in &order {
        ranks[node] = above[node].iter().map(|(upper, length)| ranks[*upper] + length).max().unwrap_or(0);
    }
    // What has more arcs down than up is nearer to where these lead. The first nodes stay at the top: they begin first.
    for &node in order.iter().rev() {
        let free = below[node].iter().map(|(lower, length)| ranks[*lower].saturating_sub(*length)).min();
        if let Some(lowest) = free.filter(|_| !above[node].is_empty() && below[node].len() > above[node].len()) {
            ranks[node] = ranks[node].max(lowest);
        }
    }
    ranks
}

/// The nodes, each after those above it.
fn downwards(nodes: usize, above: &Per<Vec<(usize, usize)>>, below: &Per<Vec<(usize, usize)>>) -> Vec<usize> {
    let mut missing: Per<usize> = Per::default();
    for node in 0..nodes {
        missing[node] = above[node].len();
    }
    let mut open: VecDeque<_> = (0..nodes).filter(|node| missing[*node] == 0).collect();
    let mut order = Vec::with_capacity(nodes);
    while let Some(node) = open.pop_front() {
        order.push(node);
        for &(lower, _) in &below[node] {
            missing[lower] -= 1;
            if missing[lower] == 0 {
                open.push_back(lower);
            }
        }
    }
    order
}
