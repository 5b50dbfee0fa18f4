//! S1 to S3: what each limit of a guest is, and that each of them is kept wherever a guest can run: also where the engine
//! calls it while a result is read or an argument is passed.

use std::time::Duration;

use runner_host::World;
use runner_model::{Limits, Outcome, code, limits};
use serde_json::json;

use super::kit::{attempt, code_of, host};

/// An action that imports `log` and `config`, whose parts are given as text.
fn action(module: &str, run: &str, realloc: &str, post_return: &str) -> Vec<u8> {
    wat::parse_str(format!(
        r#"(component
            (import "runner:plugin/types@0.1.0" (instance $types
                (type $fields (record (field "code" string) (field "message" string) (field "details" (option string))
                    (field "retryable" bool)))
                (export "failure" (type $failure (eq $fields)))))
            (alias export $types "failure" (type $failure))
            (import "runner:plugin/config@0.1.0" (instance $config (export "get" (func (result string)))))
            (import "runner:plugin/log@0.1.0" (instance $log
                (type $levels (enum "trace" "debug" "info" "warn" "error"))
                (export "level" (type $level (eq $levels)))
                (export "emit" (func (param "level" $level) (param "message" string)
                    (param "fields" (list (tuple string string)))))))
            (core module $memory
                (memory (export "memory") 20)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
            (core instance $m (instantiate $memory))
            (core func $get (canon lower (func $config "get") (memory (core memory $m "memory"))
                (realloc (core func $m "realloc"))))
            (core func $emit (canon lower (func $log "emit") (memory (core memory $m "memory"))))
            (core module $code
                (import "host" "memory" (memory 1))
                (import "host" "get" (func $get (param i32)))
                (import "host" "emit" (func $emit (param i32 i32 i32 i32 i32)))
                {module}
                (func $realloc (export "realloc") (param i32 i32 i32 i32) (result i32) {realloc} (i32.const 1024))
                (func (export "run") (param i32 i32 i32 i32) (result i32) {run} (i32.const 16))
                (func (export "post-return") (param i32) {post_return})
                ;; The result: ok, and a string of two bytes.
                (data (i32.const 16) "\00\00\00\00\40\00\00\00\02\00\00\00")
                (data (i32.const 64) "42"))
            (core instance $i (instantiate $code (with "host" (instance
                (export "memory" (memory $m "memory")) (export "get" (func $get)) (export "emit" (func $emit))))))
            (func (export "run") (param "action" string) (param "input" string)
                (result (result string (error $failure)))
                (canon lift (core func $i "run") (memory (core memory $m "memory")) (realloc (core func $i "realloc"))
                    (post-return (core func $i "post-return")))))"#
    ))
    .unwrap()
}

async fn run(component: Vec<u8>, timeout: Duration) -> Outcome {
    let component = host().load(component.into(), World::Action).await.unwrap();
    let mut attempt = attempt("any", json!({}));
    attempt.timeout = timeout;
    host().run(&component, attempt).await
}

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(200);
const LOOP: &str = "(loop (br 0))";

#[tokio::test]
async fn a_loop_ends_at_its_timeout_wherever_the_engine_calls_the_guest() {
    assert_eq!(run(action("", "", "", ""), LONG).await, Outcome::Succeeded { result: json!(42) });
    for (place, component) in [
        ("start", action(&format!("(func $spin {LOOP}) (start $spin)"), "", "", "")),
        ("run", action("", LOOP, "", "")),
        ("realloc", action("", "", LOOP, "")),
        ("post-return", action("", "", "", LOOP)),
    ] {
        let outcome = run(component, SHORT).await;
        assert_eq!(code_of(&outcome), code::HOST_TIMEOUT.id(), "{place}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_recursion_that_goes_through_the_host_is_a_trap() {
    // Taking the arguments calls `realloc`, which calls the host, whose answer would call `realloc` …
    let outcome = run(action("", "", "(call $get (i32.const 128))", ""), LONG).await;
    assert_eq!(code_of(&outcome), code::HOST_TRAP.id(), "{outcome:?}");
    // The same from a call that has begun.
    let outcome = run(action("(func $r (call $r) (call $get (i32.const 128)))", "(call $r)", "", ""), LONG).await;
    assert_eq!(code_of(&outcome), code::HOST_STACK.id(), "{outcome:?}");
}

#[tokio::test]
async fn a_trap_wherever_the_engine_calls_the_guest_is_an_outcome() {
    for component in [
        action("(func $fail unreachable) (start $fail)", "", "", ""),
        action("", "", "unreachable", ""),
        action("", "", "", "unreachable"),
    ] {
        let outcome = run(component, LONG).await;
        assert_eq!(code_of(&outcome), code::HOST_TRAP.id(), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_list_whose_elements_overlap_costs_the_host_no_more_than_one_call_may() {
    // So many fields, each of which is the same 64 KiB: some MiB of the guest's memory are many GiB of the host's.
    let fields = |count: u32| {
        let fill = format!(
            "(local $i i32) (loop $next
                (i32.store (i32.add (i32.const 65536) (i32.mul (local.get $i) (i32.const 16))) (i32.const 0))
                (i32.store (i32.add (i32.const 65540) (i32.mul (local.get $i) (i32.const 16))) (i32.const 65000))
                (i32.store (i32.add (i32.const 65544) (i32.mul (local.get $i) (i32.const 16))) (i32.const 0))
                (i32.store (i32.add (i32.const 65548) (i32.mul (local.get $i) (i32.const 16))) (i32.const 65000))
                (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const {count}))))"
        );
        let call =
            format!("(call $emit (i32.const 2) (i32.const 64) (i32.const 2) (i32.const 65536) (i32.const {count}))");
        action("", &format!("{fill} {call}"), "", "")
    };
    assert_eq!(run(fields(50), LONG).await, Outcome::Succeeded { result: json!(42) });
    for count in [100, 10_000, 60_000] {
        let outcome = run(fields(count), LONG).await;
        assert_eq!(code_of(&outcome), code::HOST_CALLS.id(), "{count}: {outcome:?}");
    }
}

/// Each knob has the value of its goal. That it is kept is shown with guests: `bad_guests`, `components`, `web`, `cache`.
#[test]
fn each_knob_has_the_value_of_its_goal() {
    const KIB: usize = 1024;
    let defaults = Limits::default();
    let guest = &defaults.guest;
    assert_eq!((guest.memory_bytes_max, guest.table_elements_max), (64 * KIB * KIB, 10_000));
    assert_eq!((guest.stack_bytes_max, guest.host_call_bytes_max), (512 * KIB, 8 * KIB * KIB));
    assert_eq!((limits::RESOURCES_MAX, limits::RANDOM_BYTES_MAX), (1_000, 64 * KIB));
    assert_eq!((limits::WASI_FIELDS_BYTES_MAX, guest.result_bytes_max), (64 * KIB, KIB * KIB));
    assert_eq!((guest.log_bytes_max, guest.log_lines_per_second_max), (256 * KIB, 1_000));
    let compile = &defaults.compile;
    assert_eq!((compile.cpu, compile.memory_bytes_max), (Duration::from_secs(20), 1 << 30));
    assert_eq!(limits::COMPONENT_BYTES_MAX, 32 * KIB * KIB);
    assert!(compile.at_once_max <= 2);
}
