//! Places for large graphs, where straight lines would cost too much room: links are springs.
//!
//! The energy is a sum of squares and the neighbours of a rank keep their distances, so placing one rank after the other
//! as well as possible (isotonic regression by pooling neighbours) approaches the best places of all.

use super::super::network::Network;
use super::super::per::Per;
use super::distance;

/// How many times every rank is placed.
const ROUNDS: usize = 60;

/// How strong a link is: between bends, of a main way, of a side way.
const BENDS: f64 = 6.0;
const MAIN: f64 = 2.0;
const MINOR: f64 = 0.5;

/// The place of each vertex's centre.
pub(super) fn columns(network: &Network) -> Per<f64> {
    let mut places = packed(network);
    let count = network.ranks.len();
    for round in 0..ROUNDS {
        for step in 0..count {
            let at = if round % 2 == 0 { step } else { count - 1 - step };
            if let Some(rank) = network.ranks.get(at) {
                place(network, rank, &mut places);
            }
        }
    }
    straighten(network, &mut places);
    places
}

/// Every rank as narrow as it can be, all around one line.
fn packed(network: &Network) -> Per<f64> {
    let mut places: Per<f64> = Per::default();
    for rank in &network.ranks {
        for (&left, &right) in rank.iter().zip(rank.iter().skip(1)) {
            places[right] = places[left] + distance(network, left, right);
        }
        let half = rank.last().map_or(0.0, |last| places[*last] / 2.0);
        rank.iter().for_each(|vertex| places[*vertex] -= half);
    }
    places
}

/// Vertices that touch each other, and stand where all of them together want to be.
struct Pool {
    wanted: f64,
    weight: f64,
    count: usize,
}

/// Places a rank as near to where its links pull as the distances allow.
fn place(network: &Network, rank: &[usize], places: &mut Per<f64>) {
    let mut offset = 0.0;
    let mut offsets = Vec::with_capacity(rank.len());
    let mut pools: Vec<Pool> = Vec::new();
    let mut before = None;
    for &vertex in rank {
        offset += before.map_or(0.0, |before| distance(network, before, vertex));
        before = Some(vertex);
        offsets.push(offset);
        let (wanted, weight) = pull(network, vertex, places);
        let mut pool = Pool { wanted: wanted - offset, weight, count: 1 };
        while let Some(last) = pools.pop_if(|last| last.wanted > pool.wanted) {
            let weight = last.weight + pool.weight;
            pool = Pool {
                wanted: (last.wanted * last.weight + pool.wanted * pool.weight) / weight,
                weight,
                count: last.count + pool.count,
            };
        }
        pools.push(pool);
    }
    let all = pools.iter().flat_map(|pool| std::iter::repeat_n(pool.wanted, pool.count));
    for ((&vertex, offset), at) in rank.iter().zip(offsets).zip(all) {
        places[vertex] = at + offset;
    }
}

/// Where the links of a vertex pull it, and how strongly.
fn pull(network: &Network, vertex: usize, places: &Per<f64>) -> (f64, f64) {
    // What nothing pulls stays, but gives way.
    let (mut sum, mut weight) = (places[vertex] * 0.01, 0.01);
    let above = network.above[vertex].iter().map(|other| (*other, (*other, vertex)));
    let below = network.below[vertex].iter().map(|other| (*other, (vertex, *other)));
    for (other, link) in above.chain(below) {
        let strength = match network.is_bend(vertex) && network.is_bend(other) {
            true => BENDS,
            false if network.minor.contains(&link) => MINOR,
            false => MAIN,
        };
        sum += places[other] * strength;
        weight += strength;
    }
    (sum / weight, weight)
}

/// Puts bends that follow each other into one column, as far as one is free; the longest arcs choose first.
fn straighten(network: &Network, places: &mut Per<f64>) {
    let mut room: Per<(Option<usize>, Option<usize>)> = Per::default();
    for rank in &network.ranks {
        for (&left, &right) in rank.iter().zip(rank.iter().skip(1)) {
            room[left].1 = Some(right);
            room[right].0 = Some(left);
        }
    }
    let mut columns: Vec<Vec<usize>> = network.chains.iter().map(|chain| passing(network, &chain.vertices)).collect();
    columns.sort_by_key(|column| std::cmp::Reverse(column.len()));
    // What shares bends with an arc that is straight already stays.
    let mut settled: Per<bool> = Per::default();
    for column in &columns {
        let mut run: Vec<usize> = Vec::new();
        let (mut from, mut to) = (f64::NEG_INFINITY, f64::INFINITY);
        for &vertex in column.iter().filter(|vertex| !settled[**vertex]) {
            let (left, right) = room[vertex];
            let left = left.map_or(f64::NEG_INFINITY, |left| places[left] + distance(network, left, vertex));
            let right = right.map_or(f64::INFINITY, |right| places[right] - distance(network, vertex, right));
            if from.max(left) > to.min(right) {
                settle(&run, from, to, places);
                run.clear();
                (from, to) = (f64::NEG_INFINITY, f64::INFINITY);
            }
            (from, to) = (from.max(left), to.min(right));
            run.push(vertex);
        }
        settle(&run, from, to, places);
        column.iter().for_each(|vertex| settled[*vertex] = true);
    }
}

/// Puts vertices into one column between two places.
fn settle(run: &[usize], from: f64, to: f64, places: &mut Per<f64>) {
    // Distances are kept only up to rounding, so a vertex between two that touch it has no room at all.
    if run.len() < 2 || from > to {
        return;
    }
    let mean = run.iter().map(|vertex| places[*vertex]).sum::<f64>() / run.len() as f64;
    let at = mean.clamp(from, to);
    run.iter().for_each(|vertex| places[*vertex] = at);
}

/// What lies on the way of an arc between its two nodes.
fn passing(network: &Network, chain: &[usize]) -> Vec<usize> {
    let single = |vertex: &usize| network.above[*vertex].len() <= 1 && network.below[*vertex].len() <= 1;
    let between = chain.iter().skip(1).take(chain.len().saturating_sub(2)).copied();
    between.filter(|vertex| network.is_bend(*vertex) || single(vertex)).collect()
}
