//! Runs one action in wasmtime under limits; the WIT host interfaces; the egress door.
