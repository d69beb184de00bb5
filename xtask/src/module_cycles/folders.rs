//! The rule: within every module, its own code and the units of its children have no cycle.

use std::{collections::BTreeSet, fmt::Write as _, path::Path};

use super::{
    graph::{self, Graph},
    source::{ModuleId, Modules},
    uses::Use,
};

/// Units that depend on each other.
#[derive(Debug)]
pub(super) struct Cycle {
    units: Vec<String>,
    shortest: Vec<String>,
    /// The uses that make the units depend on each other, with the names of both units and the file.
    causes: Vec<Cause>,
}

#[derive(Debug)]
struct Cause {
    from: String,
    to: String,
    place: String,
}

/// Returns all cycles of a crate.
pub(super) fn cycles(modules: &Modules, uses: &[Use]) -> Vec<Cycle> {
    let mut found = Vec::new();
    for within in 0..modules.len() {
        let edge = |one: &Use| {
            let from = unit(modules, within, one.from)?;
            let to = unit(modules, within, one.to)?;
            (from != to).then_some((from, to))
        };
        let mut graph = Graph::new();
        for (from, to) in uses.iter().filter_map(edge) {
            graph.entry(from).or_insert_with(BTreeSet::new).insert(to);
        }
        for component in graph::components(&graph) {
            let name = |&id: &ModuleId| unit_name(modules, within, id);
            let cause = |one: &Use| {
                let (from, to) = edge(one)?;
                (component.contains(&from) && component.contains(&to)).then(|| Cause {
                    from: name(&from),
                    to: name(&to),
                    place: format!(
                        "{}:{}: {}",
                        modules[one.from].file.display(),
                        one.line,
                        one.what
                    ),
                })
            };
            found.push(Cycle {
                units: component.iter().map(name).collect(),
                shortest: graph::shortest_cycle(&graph, &component)
                    .iter()
                    .map(name)
                    .collect(),
                causes: uses.iter().filter_map(cause).collect(),
            });
        }
    }
    found
}

/// Returns the unit that `module` is in, seen from within `within`: that module itself, or a child of it.
/// `None` if it is elsewhere.
fn unit(modules: &Modules, within: ModuleId, module: ModuleId) -> Option<ModuleId> {
    let mut at = module;
    while at != within {
        match modules[at].parent {
            Some(parent) if parent == within => return Some(at),
            Some(parent) => at = parent,
            None => return None,
        }
    }
    Some(at)
}

fn unit_name(modules: &Modules, within: ModuleId, id: ModuleId) -> String {
    let path = &modules[id].path;
    let own_code = id == within;
    match (path.as_str(), own_code) {
        ("", _) => "the crate's root itself".to_owned(),
        (path, true) => format!("{path} itself"),
        (path, false) if modules[id].children.is_empty() => path.to_owned(),
        (path, false) => format!("{path}::*"),
    }
}

impl Cycle {
    /// Returns a description of the cycle. `all`: with every cause, instead of those of the shortest cycle.
    pub(super) fn report(&self, root: &Path, all: bool) -> String {
        let mut text = format!("\n  {} depend on each other\n", self.units.join(", "));
        let next = self.shortest.iter().cycle().skip(1);
        let on_shortest: Vec<_> = self.shortest.iter().zip(next).collect();
        let mut edges: Vec<_> = self
            .causes
            .iter()
            .map(|cause| (&cause.from, &cause.to))
            .collect();
        edges.sort();
        edges.dedup();
        let root = format!("{}/", root.display());
        for (from, to) in if all { edges } else { on_shortest } {
            let _ = writeln!(text, "    {from} -> {to}");
            let causes = self
                .causes
                .iter()
                .filter(|cause| cause.from == *from && cause.to == *to);
            let causes: Vec<_> = causes.collect();
            let shown = if all { causes.len() } else { 3 };
            for cause in causes.iter().take(shown) {
                let place = cause.place.strip_prefix(&root).unwrap_or(&cause.place);
                let _ = writeln!(text, "        {place}");
            }
            if causes.len() > shown {
                let _ = writeln!(text, "        and {} more", causes.len() - shown);
            }
        }
        text
    }

    #[cfg(test)]
    pub(super) fn units(&self) -> &[String] {
        &self.units
    }
}
