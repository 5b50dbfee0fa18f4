//! Sensors: what is read, and each mistake with the line to write.

use std::sync::Arc;
use std::time::Duration;

use runner_pack::{Sensor, check};
use serde_json::json;

use crate::kit::{Demo, library, said};

fn demo(sensor: &str) -> Demo {
    let demo = Demo::new();
    demo.file("components/other.wasm", "bytes").file("sensors/s.yaml", sensor);
    demo
}

fn read(sensor: &str) -> Arc<Sensor> {
    let demo = demo(sensor);
    let (pack, report) = check(&demo.path(), &library());
    assert!(report.diagnostics.is_empty(), "{sensor}\n{}", report.plain());
    pack.unwrap().sensors["s"].clone()
}

const TYPES: &str = "trigger_types: [{name: seen}]\n";

#[test]
fn a_sensor_is_read_whole() {
    let sensor = read(
        "name: s\ndescription: looks\nenabled: false\ncomponent: other\nfunction: look\ninterval: 1m\ntimeout: 20\n\
         trigger_types:\n  - name: seen\n    description: was seen\n    payload_schema: {type: object, properties: {size: {type: integer, required: true}}}\n  - name: gone\n",
    );
    assert_eq!((sensor.reference.as_str(), sensor.description.as_str(), sensor.enabled), ("demo.s", "looks", false));
    assert_eq!((sensor.component.as_str(), sensor.function.as_str()), ("other", "look"));
    assert_eq!((sensor.interval, sensor.timeout), (Duration::from_secs(60), Some(Duration::from_secs(20))));
    let names: Vec<_> = sensor.triggers.iter().map(|kind| kind.reference.as_str()).collect();
    assert_eq!(names, ["demo.seen", "demo.gone"]);
    let seen = &sensor.triggers[0];
    assert_eq!(seen.payload_schema.as_ref().unwrap()["required"], json!(["size"]));
    assert_eq!(seen.check_payload(&json!({"size": 5})), Ok(()));
    assert!(seen.check_payload(&json!({"size": "x"})).unwrap_err().contains("`/size`"));
    assert!(seen.check_payload(&json!({})).unwrap_err().contains("size"));
    assert_eq!(sensor.triggers[1].check_payload(&json!({"anything": 1})), Ok(()));
}

#[test]
fn what_is_left_out_follows_from_the_names() {
    let sensor = read(TYPES);
    assert_eq!((sensor.component.as_str(), sensor.function.as_str()), ("demo", "s"));
    assert_eq!((sensor.interval, sensor.timeout, sensor.enabled), (Duration::from_secs(30), None, true));
    for (text, component, function, seconds) in [
        ("poll_interval: 5\nentry_point: look", "demo", "look", 5),
        ("entry_point: other#look", "other", "look", 30),
        ("component: other.wasm", "other", "s", 30),
    ] {
        let sensor = read(&format!("{text}\n{TYPES}"));
        assert_eq!((sensor.component.as_str(), sensor.function.as_str()), (component, function), "{text}");
        assert_eq!(sensor.interval, Duration::from_secs(seconds));
    }
}

#[test]
fn mistakes_in_a_sensor_are_found_with_what_to_write() {
    let with = |text: &str| said(&demo(&format!("{TYPES}{text}\n")));
    let only = |text: &str| said(&demo(text));
    let shown = [
        only(""),
        only("interval: 5\n"),
        only("triger_types: [{name: seen}]\n"),
        only("trigger_types: seen\n"),
        only("trigger_types: []\n"),
        only("trigger_types: [seen]\n"),
        only("trigger_types: [{description: x}]\n"),
        only("trigger_types: [{name: 'two words'}]\n"),
        only("trigger_types: [{name: demo.seen}]\n"),
        only("trigger_types: [{name: seen}, {name: seen}]\n"),
        only("trigger_types: [{name: seen, payload: {}}]\n"),
        only("trigger_types: [{name: seen, payload_schema: {type: objct}}]\n"),
        only("trigger_types: [{name: seen, payload_schema: {proprties: {}}}]\n"),
        with("class_name: Looker"),
        with("entry_point: looker.py"),
        with("entry_point: other#look\ncomponent: other"),
        with("component: othr"),
        with("component: ../x"),
        with("function: 'two words'"),
        with("interval: 0.1"),
        with("interval: 5\npoll_interval: 5"),
        with("timeout: 0"),
        with("intervall: 5"),
    ]
    .join("\n");
    insta::assert_snapshot!("sensor", shown);
}

#[test]
fn two_sensors_may_emit_the_same_but_not_something_else_of_the_same_name() {
    let demo = demo("trigger_types: [{name: seen, payload_schema: {type: object}}]\n");
    demo.file("sensors/t.yaml", "trigger_types: [{name: seen, payload_schema: {type: object}}]\n");
    assert!(demo.findings().is_empty());
    demo.file("sensors/t.yaml", "trigger_types:\n  - name: seen\n");
    let found = demo.only();
    assert_eq!((found.code.id(), found.line, found.column), ("E-PACK-0011", 2, 11));
    assert_eq!(found.message, "`seen` is declared otherwise in `sensors/s.yaml:1:24`");
}
