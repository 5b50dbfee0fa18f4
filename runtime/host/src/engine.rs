//! The wasmtime engine: every knob that bounds a guest is set here, from the limits, and none is left to a default.

use runner_model::Limits;
use runner_model::limits::{MEMORIES_PER_COMPONENT_MAX, SIMULATORS_MAX};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmFeatures};

/// Stack for host functions beyond the guest's own: a TLS handshake in a debug build fits.
const HOST_STACK_BYTES: usize = 2 * 1024 * 1024;
/// Memory that stays mapped in a free slot: what a small guest touches need not be faulted in again.
const RESIDENT_BYTES: usize = 256 * 1024;
/// A core instance's own data (function tables of the linker, globals), in bytes: an interpreter needs 100 KiB.
const INSTANCE_BYTES_MAX: usize = 1024 * 1024;
/// Frames of a trap's backtrace: enough to tell a recursion from a deep call.
pub(crate) const BACKTRACE_FRAMES_MAX: usize = 128;

/// Places in the pool: one for each attempt, and those of the simulators.
pub(crate) fn places(limits: &Limits) -> u32 {
    limits.guest.concurrency_max.saturating_add(SIMULATORS_MAX)
}

/// An engine that gives each guest what `limits` allow.
pub(crate) fn build(limits: &Limits) -> wasmtime::Result<Engine> {
    let mut config = settings(limits.guest.stack_bytes_max);
    config.parallel_compilation(true).allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
    Engine::new(&config)
}

/// An engine that only compiles, on one thread, for one that [`build`] makes: no pool is reserved. That its code fits is
/// shown by a test.
pub(crate) fn compiler(stack_bytes_max: usize) -> wasmtime::Result<Engine> {
    let mut config = settings(stack_bytes_max);
    config.parallel_compilation(false);
    Engine::new(&config)
}

/// What machine code depends on.
fn settings(stack_bytes_max: usize) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .consume_fuel(false)
        .max_wasm_stack(stack_bytes_max)
        .async_stack_size(stack_bytes_max.saturating_add(HOST_STACK_BYTES))
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(BACKTRACE_FRAMES_MAX))
        .wasm_component_model(true)
        // What no toolchain of ours emits is not offered: less of the engine can be reached.
        .wasm_features(WasmFeatures::MEMORY64, false)
        .wasm_features(WasmFeatures::CUSTOM_PAGE_SIZES, false);
    config
}

fn pool(limits: &Limits) -> PoolingAllocationConfig {
    let guest = &limits.guest;
    let places = places(limits);
    // Each core instance brings a table at the most.
    let tables = guest.instances_max;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(places)
        .total_core_instances(places.saturating_mul(guest.instances_max))
        .total_memories(places.saturating_mul(MEMORIES_PER_COMPONENT_MAX))
        .total_tables(places.saturating_mul(tables))
        .total_stacks(places)
        .max_core_instances_per_component(guest.instances_max)
        .max_memories_per_component(MEMORIES_PER_COMPONENT_MAX)
        .max_tables_per_component(tables)
        .max_memories_per_module(MEMORIES_PER_COMPONENT_MAX)
        .max_tables_per_module(tables)
        .max_core_instance_size(INSTANCE_BYTES_MAX)
        .max_component_instance_size(INSTANCE_BYTES_MAX)
        .max_memory_size(guest.memory_bytes_max)
        .table_elements(guest.table_elements_max)
        .max_unused_warm_slots(places)
        // Where the kernel tells which pages were written, only those are cleared, wherever in the memory they are.
        .pagemap_scan(Enabled::Auto)
        .linear_memory_keep_resident(RESIDENT_BYTES)
        .table_keep_resident(RESIDENT_BYTES);
    pool
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};

    use super::*;

    fn settings_of(engine: &Engine) -> u64 {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn what_compiles_makes_code_for_what_runs() {
        let mut limits = Limits::default();
        limits.guest.concurrency_max = 2;
        let runs = build(&limits).unwrap();
        let compiles = compiler(limits.guest.stack_bytes_max).unwrap();
        assert_eq!(settings_of(&runs), settings_of(&compiles));
    }
}
