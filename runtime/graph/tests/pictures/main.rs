//! Pictures of whole workflows, in all three forms.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that finds something else fails, and that is what it is for"
)]

mod flows;
mod hostile;
mod overlay;
mod runs;

use proptest::prelude::*;
use runner_graph::{Direction, Graph, SvgOptions, Theme, dark_stylesheet};

fn svg(graph: &Graph) -> String {
    graph.to_svg(&SvgOptions::default())
}

#[test]
fn a_split_with_a_run_is_drawn() {
    let graph = Graph::of(&flows::split(), "core.split").with_execution(&runs::split());
    insta::assert_snapshot!("split_svg", svg(&graph));
    insta::assert_snapshot!("split_mermaid", graph.to_mermaid());
    insta::assert_snapshot!("split_dot", graph.to_dot());
}

#[test]
fn a_cycle_is_drawn() {
    let graph = Graph::of(&flows::cycle(), "job.run");
    insta::assert_snapshot!("cycle_svg", svg(&graph));
    insta::assert_snapshot!("cycle_mermaid", graph.to_mermaid());
    insta::assert_snapshot!("cycle_dot", graph.to_dot());
}

#[test]
fn a_failed_provisioning_is_drawn() {
    let graph = Graph::of(&flows::provisioning(), "infra.provision").with_execution(&runs::failed_provisioning());
    insta::assert_snapshot!("provisioning_svg", svg(&graph));
    insta::assert_snapshot!("provisioning_mermaid", graph.to_mermaid());
    insta::assert_snapshot!("provisioning_dot", graph.to_dot());
}

#[test]
fn the_same_graph_gives_the_same_bytes() {
    let draw = || svg(&Graph::of(&flows::large(120), "core.large"));
    assert_eq!(draw(), draw());
}

#[test]
fn what_branches_widely_is_narrow_when_drawn_to_the_right() {
    let graph = Graph::of(&flows::fan_out(20), "ontap.upgrade");
    let width = |direction| {
        let svg = graph.to_svg(&SvgOptions { direction, ..SvgOptions::default() });
        let document = roxmltree::Document::parse(&svg).unwrap();
        document.root_element().attribute("width").unwrap().parse::<f64>().unwrap()
    };
    assert!(width(Direction::Right) < 800.0 && width(Direction::Down) > 3_000.0);
}

#[test]
fn a_workflow_without_tasks_is_drawn() {
    let graph = Graph::of(&flows::plan(vec![]), "core.empty");
    let svg = svg(&graph);
    roxmltree::Document::parse(&svg).unwrap();
    assert!(graph.to_mermaid().contains("flowchart TD") && graph.to_dot().starts_with("digraph"));
}

#[test]
fn only_a_picture_for_any_viewer_brings_a_style_sheet() {
    let graph = Graph::of(&flows::split(), "core.split");
    let of = |theme| graph.to_svg(&SvgOptions { theme, ..SvgOptions::default() });
    assert!(of(Theme::Auto).contains("prefers-color-scheme: dark"));
    assert!(!of(Theme::Light).contains("<style") && !of(Theme::Dark).contains("<style"));
    // Every colour of the light picture has a rule that turns it dark.
    let (light, dark) = (of(Theme::Light), dark_stylesheet());
    let document = roxmltree::Document::parse(&light).unwrap();
    for element in document.descendants() {
        for (attribute, letter) in [("fill", "f"), ("stroke", "s")] {
            if element.attribute(attribute).is_some_and(|colour| colour.starts_with('#')) {
                let classes = element.attribute("class").unwrap_or_default();
                let class = classes.split(' ').find(|class| class.starts_with(&format!("rg-{letter}-")));
                let class = class.filter(|class| dark.contains(&format!(".{class}{{")));
                assert!(class.is_some() || element.tag_name().name() == "rect", "{element:?} stays light");
            }
        }
    }
}

#[test]
fn two_pictures_on_a_page_can_have_ids_of_their_own() {
    let graph = Graph::of(&flows::split(), "core.split");
    let svg = graph.to_svg(&SvgOptions { id_prefix: "second-".to_owned(), ..SvgOptions::default() });
    let document = roxmltree::Document::parse(&svg).unwrap();
    let ids: Vec<_> = document.descendants().filter_map(|element| element.attribute("id")).collect();
    assert!(ids.contains(&"second-task-notify") && ids.iter().all(|id| id.starts_with("second-")), "{ids:?}");
}

/// Plans of tasks that lead anywhere.
fn plans() -> impl Strategy<Value = runner_engine::Plan> {
    const ENDS: [&str; 4] = ["fail", "noop", "continue", "retry"];
    (1..12_usize).prop_flat_map(|count| {
        let conditions = prop_oneof![Just(""), Just("succeeded()"), Just("failed()"), Just("result().size > 10")];
        let target = prop_oneof![8 => (0..count).prop_map(|task| format!("t{task}")), 1 => proptest::sample::select(&ENDS[..]).prop_map(str::to_owned)];
        let transition = (conditions, proptest::collection::vec(target, 0..4));
        let tasks = proptest::collection::vec(proptest::collection::vec(transition, 0..3), count);
        tasks.prop_map(|tasks| {
            let task = |(index, next): (usize, Vec<(&str, Vec<String>)>)| {
                let next = next.into_iter().map(|(when, targets)| flows::to(when, &targets.join(" "))).collect();
                (format!("t{index}"), flows::task("core.noop", next))
            };
            flows::plan(tasks.into_iter().enumerate().map(task).collect())
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_plan_is_drawn_with_all_its_tasks_and_edges(plan in plans()) {
        let graph = Graph::of(&plan, "any");
        for direction in [Direction::Down, Direction::Right] {
            let svg = graph.to_svg(&SvgOptions { direction, ..SvgOptions::default() });
            prop_assert!(!svg.contains("NaN") && !svg.contains("inf"));
            let document = roxmltree::Document::parse(&svg).unwrap();
            let classed = |class: &str| document.descendants().filter(|e| e.attribute("class") == Some(class)).count();
            prop_assert_eq!(classed("rg-task"), graph.nodes.len());
            prop_assert_eq!(classed("rg-edge"), graph.edges.len());
        }
        prop_assert_eq!(graph.to_mermaid().matches(" -->").count(), graph.edges.len());
        prop_assert_eq!(graph.to_dot().matches(" -> ").count(), graph.edges.len());
    }
}
