// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! custom-bridge: one component guest on each thread calls the host for ever.

use crate::run_to_end;
use harness::Worker;
use std::cell::Cell;
use std::sync::Arc;
use std::time::Instant;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Result, Store, StoreContextMut};

const GUEST: &str = include_str!("../../../../guests/custom_bridge.wat");
const INTERFACE: &str = "bench:bridge/greeter@0.1.0";

struct Host {
    worker: Arc<Worker>,
    timed: Cell<Option<(u64, Instant)>>,
}

pub fn run(engine: &Engine, worker: Arc<Worker>) -> Result<()> {
    let component = Component::new(engine, GUEST)?;
    let mut linker = Linker::new(engine);
    linker.instance(INTERFACE)?.func_wrap("greet", |store: StoreContextMut<'_, Host>, (name,): (String,)| {
        let host = store.data();
        host.worker.count_call(0, &host.timed);
        Ok((format!("Hello, {name}!"),))
    })?;
    let mut store = Store::new(engine, Host { worker, timed: Cell::new(None) });
    run_to_end(async {
        let instance = linker.instantiate_async(&mut store, &component).await?;
        instance.get_typed_func::<(), ()>(&mut store, "run")?.call_async(&mut store, ()).await
    })
}
