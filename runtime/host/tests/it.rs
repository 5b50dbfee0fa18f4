//! Real guests in a real host, against real servers on the loopback.

#![allow(clippy::needless_pass_by_value, reason = "tests hand over `json!` values")]

#[cfg(test)]
mod it {
    mod kit;
    mod server;

    mod addresses;
    mod bad_guests;
    mod cache;
    mod cassettes;
    mod components;
    mod connections;
    mod egress;
    mod hostile;
    mod interfaces;
    mod knobs;
    mod mutual;
    mod pools;
    mod retries;
    mod secrets;
    mod simulators;
    mod spellings;
    mod stopping;
    mod tls;
    mod tokens;
    mod wasi;
    mod web;
}
