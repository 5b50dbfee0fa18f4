//! In which track of a gap each piece goes across. Pieces that fork from one point or meet in one share a track; others
//! that lie beside each other have tracks of their own, in an order in which few cross and none run over each other.

use std::collections::{BTreeMap, HashMap};

use super::{Piece, Pieces};
use crate::layout::network::Network;

/// Pixels within which two lines would look like one.
const CLOSE: f64 = 6.0;
/// How bad it is if they do, in crossings.
const OVERLAP: usize = 20;
/// How often neighbours are compared; each round is linear.
const ROUNDS_MAX: usize = 40;

/// What goes across together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Share {
    Fork(usize, bool),
    Meet(usize),
    Alone(usize, usize),
}

struct Group {
    pieces: Vec<Piece>,
    left: f64,
    right: f64,
}

/// Gives each piece its track, and says how many there are.
pub(super) fn assign(network: &Network, pieces: &mut Pieces) -> usize {
    let shares = shares(network, pieces);
    let mut groups: BTreeMap<Share, Group> = BTreeMap::new();
    for (key, piece) in pieces.iter().filter(|(_, piece)| !piece.is_straight()) {
        let Some(share) = shares.get(key) else { continue };
        let empty = || Group { pieces: Vec::new(), left: f64::INFINITY, right: f64::NEG_INFINITY };
        let group = groups.entry(*share).or_insert_with(empty);
        group.left = group.left.min(piece.from_x).min(piece.to_x);
        group.right = group.right.max(piece.from_x).max(piece.to_x);
        group.pieces.push(*piece);
    }
    let mut ordered: Vec<_> = groups.into_values().collect();
    order(&mut ordered);
    let mut count = 0;
    let mut placed: Vec<(f64, f64, usize)> = Vec::new();
    for group in &ordered {
        let beside = |other: &&(f64, f64, usize)| other.0 < group.right + CLOSE && group.left < other.1 + CLOSE;
        let track = placed.iter().filter(beside).map(|other| other.2 + 1).max().unwrap_or(0);
        placed.push((group.left, group.right, track));
        count = count.max(track + 1);
        for piece in &group.pieces {
            if let Some(piece) = pieces.get_mut(&(piece.upper, piece.lower, piece.reversed)) {
                piece.track = track;
            }
        }
    }
    count
}

fn shares(network: &Network, pieces: &Pieces) -> HashMap<(usize, usize, bool), Share> {
    let mut leaving: HashMap<usize, usize> = HashMap::new();
    let mut meeting: HashMap<(usize, i64), usize> = HashMap::new();
    // Two ends are one if they are the same to a hundredth of a pixel.
    let place = |piece: &Piece| (piece.lower, (piece.to_x * 100.0) as i64);
    for piece in pieces.values().filter(|piece| !piece.reversed) {
        *leaving.entry(piece.upper).or_default() += 1;
        *meeting.entry(place(piece)).or_default() += 1;
    }
    let share = |piece: &Piece| match piece.reversed {
        true if network.is_bend(piece.upper) => Share::Fork(piece.upper, true),
        true => Share::Alone(piece.upper, piece.lower),
        false if leaving.get(&piece.upper) == Some(&1) && meeting.get(&place(piece)).is_some_and(|n| *n > 1) => {
            Share::Meet(piece.lower)
        }
        false => Share::Fork(piece.upper, false),
    };
    pieces.iter().map(|(key, piece)| (*key, share(piece))).collect()
}

/// Orders the groups from the top: what goes right begins with the rightmost, what goes left with the leftmost, then
/// neighbours are swapped as long as that is better.
fn order(groups: &mut [Group]) {
    let goes_right = |group: &Group| group.pieces.iter().map(|piece| piece.to_x - piece.from_x).sum::<f64>() > 0.0;
    let key = |group: &Group| if goes_right(group) { -group.left } else { group.right };
    groups.sort_by(|a, b| goes_right(a).cmp(&goes_right(b)).then(key(a).total_cmp(&key(b))));
    for _ in 0..ROUNDS_MAX {
        let mut better = false;
        for at in 1..groups.len() {
            if let Some([above, below]) = groups.get(at - 1..=at)
                && cost(below, above) < cost(above, below)
            {
                groups.swap(at - 1, at);
                better = true;
            }
        }
        if !better {
            return;
        }
    }
}

/// How many crossings there are if one group's track lies above another's.
fn cost(above: &Group, below: &Group) -> usize {
    if above.right + CLOSE < below.left || below.right + CLOSE < above.left {
        return 0;
    }
    let inside = |group: &Group, x: f64| group.left < x && x < group.right;
    let down = above.pieces.iter().filter(|piece| inside(below, piece.to_x)).count();
    let up = below.pieces.iter().filter(|piece| inside(above, piece.from_x)).count();
    let over = |piece: &&Piece| below.pieces.iter().any(|other| (other.from_x - piece.to_x).abs() < CLOSE);
    down + up + OVERLAP * above.pieces.iter().filter(over).count()
}
