//! What must hold of every drawing.

use proptest::prelude::*;

use super::*;

/// A box around the centre of a node.
fn bounds(size: Size, at: Point) -> (f64, f64, f64, f64) {
    (at.x - size.left, at.x + size.right, at.y - size.height / 2.0, at.y + size.height / 2.0)
}

fn overlap(a: (f64, f64, f64, f64), b: (f64, f64, f64, f64)) -> bool {
    a.0 < b.1 - 0.01 && b.0 < a.1 - 0.01 && a.2 < b.3 - 0.01 && b.2 < a.3 - 0.01
}

/// Whether a point lies on the upper or lower side of a box.
fn on_side(point: Point, (left, right, top, bottom): (f64, f64, f64, f64)) -> bool {
    let across = left - 0.01 <= point.x && point.x <= right + 0.01;
    across && ((point.y - top).abs() < 0.01 || (point.y - bottom).abs() < 0.01)
}

fn check(drawing: &Drawing) {
    let layout = drawing.lay_out();
    let nodes: Vec<_> = drawing.nodes.iter().zip(&layout.nodes).map(|(size, at)| bounds(*size, *at)).collect();
    let pills: Vec<_> = layout.pills.iter().map(|(label, at)| bounds(drawing.labels[*label], *at)).collect();
    let boxes: Vec<_> = nodes.iter().chain(&pills).copied().collect();
    for (index, one) in boxes.iter().enumerate() {
        assert!(one.0 >= -0.01 && one.2 >= -0.01 && one.1 <= layout.width + 0.01 && one.3 <= layout.height + 0.01);
        for other in &boxes[index + 1..] {
            assert!(!overlap(*one, *other), "{one:?} and {other:?} overlap");
        }
    }
    assert_eq!(layout.arcs.len(), drawing.arcs.len());
    for (arc, points) in drawing.arcs.iter().zip(&layout.arcs) {
        assert!(points.iter().all(|point| point.x.is_finite() && point.y.is_finite()));
        assert!(on_side(points[0], nodes[arc.from]), "{arc:?} begins at {:?}", points[0]);
        assert!(on_side(points[points.len() - 1], nodes[arc.to]), "{arc:?} ends at {:?}", points[points.len() - 1]);
        for piece in points.windows(2) {
            let line = (
                piece[0].x.min(piece[1].x),
                piece[0].x.max(piece[1].x),
                piece[0].y.min(piece[1].y),
                piece[0].y.max(piece[1].y),
            );
            let straight = piece[0].x == piece[1].x || piece[0].y == piece[1].y;
            assert!(straight, "{piece:?} is aslant");
            let inside =
                |bounds: &&(f64, f64, f64, f64)| overlap((line.0 - 0.1, line.1 + 0.1, line.2, line.3), **bounds);
            assert!(nodes.iter().find(inside).is_none(), "{arc:?} crosses a node at {piece:?}");
        }
    }
}

fn drawings(nodes_max: usize) -> impl Strategy<Value = Drawing> {
    (1..=nodes_max).prop_flat_map(|count| {
        let size = (20.0..120.0_f64, 0.0..60.0_f64, 20.0..90.0_f64);
        let size = size.prop_map(|(half, more, height)| Size { left: half, right: half + more, height });
        let label = (30.0..200.0_f64).prop_map(|width| Size::centred(width, 20.0));
        let arc = (0..count, 0..count, proptest::option::of(0..3_usize), any::<bool>());
        (
            proptest::collection::vec(size, count),
            proptest::collection::vec(label, count * 3),
            proptest::collection::vec(arc, 0..count * 3),
        )
            .prop_map(|(nodes, labels, arcs)| Drawing {
                nodes,
                labels,
                // A label belongs to one node.
                arcs: arcs
                    .into_iter()
                    .filter(|(from, to, ..)| from != to)
                    .map(|(from, to, label, minor)| Arc {
                        from,
                        to,
                        label: label.map(|label| from * 3 + label),
                        minor,
                        short: false,
                    })
                    .collect(),
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_overlaps_and_every_arc_runs_from_its_node_to_its_node(drawing in drawings(25)) {
        check(&drawing);
    }

    #[test]
    fn springs_keep_the_distances_too(drawing in drawings(20)) {
        let reversed = cycles::closing(&drawing);
        let mut network = Network::of(&drawing, &reversed, &ranks::of(&drawing, &reversed));
        order::reduce_crossings(&mut network);
        let places = place::relaxed(&network);
        for rank in &network.ranks {
            for pair in rank.windows(2) {
                let (left, right) = (network.vertices[pair[0]].size, network.vertices[pair[1]].size);
                prop_assert!(places[pair[0]] + left.right < places[pair[1]] - right.left);
            }
        }
    }
}

fn boxes(count: usize) -> Vec<Size> {
    vec![Size::centred(100.0, 40.0); count]
}

fn arcs(pairs: &[(usize, usize)]) -> Vec<Arc> {
    pairs.iter().map(|&(from, to)| Arc { from, to, label: None, minor: false, short: false }).collect()
}

#[test]
fn a_chain_is_one_straight_line() {
    let drawing = Drawing { nodes: boxes(5), arcs: arcs(&[(0, 1), (1, 2), (2, 3), (3, 4)]), labels: vec![] };
    let layout = drawing.lay_out();
    assert!(layout.arcs.iter().all(|points| points.len() == 2));
    assert!(layout.nodes.windows(2).all(|pair| pair[0].x == pair[1].x && pair[0].y < pair[1].y));
}

#[test]
fn a_long_arc_has_at_most_four_corners() {
    let drawing =
        Drawing { nodes: boxes(6), arcs: arcs(&[(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 5)]), labels: vec![] };
    assert!(drawing.lay_out().arcs[5].len() <= 6);
}

#[test]
fn what_can_be_drawn_without_crossings_is() {
    // A tree whose leaves are named in an order that crosses.
    let pairs = [(0, 1), (0, 2), (0, 3), (1, 9), (2, 5), (3, 7), (1, 4), (2, 8), (3, 6)];
    let drawing = Drawing { nodes: boxes(10), arcs: arcs(&pairs), labels: vec![] };
    let reversed = cycles::closing(&drawing);
    let mut network = Network::of(&drawing, &reversed, &ranks::of(&drawing, &reversed));
    order::reduce_crossings(&mut network);
    assert_eq!(order::crossings(&network), 0);
}

#[test]
fn only_the_way_back_of_a_cycle_is_turned_around() {
    let drawing = Drawing { nodes: boxes(4), arcs: arcs(&[(0, 1), (1, 2), (2, 1), (2, 3)]), labels: vec![] };
    assert_eq!(cycles::closing(&drawing), [false, false, true, false]);
}

#[test]
fn many_long_arcs_to_one_node_share_their_bends() {
    // A hundred tasks in a row that all lead to the last: without sharing some 5,000 bends.
    let chain = (0..100).map(|index| (index, index + 1));
    let pairs: Vec<_> = chain.chain((0..99).map(|index| (index, 100))).collect();
    let drawing = Drawing { nodes: boxes(101), arcs: arcs(&pairs), labels: vec![] };
    let reversed = cycles::closing(&drawing);
    let network = Network::of(&drawing, &reversed, &ranks::of(&drawing, &reversed));
    assert!(network.count() < 101 + 150, "{} vertices", network.count());
    check(&drawing);
}
