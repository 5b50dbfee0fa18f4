//! Texts from a pack that try to be something else.

use runner_graph::{Graph, SvgOptions};

use crate::flows;

const NASTY: [&str; 8] = [
    "</title><script>alert(1)</script>",
    "\" onload=\"alert(1)",
    "]]><!--&lt;&#60;",
    "\"]; click t0 \"javascript:alert(1)\" %%{init: {}}%%",
    "`**bold**` #quot; end\n---\nflowchart LR",
    "\\\" ]; evil [label=\"\\",
    "\u{202e}txt\u{0}\u{7}\u{fffe}",
    "容量管理 \u{1f600}\u{1f600} a\u{301}",
];

fn graph() -> Graph {
    let tasks = NASTY.iter().enumerate().map(|(index, text)| {
        let source = format!("result().name == {}", serde_json::Value::String((*text).replace(['\0', '\u{7}'], "")));
        let next = vec![flows::to(&source, &format!("t{} noop", (index + 1) % NASTY.len()))];
        (format!("t{index}"), flows::task(text, next))
    });
    Graph::of(&flows::plan(tasks.collect()), NASTY.concat().as_str())
}

#[test]
fn nothing_in_a_pack_becomes_an_element_or_an_attribute() {
    let options = SvgOptions { id_prefix: "\"><script>".to_owned(), ..SvgOptions::default() };
    let svg = graph().to_svg(&options);
    let document = roxmltree::Document::parse(&svg).unwrap();
    let known = ["svg", "title", "desc", "style", "g", "rect", "path", "circle", "text", "tspan"];
    for element in document.descendants().filter(roxmltree::Node::is_element) {
        assert!(known.contains(&element.tag_name().name()), "{element:?}");
        for attribute in element.attributes() {
            assert!(!attribute.name().starts_with("on") && attribute.name() != "href", "{attribute:?}");
        }
    }
    assert!(document.descendants().any(|e| e.text().is_some_and(|text| text.contains("<script>alert(1)</script>"))));
    assert!(!svg.contains('\u{202e}') && !svg.contains('\0') && !svg.contains('\u{fffe}'));
}

#[test]
fn nothing_in_a_pack_ends_a_label_of_mermaid() {
    let mermaid = graph().to_mermaid();
    let body: Vec<_> = mermaid.lines().skip(4).collect();
    assert!(mermaid.lines().nth(1).unwrap().starts_with("title: \""));
    assert_eq!(mermaid.lines().nth(2), Some("---"));
    assert_eq!(body.len(), NASTY.len() * 3, "a node and two edges for each task");
    for row in body {
        let quotes = row.matches('"').count();
        assert!(quotes == 2 || quotes == 4, "{row}");
        let inside: String = row.split('"').skip(1).step_by(2).collect();
        assert!(!inside.replace("<br/>", "").contains(['<', '>', '`', '[', ']', '(', '*', '%', '\\']), "{row}");
    }
}

#[test]
fn nothing_in_a_pack_ends_a_string_of_dot() {
    let dot = graph().to_dot();
    // Two rows of its own, two of defaults, a closing one; for each task a node, an end and two edges.
    assert_eq!(dot.lines().count(), 5 + NASTY.len() * 4);
    for row in dot.lines() {
        let (mut quotes, mut escaped) = (0, false);
        for c in row.chars() {
            match c {
                '\\' => escaped = !escaped,
                '"' if !escaped => quotes += 1,
                _ => escaped = false,
            }
        }
        assert!(quotes % 2 == 0, "{row}");
    }
}

#[test]
fn a_text_of_unknown_width_is_held_to_the_width_it_was_given() {
    let svg = graph().to_svg(&SvgOptions::default());
    let document = roxmltree::Document::parse(&svg).unwrap();
    let foreign = document.descendants().filter(|e| e.has_tag_name(("http://www.w3.org/2000/svg", "text")));
    let mut held = 0;
    for element in foreign.filter(|e| e.text().is_some_and(|text| text.contains('容'))) {
        assert!(element.attribute("textLength").is_some());
        held += 1;
    }
    assert!(held > 0);
}

#[test]
fn a_long_condition_is_cut_and_stands_whole_in_its_tooltip() {
    let condition = format!("result().total == \"{}\"", "very long ".repeat(30).trim());
    let tasks = vec![
        ("a".to_owned(), flows::task("core.noop", vec![flows::to(&condition, "b")])),
        ("b".to_owned(), flows::task("core.noop", vec![])),
    ];
    let svg = Graph::of(&flows::plan(tasks), "long").to_svg(&SvgOptions::default());
    let document = roxmltree::Document::parse(&svg).unwrap();
    let texts = |name: &str| -> Vec<String> {
        let of_name = document.descendants().filter(|e| e.tag_name().name() == name);
        of_name.filter_map(|e| e.text().map(str::to_owned)).collect()
    };
    assert!(texts("text").iter().any(|text| text.starts_with("result().total") && text.ends_with('…')));
    assert!(texts("title").contains(&format!("when {condition}")));
}
