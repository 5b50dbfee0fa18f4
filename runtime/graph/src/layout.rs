//! Where everything stands: a layered drawing after Sugiyama, Tagawa and Toda (1981), from the top to the bottom.
//!
//! Arcs that close a cycle are turned around ([`cycles`]), nodes get ranks ([`ranks`]), long arcs are cut into pieces
//! of one rank ([`network`]), each rank is ordered so that few pieces cross ([`order`]), gets its places from left to
//! right so that long arcs are straight ([`place`]), and arcs are drawn with right angles in the gaps between the ranks
//! ([`route`]). So no arc can cross a node: what passes a rank passes it in a column of its own.
//!
//! This module knows sizes, not what is drawn.

mod cycles;
mod network;
mod order;
mod per;
mod place;
mod ranks;
mod route;

#[cfg(test)]
mod tests;

use network::Network;

/// How far something reaches from its centre, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Size {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) height: f64,
}

impl Size {
    /// What is as wide to the left as to the right.
    pub(crate) const fn centred(width: f64, height: f64) -> Self {
        Self { left: width / 2.0, right: width / 2.0, height }
    }

    /// The size of something centred, with the axes swapped.
    pub(crate) fn turned(self) -> Self {
        Self::centred(self.height, self.left + self.right)
    }
}

/// An arc from a node to another, never to itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Arc {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// What stands on it: an index in [`Drawing::pills`]' sizes. Arcs from one node may share one.
    pub(crate) label: Option<usize>,
    /// Whether it is a side way: the main way is kept straight, at its cost.
    pub(crate) minor: bool,
    /// Whether it leads to something small that may stand right below.
    pub(crate) short: bool,
}

impl Arc {
    /// How many ranks it spans at least.
    const fn length(&self) -> usize {
        if self.short && self.label.is_none() { 1 } else { 2 }
    }
}

/// What is to be laid out.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Drawing {
    pub(crate) nodes: Vec<Size>,
    pub(crate) arcs: Vec<Arc>,
    pub(crate) labels: Vec<Size>,
}

/// A point, in pixels, from the top left.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// Where everything stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Layout {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// The centre of each node.
    pub(crate) nodes: Vec<Point>,
    /// Labels and their centres; one may stand in several places.
    pub(crate) pills: Vec<(usize, Point)>,
    /// The corners of each arc, from its first node to its last.
    pub(crate) arcs: Vec<Vec<Point>>,
}

impl Drawing {
    /// Lays it out.
    pub(crate) fn lay_out(&self) -> Layout {
        let reversed = cycles::closing(self);
        let ranks = ranks::of(self, &reversed);
        let mut network = Network::of(self, &reversed, &ranks);
        order::reduce_crossings(&mut network);
        let places = place::columns(&network);
        route::draw(self, &network, &places)
    }
}

impl Layout {
    /// The same with the axes swapped: from left to right.
    pub(crate) fn turned(self) -> Self {
        let swap = |point: &Point| Point { x: point.y, y: point.x };
        Self {
            width: self.height,
            height: self.width,
            nodes: self.nodes.iter().map(swap).collect(),
            pills: self.pills.iter().map(|(label, at)| (*label, swap(at))).collect(),
            arcs: self.arcs.iter().map(|points| points.iter().map(swap).collect()).collect(),
        }
    }
}
