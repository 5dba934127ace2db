//! Cycles in graphs of names.

/// Finds one cycle in the graph where node `n` points at `edges[n]`; gives its nodes, the first one not repeated.
///
/// Takes time in proportion to nodes and edges, and no stack.
pub(super) fn find(edges: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut state = vec![State::New; edges.len()];
    for start in 0..edges.len() {
        if state[start] != State::New {
            continue;
        }
        let mut way = vec![(start, 0)];
        state[start] = State::Open;
        while let Some((node, next)) = way.last_mut() {
            let Some(&target) = edges[*node].get(*next) else {
                state[*node] = State::Done;
                way.pop();
                continue;
            };
            *next += 1;
            match state[target] {
                State::Done => {}
                State::New => {
                    state[target] = State::Open;
                    way.push((target, 0));
                }
                State::Open => {
                    let from = way.iter().position(|(node, _)| *node == target)?;
                    return Some(way[from..].iter().map(|(node, _)| *node).collect());
                }
            }
        }
    }
    None
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Done,
}

/// Writes a cycle as `a → b → a`.
pub(super) fn shown<'a>(cycle: &[usize], name: impl Fn(usize) -> &'a str) -> String {
    let mut text = String::new();
    for node in cycle.iter().chain(cycle.first()) {
        if !text.is_empty() {
            text.push_str(" → ");
        }
        text.push('`');
        text.push_str(name(*node));
        text.push('`');
    }
    text
}
