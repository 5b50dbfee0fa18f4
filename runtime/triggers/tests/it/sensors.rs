//! Sensors: their cursors, what they may emit, and what becomes of failures.

use std::sync::Arc;

use runner_host::{Emitted, Polled};
use runner_model::{Failure, code, limits};
use serde_json::{Value, json};

use super::kit::World;

const SENSOR: &str = "description: x\ncomponent: t\ninterval: 10\ntrigger_types:\n  - name: full\n    description: x\n    \
                      payload_schema: {type: object, properties: {name: {type: string}}, required: [name]}\n";
const ON_FULL: &str = "trigger: {type: t.full}\naction: {ref: t.quick, parameters: {text: <% event().name %>}}";

fn world(rules: &[(&str, &str)]) -> World {
    let world = World::new(rules);
    world.write("sensors/volumes.yaml", SENSOR);
    world
}

fn found(cursor: &str, events: &[(Value, Option<&str>)]) -> Result<Polled, Failure> {
    let event = |(payload, key): &(Value, Option<&str>)| Emitted {
        trigger: "full".to_owned(),
        payload: payload.clone(),
        deduplication_key: key.map(str::to_owned),
    };
    Ok(Polled { events: events.iter().map(event).collect(), cursor: Some(cursor.to_owned()) })
}

fn polls(world: &World) -> Vec<Option<String>> {
    world.sensors.polls("t.volumes")
}

#[test]
fn a_sensor_is_polled_on_its_interval_and_goes_on_from_its_cursor_also_after_a_crash() {
    let world = world(&[("full", ON_FULL)]);
    world.sensors.finds("t.volumes", found("1", &[(json!({"name": "a"}), None), (json!({"name": "b"}), None)]));
    world.sensors.finds("t.volumes", found("2", &[(json!({"name": "c"}), None)]));
    let process = world.start();
    process.until("it is polled", || async { process.triggers.sensors()[0].cursor.as_deref() == Some("1") });
    process.settles();
    assert_eq!(process.executions("t.full").len(), 2);
    let events = process.events("t.full");
    assert_eq!((events[0].source.as_str(), &events[0].payload), ("t.volumes", &json!({"name": "a"})));
    process.passes(9);
    assert_eq!(polls(&world), [None]);
    process.passes(1);
    process.until("it is polled again", || async { process.triggers.sensors()[0].cursor.as_deref() == Some("2") });
    assert_eq!(process.triggers.sensors()[0].emitted, 3);
    process.dies();
    world.clock.advance_ms(60_000);
    let process = world.start();
    process.until("it is polled again", || async { polls(&world).len() == 3 });
    assert_eq!(polls(&world), [None, Some("1".to_owned()), Some("2".to_owned())]);
    process.settles();
    assert_eq!(process.executions("t.full").len(), 3);
}

#[test]
fn an_event_with_a_known_key_is_the_same_event() {
    let world = world(&[("full", ON_FULL)]);
    let event = (json!({"name": "a"}), Some("vol-a"));
    world.sensors.finds("t.volumes", found("1", std::slice::from_ref(&event)));
    world.sensors.finds("t.volumes", found("2", &[event.clone(), event]));
    let process = world.start();
    process.until("it is polled", || async { process.triggers.sensors()[0].cursor.as_deref() == Some("1") });
    process.passes(10);
    process.until("it is polled again", || async { process.triggers.sensors()[0].cursor.as_deref() == Some("2") });
    process.settles();
    assert_eq!(process.events("t.full").len(), 1);
    assert_eq!(process.executions("t.full").len(), 1);
}

#[test]
fn what_no_rule_matches_is_counted_and_not_kept_but_the_cursor_moves() {
    let world = world(&[("full", &format!("{ON_FULL}\nwhen: <% event().name == \"z\" %>"))]);
    world.sensors.finds("t.volumes", found("1", &[(json!({"name": "a"}), None)]));
    let process = world.start();
    process.until("it is polled", || async { process.triggers.sensors()[0].emitted == 1 });
    assert!(process.events("t.full").is_empty());
    assert_eq!(process.run(world.store.mark("sensor/t.volumes")).unwrap().as_deref(), Some("1"));
}

#[test]
fn a_rule_can_name_what_must_stand_in_the_payload() {
    let schema = "    parameters_schema: {type: object, properties: {name: {type: string}}}\n";
    let world = World::new(&[(
        "full",
        "trigger: {type: t.full, parameters: {name: b}}\naction: {ref: t.quick, parameters: {text: <% event().name %>}}",
    )]);
    world.write("sensors/volumes.yaml", &format!("{SENSOR}{schema}"));
    world.sensors.finds("t.volumes", found("1", &[(json!({"name": "a"}), None), (json!({"name": "b"}), None)]));
    let process = world.start();
    process.until("it is polled", || async { process.triggers.sensors()[0].emitted == 2 });
    let events = process.events("t.full");
    assert_eq!(events.iter().map(|event| &event.payload).collect::<Vec<_>>(), [&json!({"name": "b"})]);
}

