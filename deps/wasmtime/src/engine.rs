// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! Engines: the settings that make a guest pre-emptible and cheap to make and to reset.

use crate::text::{Text, describe, write_text};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// `rwt_engine`.
pub struct RwtEngine(pub Engine);

/// `struct rwt_engine_config`.
#[repr(C)]
pub struct EngineConfig {
    instances: u32,
    tables_per_instance: u32,
    table_elements: u32,
    memory_bytes_max: u64,
    memory_reservation: u64,
    memory_keep_resident: u64,
    stack_bytes: u64,
    guest_stack_bytes: u64,
    pagemap_scan: bool,
}

/// Room for components on average; what one may take at most is Wasmtime's own bound.
const CORE_INSTANCES_PER_GUEST: u32 = 8;

fn pool(config: &EngineConfig) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::default();
    let tables = config.instances.saturating_mul(config.tables_per_instance.max(1));
    // A component is several core instances and tables; these cost nothing until used.
    pool.total_core_instances(config.instances.saturating_mul(CORE_INSTANCES_PER_GUEST))
        .total_component_instances(config.instances)
        .total_memories(config.instances)
        .total_tables(tables)
        .total_stacks(config.instances)
        .max_tables_per_module(config.tables_per_instance)
        .table_elements(config.table_elements as usize)
        .max_memory_size(config.memory_bytes_max as usize)
        .max_unused_warm_slots(config.instances)
        .linear_memory_keep_resident(config.memory_keep_resident as usize)
        .table_keep_resident(4096)
        .async_stack_keep_resident(config.stack_bytes as usize)
        .pagemap_scan(if config.pagemap_scan { Enabled::Auto } else { Enabled::No });
    pool
}

fn settings(config: &EngineConfig) -> Config {
    let mut settings = Config::new();
    settings
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(config)))
        .epoch_interruption(true)
        .memory_reservation(config.memory_reservation)
        .async_stack_size(config.stack_bytes as usize)
        .max_wasm_stack(config.guest_stack_bytes as usize)
        .wasm_backtrace_max_frames(None)
        .concurrency_support(false);
    settings
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_engine_new(
    config: *const EngineConfig,
    error: *mut Text,
) -> *mut RwtEngine {
    match Engine::new(&settings(unsafe { &*config })) {
        Ok(engine) => Box::into_raw(Box::new(RwtEngine(engine))),
        Err(cause) => {
            unsafe { write_text(error, describe(&cause)) };
            std::ptr::null_mut()
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_engine_delete(engine: *mut RwtEngine) {
    drop(unsafe { Box::from_raw(engine) });
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_engine_tick(engine: *const RwtEngine) {
    unsafe { &*engine }.0.increment_epoch();
}
