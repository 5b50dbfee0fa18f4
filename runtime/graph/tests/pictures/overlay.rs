//! What a run shows of its tasks and edges.

use runner_graph::{Graph, SvgOptions, Taken};
use runner_model::{Purpose, RouteId, Status};

use crate::flows;
use crate::runs::{self, Journal};

/// Each edge that was taken or may have been, as `from->to`.
fn edges(graph: &Graph, which: Taken) -> Vec<String> {
    let name = |index: usize| graph.nodes[index].name.to_string();
    let of_edge = |edge: &runner_graph::Edge| {
        let to = match &edge.to {
            runner_graph::End::Task(to) => name(*to),
            runner_graph::End::Command(command) => command.name().to_owned(),
            runner_graph::End::Missing(missing) => missing.clone(),
        };
        format!("{}->{to}", name(edge.from))
    };
    graph.edges.iter().filter(|edge| edge.taken == Some(which)).map(of_edge).collect()
}

#[test]
fn a_task_says_how_often_on_which_routes_and_how_long_it_ran() {
    let graph = Graph::of(&flows::split(), "core.split").with_execution(&runs::split());
    let state = |index: usize| graph.nodes[index].state.clone().unwrap();
    let notify = state(3);
    assert_eq!((notify.status, notify.runs, notify.duration_ms), (Status::Running, 2, Some(1_300)));
    assert_eq!(notify.routes, [RouteId(0), RouteId(1)]);
    assert_eq!(state(0).status, Status::Succeeded);
    assert_eq!(graph.run.as_ref().map(|run| (run.status, run.duration_ms)), Some((Status::Running, None)));
}

#[test]
fn a_list_says_how_many_items_are_done_and_an_undone_task_that_it_is() {
    let graph = Graph::of(&flows::provisioning(), "p").with_execution(&runs::failed_provisioning());
    let of = |name: &str| graph.nodes.iter().find(|node| node.name.as_str() == name).unwrap().state.clone();
    let volumes = of("create_volumes").unwrap();
    assert_eq!((volumes.status, volumes.items), (Status::Failed, Some((3, 5))));
    let svm = of("create_svm").unwrap();
    assert_eq!((svm.runs, svm.attempts, svm.undone), (1, 2, Some(Status::Succeeded)));
    assert_eq!(of("create_network").unwrap().status, Status::Skipped);
    assert_eq!(of("mount"), None);
}

#[test]
fn the_edges_that_a_run_took_are_those_that_explain_its_steps() {
    let graph = Graph::of(&flows::provisioning(), "p").with_execution(&runs::failed_provisioning());
    assert_eq!(
        edges(&graph, Taken::Yes),
        [
            "check_request->ask_approval",
            "ask_approval->create_svm",
            "ask_approval->create_network",
            "create_svm->create_volumes",
            "create_volumes->notify_failure",
            "notify_failure->fail",
        ]
    );
    let split = Graph::of(&flows::split(), "s").with_execution(&runs::split());
    assert_eq!(edges(&split, Taken::No), Vec::<String>::new());
}

#[test]
fn of_two_conditions_that_may_have_led_on_neither_is_called_taken() {
    let next = vec![flows::to("result().a", "b"), flows::to("result().b", "b")];
    let tasks = vec![
        ("a".to_owned(), flows::task("core.noop", next)),
        ("b".to_owned(), flows::task("core.noop", vec![flows::to("failed()", "a")])),
    ];
    let mut journal = Journal::begin();
    journal.run("a", 0, true);
    journal.run("b", 0, true);
    journal.finish(Status::Succeeded);
    let graph = Graph::of(&flows::plan(tasks), "unclear").with_execution(&journal.view());
    assert_eq!(edges(&graph, Taken::Unknown), ["a->b", "a->b"]);
    assert_eq!(edges(&graph, Taken::No), ["b->a"]);
}

#[test]
fn a_cycle_shows_the_state_of_its_last_round() {
    let mut journal = Journal::begin();
    for task in ["prepare", "submit", "query", "query"] {
        journal.run(task, 0, true);
    }
    journal.run("collect", 0, false);
    journal.run("prepare_again", 0, true);
    let submit = journal.schedule("submit", 0, Purpose::Task, None);
    journal.attempt(submit, None, 1, None);
    let graph = Graph::of(&flows::cycle(), "job.run").with_execution(&journal.view());
    let state = graph.nodes[1].state.clone().unwrap();
    assert_eq!((state.status, state.runs), (Status::Running, 2));
    let taken = edges(&graph, Taken::Yes);
    assert!(
        taken.contains(&"prepare_again->submit".to_owned()) && taken.contains(&"query->query".to_owned()),
        "{taken:?}"
    );
    assert!(!taken.contains(&"collect->report".to_owned()));
}

#[test]
fn a_status_is_a_word_and_a_sign_besides_a_colour() {
    let svg = Graph::of(&flows::provisioning(), "p")
        .with_execution(&runs::failed_provisioning())
        .to_svg(&SvgOptions::default());
    let document = roxmltree::Document::parse(&svg).unwrap();
    for node in document.descendants().filter(|e| e.attribute("class") == Some("rg-task")) {
        let status = node.attribute("data-status").unwrap();
        let words: String = node.descendants().filter_map(|e| e.text()).collect();
        assert!(words.contains(if status == "none" { "not run" } else { status }), "{words}");
        assert_eq!(node.descendants().any(|e| e.tag_name().name() == "circle"), status != "none");
    }
}
