//! A graph as DOT, for Graphviz. Everything stands in double quotes, in which only these and backslashes mean something.

use runner_engine::Target;
use runner_model::Status;

use crate::execution::{Taken, TaskState};
use crate::graph::{Edge, End, Graph, Node};
use crate::text::line;

impl Graph {
    /// The graph as DOT.
    #[must_use]
    pub fn to_dot(&self) -> String {
        let mut rows = vec![
            format!("digraph {} {{", quoted(&self.title)),
            format!("    label={}; labelloc=t; rankdir=TB;", quoted(&self.title)),
            "    node [shape=box, style=\"rounded,filled\", fillcolor=\"#f8fafc\", fontname=\"Helvetica\"];".to_owned(),
            "    edge [fontname=\"Helvetica\", fontsize=10];".to_owned(),
        ];
        rows.extend(self.nodes.iter().map(node));
        for (index, edge) in self.edges.iter().enumerate() {
            rows.extend(self.dot_edge(index, edge));
        }
        rows.push("}\n".to_owned());
        rows.join("\n")
    }

    fn dot_edge(&self, index: usize, edge: &Edge) -> Vec<String> {
        let from = self.nodes.get(edge.from).map_or("", |node| node.name.as_str());
        let mut rows = Vec::new();
        let to = match &edge.to {
            End::Task(_) => format!("task {}", self.end_name(&edge.to)),
            End::Command(Target::Retry) => format!("task {from}"),
            end => {
                let name = format!("end {index}");
                rows.push(format!("    {} [label={}, shape=oval];", quoted(&name), quoted(self.end_name(end))));
                name
            }
        };
        let mut attributes = Vec::new();
        attributes.extend(edge.text().map(|text| format!("label={}", quoted(&text))));
        if edge.is_on_failure() {
            attributes.push("style=dashed".to_owned());
        }
        match edge.taken {
            Some(Taken::Yes) => attributes.push("penwidth=2.5".to_owned()),
            Some(Taken::No) => attributes.push("color=gray".to_owned()),
            Some(Taken::Unknown) | None => {}
        }
        let attributes = if attributes.is_empty() { String::new() } else { format!(" [{}]", attributes.join(", ")) };
        rows.push(format!("    {} -> {}{attributes};", quoted(&format!("task {from}")), quoted(&to)));
        rows
    }
}

fn node(node: &Node) -> String {
    let mut rows = vec![node.name.to_string(), node.action.clone()];
    rows.extend(node.marks.iter().map(|mark| format!("{} {}", mark.key, mark.text)));
    rows.extend(node.state.as_ref().map(TaskState::words));
    // A line break is written as `\n`, which must not be escaped once more.
    let label: Vec<_> = rows.iter().map(|row| escaped(row)).collect();
    let colours = node.state.as_ref().map_or("", |state| colours(state.status));
    let name = quoted(&format!("task {}", node.name));
    let id = quoted(&format!("task-{}", node.name));
    format!("    {name} [label=\"{}\", id={id}{colours}];", label.join("\\n"))
}

const fn colours(status: Status) -> &'static str {
    match status {
        Status::Succeeded => ", fillcolor=\"#effbf3\", color=\"#15803d\"",
        Status::Failed | Status::Timeout | Status::Abandoned => ", fillcolor=\"#fef1f1\", color=\"#b91c1c\"",
        Status::Running | Status::Resuming => ", fillcolor=\"#eef4ff\", color=\"#1d4ed8\"",
        Status::Pending | Status::Paused | Status::Pausing | Status::Delayed | Status::Retrying => {
            ", fillcolor=\"#fff8e6\", color=\"#92590a\""
        }
        _ => ", fillcolor=\"#f1f4f7\", color=\"#5b6878\"",
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

fn escaped(text: &str) -> String {
    line(text).replace('\\', "\\\\").replace('"', "\\\"")
}
