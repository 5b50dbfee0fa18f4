//! Which arcs to turn around so that no cycle is left.

use super::Drawing;
use super::per::Per;

#[derive(Clone, Copy, PartialEq, Default)]
enum Visit {
    #[default]
    Ahead,
    Open,
    Done,
}

/// For each arc whether it leads back to a node on the way to it. The search begins at the nodes that nothing leads to,
/// in their order, so what a reader sees as the way back is turned around.
pub(super) fn closing(drawing: &Drawing) -> Vec<bool> {
    let mut out: Per<Vec<usize>> = Per::default();
    let mut entered: Per<bool> = Per::default();
    for (index, arc) in drawing.arcs.iter().enumerate() {
        out[arc.from].push(index);
        entered[arc.to] = true;
    }
    let mut closing = vec![false; drawing.arcs.len()];
    let mut visits: Per<Visit> = Per::default();
    let all = || 0..drawing.nodes.len();
    for root in all().filter(|node| !entered[*node]).chain(all()) {
        if visits[root] == Visit::Ahead {
            search(drawing, root, &out, &mut visits, &mut closing);
        }
    }
    closing
}

/// Searches in depth with a stack of its own: a chain of many tasks must not exhaust the thread's.
fn search(drawing: &Drawing, root: usize, out: &Per<Vec<usize>>, visits: &mut Per<Visit>, closing: &mut [bool]) {
    visits[root] = Visit::Open;
    let mut stack = vec![(root, 0)];
    while let Some((node, next)) = stack.pop() {
        let Some(&index) = out[node].get(next) else {
            visits[node] = Visit::Done;
            continue;
        };
        stack.push((node, next + 1));
        let Some(arc) = drawing.arcs.get(index) else { continue };
        match visits[arc.to] {
            Visit::Ahead => {
                visits[arc.to] = Visit::Open;
                stack.push((arc.to, 0));
            }
            Visit::Open => closing.iter_mut().skip(index).take(1).for_each(|slot| *slot = true),
            Visit::Done => {}
        }
    }
}
