//! The graph with everything between neighbouring ranks: nodes, what stands on arcs, and bends of long arcs.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::per::Per;
use super::{Drawing, Size};

/// What stands in a rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A node.
    Node(usize),
    /// What stands on an arc.
    Label(usize),
    /// Where an arc passes the rank.
    Bend,
}

/// Something in a rank.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Vertex {
    pub(super) kind: Kind,
    pub(super) size: Size,
}

/// The way of an arc.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Chain {
    /// What it passes, from the top to the bottom, a vertex in each rank.
    pub(super) vertices: Vec<usize>,
    /// Whether the arc leads upwards.
    pub(super) reversed: bool,
}

/// The graph, cut into ranks.
#[derive(Debug, Clone)]
pub(super) struct Network {
    pub(super) vertices: Per<Vertex>,
    /// For each node its vertex.
    pub(super) nodes: Per<usize>,
    /// The vertices of each rank, from left to right.
    pub(super) ranks: Vec<Vec<usize>>,
    /// For each vertex those of the rank above that it is linked to, and of the rank below.
    pub(super) above: Per<Vec<usize>>,
    pub(super) below: Per<Vec<usize>>,
    /// Links that only side ways take.
    pub(super) minor: HashSet<(usize, usize)>,
    /// The way of each arc.
    pub(super) chains: Vec<Chain>,
    count: usize,
}

/// From how many long arcs on, those that lead to one node share their bends: a trunk instead of a curtain.
const SHARED_FROM: usize = 4;

/// Which vertex a piece of an arc can share with others.
#[derive(PartialEq, Eq, Hash)]
enum Shared {
    /// A label below the node that it belongs to.
    Label(usize),
    /// The bend of all arcs to a node, at a rank.
    Bend { to: usize, reversed: bool, rank: usize },
}

impl Network {
    /// Cuts a drawing into ranks.
    pub(super) fn of(drawing: &Drawing, reversed: &[bool], ranks: &Per<usize>) -> Self {
        let blank = Vertex { kind: Kind::Bend, size: Size::default() };
        let mut network = Self {
            vertices: Per::new(blank),
            nodes: Per::default(),
            ranks: Vec::new(),
            above: Per::default(),
            below: Per::default(),
            minor: HashSet::new(),
            chains: Vec::new(),
            count: 0,
        };
        let compact = used_ranks(drawing, reversed, ranks);
        let rank_of = |rank: usize| compact.get(&rank).copied().unwrap_or(0);
        for (node, size) in drawing.nodes.iter().enumerate() {
            let vertex = network.add(rank_of(ranks[node]), Vertex { kind: Kind::Node(node), size: *size });
            network.nodes[node] = vertex;
        }
        let shares = sharing(drawing, reversed, ranks);
        let mut shared = HashMap::new();
        for (arc, reversed) in drawing.arcs.iter().zip(reversed) {
            let (upper, lower) = if *reversed { (arc.to, arc.from) } else { (arc.from, arc.to) };
            let label_rank = if *reversed { ranks[lower].saturating_sub(1) } else { ranks[upper] + 1 };
            let mut vertices = vec![network.nodes[upper]];
            for rank in rank_of(ranks[upper]) + 1..rank_of(ranks[lower]) {
                let label = arc.label.filter(|_| rank == rank_of(label_rank));
                let (key, vertex) = match label {
                    Some(label) => {
                        let size = drawing.labels.get(label).copied().unwrap_or_default();
                        ((!reversed).then_some(Shared::Label(label)), Vertex { kind: Kind::Label(label), size })
                    }
                    None => {
                        let key = Shared::Bend { to: arc.to, reversed: *reversed, rank };
                        (shares[arc.to].then_some(key), blank)
                    }
                };
                vertices.push(match key {
                    Some(key) => *shared.entry(key).or_insert_with(|| network.add(rank, vertex)),
                    None => network.add(rank, vertex),
                });
            }
            vertices.push(network.nodes[lower]);
            network.link(&vertices, arc.minor);
            network.chains.push(Chain { vertices, reversed: *reversed });
        }
        network
    }

    fn add(&mut self, rank: usize, vertex: Vertex) -> usize {
        let index = self.count;
        self.count += 1;
        self.vertices[index] = vertex;
        while self.ranks.len() <= rank {
            self.ranks.push(Vec::new());
        }
        self.ranks.iter_mut().skip(rank).take(1).for_each(|rank| rank.push(index));
        index
    }

    fn link(&mut self, chain: &[usize], minor: bool) {
        for (&upper, &lower) in chain.iter().zip(chain.iter().skip(1)) {
            if !self.below[upper].contains(&lower) {
                self.below[upper].push(lower);
                self.above[lower].push(upper);
                if minor {
                    self.minor.insert((upper, lower));
                }
            }
            if !minor {
                self.minor.remove(&(upper, lower));
            }
        }
    }

    /// The neighbours of a vertex that lie on main ways; all of them, if there are none.
    pub(super) fn main_neighbours(&self, vertex: usize, below: bool) -> Vec<usize> {
        let all = if below { &self.below[vertex] } else { &self.above[vertex] };
        let pair = |other: usize| if below { (vertex, other) } else { (other, vertex) };
        let main: Vec<_> = all.iter().copied().filter(|other| !self.minor.contains(&pair(*other))).collect();
        if main.is_empty() { all.clone() } else { main }
    }

    /// How many vertices there are.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// Where each vertex stands in its rank.
    pub(super) fn positions(&self) -> Per<usize> {
        let mut positions = Per::default();
        for rank in &self.ranks {
            for (at, &vertex) in rank.iter().enumerate() {
                positions[vertex] = at;
            }
        }
        positions
    }

    /// Whether a vertex is a bend.
    pub(super) fn is_bend(&self, vertex: usize) -> bool {
        self.vertices[vertex].kind == Kind::Bend
    }
}

/// New numbers for the ranks on which something stands, so that none is empty.
fn used_ranks(drawing: &Drawing, reversed: &[bool], ranks: &Per<usize>) -> BTreeMap<usize, usize> {
    let mut used: BTreeSet<_> = (0..drawing.nodes.len()).map(|node| ranks[node]).collect();
    for (arc, reversed) in drawing.arcs.iter().zip(reversed) {
        if arc.label.is_some() {
            // Beside the node that decides: below it, or above it if the arc leads up.
            used.insert(if *reversed { ranks[arc.from].saturating_sub(1) } else { ranks[arc.from] + 1 });
        }
    }
    used.into_iter().enumerate().map(|(new, old)| (old, new)).collect()
}

/// For each node whether the long arcs that lead to it share their bends.
fn sharing(drawing: &Drawing, reversed: &[bool], ranks: &Per<usize>) -> Per<bool> {
    let mut long: Per<usize> = Per::default();
    let mut shares = Per::default();
    for (arc, _) in drawing.arcs.iter().zip(reversed) {
        if ranks[arc.from].abs_diff(ranks[arc.to]) > 2 {
            long[arc.to] += 1;
            shares[arc.to] = long[arc.to] >= SHARED_FROM;
        }
    }
    shares
}
