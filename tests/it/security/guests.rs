//! A pack with an action for each thing that no action should do, and the code that each has to end with.

use std::path::Path;

use runner_model::{Code, code};

use super::bombs;

/// An action of the pack `bad`.
pub(crate) struct Bad {
    pub(crate) name: &'static str,
    /// The component, and what it calls the action.
    entry_point: &'static str,
    /// Bytes that it is to make of something, if it asks.
    bytes: Option<u64>,
    pub(crate) expected: &'static [Code],
}

/// Seconds that each may take: only those that loop do.
const TIMEOUT: &str = "30";
/// Seconds for those that loop.
const LOOP_TIMEOUT: &str = "0.05";

/// All of them.
pub(crate) fn all() -> Vec<Bad> {
    let bad = |name, entry_point, expected| Bad { name, entry_point, bytes: None, expected };
    let sized = |name, entry_point, bytes, expected| Bad { name, entry_point, bytes: Some(bytes), expected };
    vec![
        bad("loop_forever", "guest#loop_forever", &[code::HOST_TIMEOUT]),
        bad("loop_in_start", "start#any", &[code::HOST_TIMEOUT]),
        bad("allocate_forever", "guest#allocate_forever", &[code::HOST_MEMORY]),
        bad("many_memories", "memories#any", &[code::HOST_MEMORY]),
        bad("grow_table", "table#any", &[code::HOST_TABLE]),
        bad("recurse", "guest#recurse", &[code::HOST_STACK]),
        bad("panic", "guest#panic", &[code::HOST_TRAP]),
        sized("big_result", "guest#big_result", 2_000_000, &[code::HOST_RESULT_TOO_LARGE]),
        bad("bad_json", "guest#bad_json", &[code::HOST_BAD_RESULT]),
        bad("call_host_forever", "guest#call_host_forever", &[code::HOST_CALLS]),
        sized("pass_much", "guest#pass_much", 9_000_000, &[code::HOST_CALLS]),
        bad("hold_resources", "web#hold_fields", &[code::HOST_TABLE]),
        bad("large_headers", "web#large_fields", &[code::HOST_CALLS]),
        bad("call_wasi_forever", "web#ask_forever", &[code::HOST_CALLS]),
        bad("no_component", "module#any", &[code::HOST_BAD_COMPONENT]),
        bad("compile_bomb", "bomb#any", &[code::HOST_COMPILE_MEMORY, code::HOST_COMPILE_CPU]),
    ]
}

/// Writes the pack, and gives back its actions. `guests` holds the components that have sources of their own.
pub(crate) fn write_pack(packs: &Path, guests: &Path) -> Vec<Bad> {
    let pack = packs.join("bad");
    for below in ["actions", "components"] {
        std::fs::create_dir_all(pack.join(below)).unwrap();
    }
    std::fs::write(pack.join("pack.yaml"), "ref: bad\nversion: 0.1.0\n").unwrap();
    let write = |name: &str, bytes: Vec<u8>| std::fs::write(pack.join("components").join(name), bytes).unwrap();
    write("guest.wasm", std::fs::read(guests.join("host-guest.wasm")).unwrap());
    write("web.wasm", std::fs::read(guests.join("host-web.wasm")).unwrap());
    write("start.wasm", action("(func $spin (loop (br 0))) (start $spin)", ""));
    write("memories.wasm", action("(memory $second 600) (memory $third 600)", ""));
    write("table.wasm", action("(table 1 funcref)", "(drop (table.grow (ref.null func) (i32.const 20000)))"));
    write("module.wasm", wat::parse_str("(module)").unwrap());
    write("bomb.wasm", bombs::of_memory());
    let bad = all();
    for action in &bad {
        let Bad { name, entry_point, bytes, .. } = action;
        let timeout = if name.starts_with("loop") { LOOP_TIMEOUT } else { TIMEOUT };
        let parameters = bytes.map_or_else(String::new, |bytes| {
            format!("parameters:\n  bytes:\n    type: integer\n    default: {bytes}\n")
        });
        let text = format!(
            "name: {name}\nrunner_type: wasm\nentry_point: \"{entry_point}\"\ntimeout: {timeout}\n{parameters}"
        );
        std::fs::write(pack.join("actions").join(format!("{name}.yaml")), text).unwrap();
    }
    bad
}

/// An action of one function, whose body and module are given as text.
fn action(module: &str, body: &str) -> Vec<u8> {
    wat::parse_str(format!(
        r#"(component
            (import "runner:plugin/types@0.1.0" (instance $types
                (type $fields (record (field "code" string) (field "message" string) (field "details" (option string))
                    (field "retryable" bool)))
                (export "failure" (type $failure (eq $fields)))))
            (alias export $types "failure" (type $failure))
            (core module $m
                (memory (export "memory") 1)
                {module}
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
                (func (export "run") (param i32 i32 i32 i32) (result i32) {body} (i32.const 16))
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
