//! Rules on the ends of executions.

use runner_executor::ExecutionRequest;
use runner_model::{ExecutionId, Origin, Status, limits};
use runner_store::Catalogue;
use serde_json::{Value, json};

use super::kit::{Process, World, by};

const ON_WAIT: &str = "trigger: {type: core.execution_finished, parameters: {action: t.wait}}\n\
                       action: {ref: t.quick, parameters: {text: <% event().execution_id %>}}";

fn begin(process: &Process, action: &str, parameters: Value) -> ExecutionId {
    let Value::Object(parameters) = parameters else { panic!("a map") };
    let request = ExecutionRequest::new(action.parse().unwrap(), parameters, Origin::Cli);
    process.run(async { process.executor.submit(request).await.unwrap().id })
}

#[test]
fn the_end_of_an_execution_is_an_event_with_its_result() {
    let world = World::new(&[("after", ON_WAIT)]);
    let process = world.start();
    let id = begin(&process, "t.wait", json!({}));
    process.until("it runs", || async { world.guests.release_first().is_some() });
    process.until("the rule has run", || async {
        !world.store.events(&Default::default(), None, 1).await.unwrap().is_empty()
    });
    process.settles();
    let events = process.events("core.execution_finished");
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!((event.source.clone(), event.key.clone()), (id.to_string(), Some(id.to_string())));
    assert_eq!(event.chain, 1);
    for (key, wanted) in [
        ("execution_id", json!(id)),
        ("action", json!("t.wait")),
        ("pack", json!("t")),
        ("status", json!("succeeded")),
        ("result", json!({"done": true})),
        ("parameters", json!({})),
        ("origin", json!({"from": "cli"})),
    ] {
        assert_eq!(event.payload[key], wanted, "{key}");
    }
    assert!(event.payload["started_at"].is_string() && event.payload["finished_at"].is_string());
    let made = process.executions("t.after");
    assert!(matches!(&made[0].origin, Origin::Rule { chain: 1, .. }), "{:?}", made[0].origin);
    assert!(process.run(world.store.ended(10)).unwrap().is_empty());
}

#[test]
fn only_the_ends_that_a_rule_names_are_events() {
    let world = World::new(&[(
        "failed",
        "trigger: {type: core.execution_finished, parameters: {action: t.*, statuses: [canceled]}}\n\
                    action: {ref: t.quick}\nwhen: <% event().action == \"t.wait\" %>",
    )]);
    let process = world.start();
    begin(&process, "t.quick", json!({}));
    begin(&process, "t.wait", json!({}));
    process.until("it runs", || async { world.guests.release_first().is_some() });
    let canceled = begin(&process, "t.wait", json!({}));
    process.until("it runs", || async { world.guests.running() == [canceled] });
    process.run(process.executor.control(canceled, runner_executor::Control::Cancel { by: "test".into() })).unwrap();
    process.until("the rule has run", || async { process.triggers.rule("t.failed").unwrap().counts.matched == 1 });
    process.until("the list of ends is empty", || async { world.store.ended(10).await.unwrap().is_empty() });
    let events = process.events("core.execution_finished");
    assert_eq!(events.iter().map(|event| event.source.clone()).collect::<Vec<_>>(), [canceled.to_string()]);
}

#[test]
fn an_end_that_no_process_dealt_with_is_dealt_with_by_the_next_and_once() {
    let world = World::on_disk(&[("after", ON_WAIT)]);
    let process = world.start();
    let id = begin(&process, "t.wait", json!({}));
    process.until("it runs", || async { world.guests.running() == [id] });
    // From here on nobody deals with ends; the executor goes on.
    process.run(process.triggers.shutdown());
    world.guests.release_first();
    process.until("it has ended", || async {
        Catalogue::get(&*world.store, id).await.unwrap().status == Status::Succeeded
    });
    assert_eq!(process.run(world.store.ended(10)).unwrap(), [id]);
    process.dies();
    for _ in 0..2 {
        world.clock.advance_ms(60_000);
        let process = world.start();
        process.until("the end is dealt with", || async { world.store.ended(10).await.unwrap().is_empty() });
        process.settles();
        assert_eq!(process.events("core.execution_finished").len(), 1);
        assert_eq!(process.executions("t.after").len(), 1);
        process.dies();
    }
}

#[test]
fn rules_that_start_one_another_stop_somewhere() {
    let on_end = "trigger: {type: core.execution_finished, parameters: {action: t.quick}}\naction: {ref: t.quick}";
    let world = World::new(&[("again", on_end)]);
    let process = world.start();
    begin(&process, "t.quick", json!({}));
    let max = usize::try_from(limits::EVENT_CHAIN_MAX).unwrap();
    process
        .until("the last has run", || async { process.triggers.rule("t.again").unwrap().counts.matched >= max as u64 });
    process.settles();
    process.until("all ends are dealt with", || async {
        process.executor.count() == (0, 0) && world.store.ended(10).await.unwrap().is_empty()
    });
    process.turns(200);
    assert_eq!(process.executions("t.again").len(), max);
    let chains: Vec<_> = process.events("core.execution_finished").iter().map(|event| event.chain).collect();
    assert_eq!(chains, (1..=limits::EVENT_CHAIN_MAX).collect::<Vec<_>>());
}

#[test]
fn an_end_is_not_announced_when_no_rule_waits_for_it() {
    let world = World::new(&[("after", &format!("enabled: false\n{ON_WAIT}"))]);
    let process = world.start();
    let id = begin(&process, "t.quick", json!({}));
    process.until("it has ended", || async {
        Catalogue::get(&*world.store, id).await.unwrap().status == Status::Succeeded
    });
    assert!(process.run(world.store.ended(10)).unwrap().is_empty());
    // Switched on, it hears from then on.
    process.run(process.triggers.switch(&"t.after".parse().unwrap(), Some(true), by())).unwrap();
    begin(&process, "t.wait", json!({}));
    process.until("it runs", || async { world.guests.release_first().is_some() });
    process.until("the rule has run", || async { process.triggers.rule("t.after").unwrap().counts.matched == 1 });
}
