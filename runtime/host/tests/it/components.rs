//! Files that are no component of this world, and components that want more than they may.

use std::sync::Arc;

use runner_host::{Component, World};
use runner_model::{Failure, Outcome, Status, code};
use serde_json::json;

use super::kit::{actions, attempt, code_of, host, sensors, wasm};

async fn load(bytes: impl Into<Arc<[u8]>>, world: World) -> Result<Component, Failure> {
    host().load(bytes.into(), world).await
}

/// An action of one function, whose body and module are given as text.
fn action(module: &str, body: &str) -> Vec<u8> {
    wat::parse_str(format!(
        r#"(component
            (import "runner:plugin/types@0.1.0" (instance $types
                (type $json string)
                (type $fields (record (field "code" string) (field "message" string) (field "details" (option string))
                    (field "retryable" bool)))
                (export "failure" (type $failure (eq $fields)))))
            (alias export $types "failure" (type $failure))
            (core module $m
                (memory (export "memory") 1)
                {module}
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
                (func (export "run") (param i32 i32 i32 i32) (result i32) {body} (i32.const 16))
                ;; The result: ok, and a string of two bytes.
                (data (i32.const 16) "\00\00\00\00\40\00\00\00\02\00\00\00")
                (data (i32.const 64) "42"))
            (core instance $i (instantiate $m))
            (func (export "run") (param "action" string) (param "input" string)
                (result (result string (error $failure)))
                (canon lift (core func $i "run") (memory (core memory $i "memory"))
                    (realloc (core func $i "realloc")))))"#
    ))
    .unwrap()
}

async fn run(module: &str, body: &str) -> Outcome {
    let component = load(action(module, body), World::Action).await.unwrap();
    host().run(&component, attempt("any", json!({}))).await
}

#[tokio::test]
async fn the_smallest_action_runs() {
    assert_eq!(run("", "").await, Outcome::Succeeded { result: json!(42) });
}

#[tokio::test]
async fn a_table_over_the_limit_stops_the_guest() {
    let body = "(drop (table.grow (ref.null func) (i32.const 20000)))";
    let outcome = run("(table 1 funcref)", body).await;
    assert_eq!((outcome.status(), code_of(&outcome)), (Status::Failed, code::HOST_TABLE.id()), "{outcome:?}");
    let body = "(drop (table.grow (ref.null func) (i32.const 100)))";
    assert_eq!(run("(table 1 funcref)", body).await, Outcome::Succeeded { result: json!(42) });
}

#[tokio::test]
async fn a_table_or_memory_that_begins_over_the_limit_is_refused_when_it_is_loaded() {
    let table = load(action("(table 20000 funcref)", ""), World::Action).await.unwrap_err();
    assert_eq!(table.code, code::HOST_TABLE.id(), "{table}");
    let memory = load(action("(memory $second 2000)", ""), World::Action).await.unwrap_err();
    assert_eq!(memory.code, code::HOST_MEMORY.id(), "{memory}");
}

#[tokio::test]
async fn the_memory_limit_is_over_all_memories() {
    // 600 pages each are within 64 MiB, both together are not.
    let outcome = run("(memory $second 600) (memory $third 600)", "").await;
    assert_eq!(code_of(&outcome), code::HOST_MEMORY.id(), "{outcome:?}");
}

#[tokio::test]
async fn too_many_instances_are_refused_when_it_is_loaded() {
    let instances = "(core instance (instantiate $m))".repeat(40);
    let component = wat::parse_str(format!("(component (core module $m) {instances})")).unwrap();
    let failure = load(component, World::Action).await.unwrap_err();
    assert_eq!(failure.code, code::HOST_TABLE.id(), "{failure}");
}

#[tokio::test]
async fn a_trap_names_the_functions_it_went_through() {
    let outcome = run("(func $inner unreachable)", "(call $inner)").await;
    let failure = outcome.failure().unwrap();
    assert_eq!(failure.code, code::HOST_TRAP.id());
    assert!(failure.message.contains("unreachable") && failure.message.contains("inner"), "{failure}");
}

#[tokio::test]
async fn a_recursion_that_needs_no_memory_overflows_the_stack() {
    let outcome = run("(func $deep (call $deep) (call $deep))", "(call $deep)").await;
    assert_eq!(code_of(&outcome), code::HOST_STACK.id(), "{outcome:?}");
}

#[tokio::test]
async fn an_access_out_of_bounds_is_a_trap_and_no_stack_overflow() {
    let outcome = run("", "(drop (i32.load (i32.const -8)))").await;
    assert_eq!(code_of(&outcome), code::HOST_TRAP.id(), "{outcome:?}");
}

#[tokio::test]
async fn a_start_function_that_loops_is_stopped_too() {
    let component = load(action("(func $spin (loop (br 0))) (start $spin)", ""), World::Action).await.unwrap();
    let mut looping = attempt("any", json!({}));
    looping.timeout = std::time::Duration::from_millis(200);
    assert_eq!(code_of(&host().run(&component, looping).await), code::HOST_TIMEOUT.id());
}

#[tokio::test]
async fn what_is_no_component_is_told_apart() {
    let cases: [(Vec<u8>, &str); 4] = [
        (b"#!/bin/sh".to_vec(), "not WebAssembly"),
        (Vec::new(), "not WebAssembly"),
        (wat::parse_str("(module)").unwrap(), "core WebAssembly module"),
        (wasm("host-guest.wasm")[..5_000].to_vec(), "cannot be used"),
    ];
    for (bytes, expected) in cases {
        let failure = load(bytes, World::Action).await.unwrap_err();
        assert_eq!(failure.code, code::HOST_BAD_COMPONENT.id());
        assert!(failure.message.contains(expected), "{failure}");
    }
    let large = load(vec![0; runner_model::limits::COMPONENT_BYTES_MAX + 1], World::Action).await.unwrap_err();
    assert_eq!(large.code, code::HOST_COMPONENT_TOO_LARGE.id());
}

#[tokio::test]
async fn a_component_of_another_world_is_refused() {
    for (name, world) in [
        ("host-sensor.wasm", World::Action),
        ("host-guest.wasm", World::Sensor),
        // A simulator may import neither http nor kv: an action does not even link as one.
        ("host-guest.wasm", World::Simulator),
    ] {
        let failure = load(wasm(name), world).await.unwrap_err();
        assert_eq!(failure.code, code::HOST_BAD_COMPONENT.id(), "{failure}");
        assert!(failure.message.contains(world.name()), "{failure}");
    }
    let outcome = host().run(sensors().await, attempt("counter", json!({}))).await;
    assert_eq!(code_of(&outcome), code::HOST_BAD_COMPONENT.id());
    let outcome = host().poll(actions().await, attempt("echo", json!({})), None).await.unwrap_err();
    assert_eq!(code_of(&outcome), code::HOST_BAD_COMPONENT.id());
}