#[test]
fn a_sensor_that_emits_what_it_may_not_fails_and_its_cursor_stays() {
    let world = world(&[("full", ON_FULL)]);
    world.sensors.finds("t.volumes", found("1", &[(json!({"name": "a"}), None), (json!({"name": 1}), None)]));
    let undeclared = Emitted { trigger: "empty".to_owned(), payload: json!({}), deduplication_key: None };
    world.sensors.finds("t.volumes", Ok(Polled { events: vec![undeclared], cursor: Some("2".to_owned()) }));
    let process = world.start();
    for wanted in [code::EVENT_PAYLOAD, code::EVENT_UNDECLARED] {
        process.until("it has failed", || async {
            process.triggers.sensors()[0].last_error.as_ref().is_some_and(|failure| failure.code == wanted.id())
        });
        process.passes(60);
    }
    process.until("it is well again", || async { process.triggers.sensors()[0].last_error.is_none() });
    assert!(process.events("t.full").is_empty());
    assert_eq!(polls(&world), [None, None, None]);
}

#[test]
fn a_sensor_that_fails_is_polled_later_and_later_and_on_its_interval_when_it_is_well() {
    let world = world(&[]);
    let process = world.start();
    process.until("it is polled", || async { process.triggers.sensors()[0].last_poll.is_some() });
    let mut waits = Vec::new();
    for _ in 0..9 {
        world.sensors.finds("t.volumes", Err(Failure::new(code::HOST_TIMEOUT, "too slow")));
        let before = polls(&world).len();
        let next = process.triggers.sensors()[0].next.unwrap();
        process.sets_clock(next);
        process.until("it has failed", || async {
            let state = process.triggers.sensors().remove(0);
            polls(&world).len() > before && state.next.is_some() && state.last_error.is_some()
        });
        waits.push(process.triggers.sensors()[0].next.unwrap().since_ms(world.now()) / 1000);
    }
    assert_eq!(waits, [20, 40, 80, 160, 320, 640, 900, 900, 900]);
    process.passes(900);
    process.until("it is well", || async { process.triggers.sensors()[0].last_error.is_none() });
    assert_eq!(process.triggers.sensors()[0].next.unwrap().since_ms(world.now()), 10_000);
}

#[test]
fn no_sensor_is_polled_twice_at_the_same_time_and_not_all_at_once() {
    let world = world(&[]);
    for n in 0..20 {
        world.write(&format!("sensors/s{n}.yaml"), &SENSOR.replace("full", &format!("full{n}")));
    }
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    *world.sensors.gate.lock() = Some(gate.clone());
    let process = world.start();
    process
        .until("as many are polled as may be", || async { world.sensors.at_once.lock().0 == limits::SENSOR_POLLS_MAX });
    // Those that are polled are due again, and are not polled beside themselves.
    process.passes(100);
    process.turns(100);
    assert!(world.sensors.polls.lock().values().all(|polls| polls.len() == 1));
    gate.add_permits(1000);
    process.until("all have been polled", || async {
        process.triggers.sensors().iter().all(|one| one.last_poll.is_some())
    });
    assert_eq!(world.sensors.at_once.lock().1, limits::SENSOR_POLLS_MAX);
}

#[test]
fn a_sensor_that_is_edited_goes_on_with_its_cursor_and_one_that_is_removed_is_polled_no_more() {
    let world = world(&[("full", ON_FULL)]);
    world.sensors.finds("t.volumes", found("1", &[]));
    let process = world.start();
    process.until("it is polled", || async { process.triggers.sensors()[0].cursor.as_deref() == Some("1") });
    world.write("sensors/volumes.yaml", &SENSOR.replace("interval: 10", "interval: 5"));
    process.swaps(&world);
    process.passes(5);
    process.until("it is polled again", || async { polls(&world).len() == 2 });
    assert_eq!(polls(&world)[1].as_deref(), Some("1"));
    world.write("sensors/volumes.yaml", &format!("enabled: false\n{SENSOR}"));
    process.swaps(&world);
    process.passes(100);
    process.turns(100);
    assert_eq!(polls(&world).len(), 2);
    assert!(!process.triggers.sensors()[0].enabled && process.triggers.sensors()[0].next.is_none());
}

#[test]
fn a_poll_that_runs_while_its_sensor_is_removed_is_stopped() {
    let world = world(&[]);
    *world.sensors.gate.lock() = Some(Arc::new(tokio::sync::Semaphore::new(0)));
    let process = world.start();
    process.until("it is polled", || async { world.sensors.at_once.lock().0 == 1 });
    world.remove("sensors/volumes.yaml");
    process.swaps(&world);
    process.until("it is stopped", || async { world.sensors.at_once.lock().0 == 0 });
    assert!(process.triggers.sensors().is_empty());
}
