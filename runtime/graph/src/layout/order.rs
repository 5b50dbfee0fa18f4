//! The order in each rank: weighted medians and swaps of neighbours (Gansner and others, 1993), the best order kept.

use super::network::Network;
use super::per::Per;

/// How many links a run of the search may look at, over all its rounds: keeps the effort linear in large graphs.
const LINKS_LOOKED_AT_MAX: usize = 400_000;

/// The most rounds; more have never made a picture better.
const ROUNDS_MAX: usize = 24;

/// Orders the ranks so that few links cross.
pub(super) fn reduce_crossings(network: &mut Network) {
    start(network);
    let links: usize = (0..network.count()).map(|vertex| network.below[vertex].len()).sum();
    let rounds = (LINKS_LOOKED_AT_MAX / (links + 1)).clamp(2, ROUNDS_MAX);
    let mut best = (crossings(network), network.ranks.clone());
    for round in 0..rounds {
        if best.0 == 0 {
            break;
        }
        sweep(network, round % 2 == 0);
        transpose(network);
        let now = crossings(network);
        if now < best.0 {
            best = (now, network.ranks.clone());
        }
    }
    network.ranks = best.1;
}

/// The first order: as a search in depth from the top finds them, which draws a tree without crossings.
fn start(network: &mut Network) {
    let mut found: Per<usize> = Per::new(usize::MAX);
    let mut next = 0;
    let roots: Vec<_> = network.ranks.iter().flatten().copied().collect();
    for root in roots {
        let mut open = vec![root];
        while let Some(vertex) = open.pop() {
            if found[vertex] == usize::MAX {
                found[vertex] = next;
                next += 1;
                open.extend(network.below[vertex].iter().rev());
            }
        }
    }
    for rank in &mut network.ranks {
        rank.sort_by_key(|vertex| found[*vertex]);
    }
}

/// Orders each rank by the medians of the rank before it, downwards or upwards.
fn sweep(network: &mut Network, down: bool) {
    let mut positions = network.positions();
    let count = network.ranks.len();
    for step in 0..count {
        let at = if down { step } else { count - 1 - step };
        let neighbours = if down { &network.above } else { &network.below };
        let Some(rank) = network.ranks.get_mut(at) else { continue };
        let medians: Vec<_> = rank.iter().map(|vertex| median(&neighbours[*vertex], &positions)).collect();
        // What has no neighbours keeps its place; the others are sorted into the places that are left.
        let mut free: Vec<_> = rank.iter().zip(&medians).filter_map(|(v, m)| m.map(|m| (m, *v))).collect();
        free.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut free = free.into_iter();
        for (slot, median) in rank.iter_mut().zip(&medians) {
            if median.is_some()
                && let Some((_, vertex)) = free.next()
            {
                *slot = vertex;
            }
        }
        for (at, &vertex) in rank.iter().enumerate() {
            positions[vertex] = at;
        }
    }
}

/// The weighted median of the neighbours' positions.
#[allow(clippy::cast_precision_loss, reason = "positions in a rank are small")]
fn median(neighbours: &[usize], positions: &Per<usize>) -> Option<f64> {
    let mut at: Vec<f64> = neighbours.iter().map(|vertex| positions[*vertex] as f64).collect();
    at.sort_by(f64::total_cmp);
    let (first, last) = (*at.first()?, *at.last()?);
    let middle = at.len() / 2;
    let upper = *at.get(middle)?;
    let Some(&lower) = middle.checked_sub(1).and_then(|below| at.get(below)) else { return Some(upper) };
    Some(match at.len() {
        odd if odd % 2 == 1 => upper,
        2 => f64::midpoint(lower, upper),
        _ if (lower - first) + (last - upper) == 0.0 => f64::midpoint(lower, upper),
        _ => {
            let (left, right) = (lower - first, last - upper);
            (lower * right + upper * left) / (left + right)
        }
    })
}

/// Swaps neighbours in each rank as long as that saves crossings.
fn transpose(network: &mut Network) {
    let mut positions = network.positions();
    let mut ranks = std::mem::take(&mut network.ranks);
    for _ in 0..ROUNDS_MAX {
        let mut better = false;
        for rank in &mut ranks {
            for at in 1..rank.len() {
                let (Some(&left), Some(&right)) = (rank.get(at - 1), rank.get(at)) else { continue };
                let crossed = |a: usize, b: usize| {
                    pair_crossings(&network.above[a], &network.above[b], &positions)
                        + pair_crossings(&network.below[a], &network.below[b], &positions)
                };
                if crossed(right, left) < crossed(left, right) {
                    rank.swap(at - 1, at);
                    positions[left] = at;
                    positions[right] = at - 1;
                    better = true;
                }
            }
        }
        if !better {
            break;
        }
    }
    network.ranks = ranks;
}

/// How many links of two neighbours in a rank cross.
fn pair_crossings(left: &[usize], right: &[usize], positions: &Per<usize>) -> usize {
    let crossed = |a: &usize| right.iter().filter(|b| positions[**b] < positions[*a]).count();
    left.iter().map(crossed).sum()
}

/// How many links cross, in all ranks.
pub(super) fn crossings(network: &Network) -> usize {
    let positions = network.positions();
    network.ranks.iter().map(|rank| rank_crossings(network, rank, &positions)).sum()
}

/// How many links below a rank cross, counted in a tree of sums (Barth, Mutzel and Jünger, 2002).
fn rank_crossings(network: &Network, rank: &[usize], positions: &Per<usize>) -> usize {
    let mut ends = Vec::new();
    for &vertex in rank {
        let mut of_vertex: Vec<_> = network.below[vertex].iter().map(|lower| positions[*lower]).collect();
        of_vertex.sort_unstable();
        ends.extend(of_vertex);
    }
    let size = ends.iter().max().map_or(0, |last| last + 1);
    let mut sums: Per<usize> = Per::default();
    let mut crossings = 0;
    for (seen, &end) in ends.iter().enumerate() {
        let mut not_right = 0;
        let mut at = end + 1;
        while at > 0 {
            not_right += sums[at];
            at &= at - 1;
        }
        crossings += seen - not_right;
        at = end + 1;
        while at <= size {
            sums[at] += 1;
            at += at & at.wrapping_neg();
        }
    }
    crossings
}
