//! Cycles of a directed graph.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The nodes that each node has an edge to.
pub(super) type Graph<N> = BTreeMap<N, BTreeSet<N>>;

/// The strongly connected components with more than one node.
pub(super) fn components<N: Copy + Ord>(graph: &Graph<N>) -> Vec<BTreeSet<N>> {
    let reached: BTreeMap<N, BTreeSet<N>> = graph
        .keys()
        .map(|&node| (node, reachable(graph, node)))
        .collect();
    let mut found: Vec<BTreeSet<N>> = Vec::new();
    for (&node, targets) in &reached {
        if targets.contains(&node) && !found.iter().any(|component| component.contains(&node)) {
            let returns = |other: &N| reached.get(other).is_some_and(|back| back.contains(&node));
            found.push(targets.iter().copied().filter(returns).collect());
        }
    }
    found
}

fn reachable<N: Copy + Ord>(graph: &Graph<N>, from: N) -> BTreeSet<N> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(node) = open.pop() {
        for &next in graph.get(&node).into_iter().flatten() {
            if found.insert(next) {
                open.push(next);
            }
        }
    }
    found
}

/// A shortest cycle among `component`; the first node is not repeated at the end.
pub(super) fn shortest_cycle<N: Copy + Ord>(graph: &Graph<N>, component: &BTreeSet<N>) -> Vec<N> {
    let cycles = component
        .iter()
        .filter_map(|&start| cycle_through(graph, start));
    cycles.min_by_key(Vec::len).unwrap_or_default()
}

fn cycle_through<N: Copy + Ord>(graph: &Graph<N>, start: N) -> Option<Vec<N>> {
    let mut came_from = BTreeMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(node) = open.pop_front() {
        for &next in graph.get(&node).into_iter().flatten() {
            if next == start {
                let mut cycle = vec![node];
                let mut at = node;
                while at != start {
                    at = came_from[&at];
                    cycle.push(at);
                }
                cycle.reverse();
                return Some(cycle);
            }
            came_from.entry(next).or_insert_with(|| {
                open.push_back(next);
                node
            });
        }
    }
    None
}
