//! A graph as Mermaid: `flowchart TD`, which GitHub and GitLab draw.
//!
//! In a quoted label everything but letters, digits and a few harmless signs is written as an entity code (`#34;`), so
//! nothing in it can be read as Mermaid, Markdown or HTML.

use std::collections::BTreeMap;

use runner_engine::Target;
use runner_model::Status;

use crate::execution::Taken;
use crate::graph::{Edge, End, Graph, Node};
use crate::text::line;

/// The longest condition beside an edge, in characters.
const LABEL_CHARS_MAX: usize = 60;

impl Graph {
    /// The graph as Mermaid.
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        let title = serde_json::Value::String(line(&self.title));
        let mut rows = vec!["---".to_owned(), format!("title: {title}"), "---".to_owned(), "flowchart TD".to_owned()];
        rows.extend(self.nodes.iter().enumerate().map(|(index, node)| format!("    t{index}[\"{}\"]", words(node))));
        let mut taken = Vec::new();
        for (index, edge) in self.edges.iter().enumerate() {
            let label = edge.text().map_or(String::new(), |text| format!("|\"{}\"|", escaped(&cut(&text))));
            rows.push(format!("    t{} -->{label} {}", edge.from, self.mermaid_end(index, edge)));
            if edge.taken == Some(Taken::Yes) {
                taken.push(index.to_string());
            }
        }
        if !taken.is_empty() {
            rows.push(format!("    linkStyle {} stroke-width:3px", taken.join(",")));
        }
        rows.extend(self.classes());
        rows.push(String::new());
        rows.join("\n")
    }

    fn mermaid_end(&self, index: usize, edge: &Edge) -> String {
        match &edge.to {
            End::Task(task) => format!("t{task}"),
            // The step itself is tried again.
            End::Command(Target::Retry) => format!("t{}", edge.from),
            End::Command(command) => format!("c{index}([\"{}\"])", escaped(command.name())),
            End::Missing(name) => format!("c{index}([\"{}\"])", escaped(&format!("no task {name}"))),
        }
    }

    /// A class for each status that a task has.
    fn classes(&self) -> Vec<String> {
        let mut classes: BTreeMap<&str, (Status, Vec<String>)> = BTreeMap::new();
        for (index, node) in self.nodes.iter().enumerate() {
            if let Some(state) = &node.state {
                let of_status = classes.entry(state.status.as_str()).or_insert((state.status, Vec::new()));
                of_status.1.push(format!("t{index}"));
            }
        }
        let rows = classes.into_iter().flat_map(|(word, (status, nodes))| {
            let colours = colours(status);
            [format!("    classDef {word} {colours}"), format!("    class {} {word}", nodes.join(","))]
        });
        rows.collect()
    }
}

const fn colours(status: Status) -> &'static str {
    match status {
        Status::Succeeded => "fill:#effbf3,stroke:#15803d,color:#0f172a",
        Status::Failed | Status::Timeout | Status::Abandoned => "fill:#fef1f1,stroke:#b91c1c,color:#0f172a",
        Status::Running | Status::Resuming => "fill:#eef4ff,stroke:#1d4ed8,color:#0f172a",
        Status::Pending | Status::Paused | Status::Pausing | Status::Delayed | Status::Retrying => {
            "fill:#fff8e6,stroke:#92590a,color:#0f172a"
        }
        _ => "fill:#f1f4f7,stroke:#5b6878,color:#0f172a",
    }
}

fn words(node: &Node) -> String {
    let mut rows = vec![node.name.to_string(), node.action.clone()];
    rows.extend(node.marks.iter().map(|mark| format!("{} {}", mark.key, mark.text)));
    rows.extend(node.state.as_ref().map(crate::execution::TaskState::words));
    let rows: Vec<_> = rows.iter().map(|row| escaped(&cut(row))).collect();
    rows.join("<br/>")
}

fn cut(text: &str) -> String {
    let text = line(text);
    match text.char_indices().nth(LABEL_CHARS_MAX) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

fn escaped(text: &str) -> String {
    let harmless =
        |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '.' | ',' | '-' | '…' | '·' | '×' | '/' | '+');
    let written = |c: char| if harmless(c) { c.to_string() } else { format!("#{};", u32::from(c)) };
    text.chars().map(written).collect()
}
