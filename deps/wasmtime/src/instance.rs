// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! Instances: a store, an instantiation and a call, as one future.

use crate::program::{Entry, PreparedComponent, PreparedModule, Program, RwtPrepared};
use crate::text::{Slice, describe};
use crate::waking::{PollWaker, RwtWaking};
use crate::wasi::{Grant, Wasi};
use crate::{Data, GuestExit, LimitPassed};
use std::ffi::c_void;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use wasmtime::{PoolConcurrencyLimitError, ResourceLimiter, Store, TypedFunc};

/// What a guest may hold, and what it holds.
pub struct Limits {
    memory_bytes_max: u64,
    table_elements_max: u32,
    memory_bytes: u64,
    report: *const AtomicU64,
}

// SAFETY: what it points to is atomic, and outlives the instance.
unsafe impl Send for Limits {}
unsafe impl Sync for Limits {}

impl ResourceLimiter for Limits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.memory_bytes.saturating_add(desired.saturating_sub(current) as u64);
        if total > self.memory_bytes_max {
            let limit = self.memory_bytes_max >> 20;
            return Err(LimitPassed(format!("memory: more than the {limit} MiB allowed")).into());
        }
        self.memory_bytes = total;
        if let Some(report) = unsafe { self.report.as_ref() } {
            report.store(total, Ordering::Relaxed);
        }
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > self.table_elements_max as usize {
            let limit = self.table_elements_max;
            return Err(
                LimitPassed(format!("table: more than the {limit} elements allowed")).into()
            );
        }
        Ok(true)
    }
}

/// `struct rwt_start`.
#[repr(C)]
pub struct Start {
    guest: *mut c_void,
    grant: *const Arc<Grant>,
    waking: *const RwtWaking,
    wake_id: u64,
    memory_bytes_max: u64,
    table_elements_max: u32,
    memory_bytes: *const AtomicU64,
}

type Run = dyn Future<Output = wasmtime::Result<()>> + Send;

/// `rwt_instance`.
pub struct Instance {
    run: Pin<Box<Run>>,
    waker: PollWaker,
    uses_wasi: bool,
    done: bool,
    text: String,
}

/// wasi:cli/run answered an error.
#[derive(Debug)]
struct CommandFailed;
impl std::fmt::Display for CommandFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the command failed")
    }
}
impl std::error::Error for CommandFailed {}

async fn run_module(store: &mut Store<Data>, module: &PreparedModule) -> wasmtime::Result<()> {
    let instance = module.pre.instantiate_async(&mut *store).await?;
    let entry = instance
        .get_module_export(&mut *store, &module.entry)
        .and_then(|export| export.into_func())
        .expect("checked when it was prepared");
    // SAFETY: so was its type. To ask for it here takes a lock.
    let entry = unsafe { TypedFunc::<(), ()>::new_unchecked(&*store, entry) };
    entry.call_async(&mut *store, ()).await
}

async fn run_component(
    store: &mut Store<Data>,
    component: &PreparedComponent,
) -> wasmtime::Result<()> {
    let instance = component.pre.instantiate_async(&mut *store).await?;
    match &component.entry {
        Entry::Handler => Ok(()),
        Entry::Plain(index) => {
            let entry = instance.get_typed_func::<(), ()>(&mut *store, index)?;
            entry.call_async(&mut *store, ()).await
        }
        Entry::Command(index) => {
            let entry = instance.get_typed_func::<(), (Result<(), ()>,)>(&mut *store, index)?;
            let (result,) = entry.call_async(&mut *store, ()).await?;
            result.map_err(|()| CommandFailed.into())
        }
    }
}

async fn run(prepared: RwtPrepared, data: Data) -> wasmtime::Result<()> {
    let mut store = Store::new(&prepared.engine, data);
    store.limiter(|data| &mut data.limits);
    store.set_epoch_deadline(1);
    store.epoch_deadline_async_yield_and_update(1);
    match &prepared.program {
        Program::Module(module) => run_module(&mut store, module).await,
        Program::Component(component) => run_component(&mut store, component).await,
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_start(
    prepared: *const RwtPrepared,
    start: *const Start,
) -> *mut Instance {
    let (prepared, start) = unsafe { (&*prepared, &*start) };
    let data = Data {
        guest: start.guest,
        memory: None,
        module: match &prepared.program {
            Program::Module(module) => module,
            Program::Component(_) => std::ptr::null(),
        },
        limits: Limits {
            memory_bytes_max: start.memory_bytes_max,
            table_elements_max: start.table_elements_max,
            memory_bytes: 0,
            report: start.memory_bytes,
        },
        wasi: Wasi::Unused(start.grant),
    };
    Box::into_raw(Box::new(Instance {
        run: Box::pin(run(prepared.clone(), data)),
        waker: PollWaker { used: AtomicBool::new(false), gate: start.waking, id: start.wake_id },
        uses_wasi: prepared.uses_wasi,
        done: false,
        text: String::new(),
    }))
}

/// `enum rwt_poll`.
const PENDING: u32 = 0;
const YIELDED: u32 = 1;
const FINISHED: u32 = 2;
const EXITED: u32 = 3;
const STATUS: u32 = 4;
const TRAPPED: u32 = 5;
const LIMITED: u32 = 6;
const NO_SLOT: u32 = 7;

/// `struct rwt_outcome`.
#[repr(C)]
pub struct Outcome {
    status: i32,
    text: Slice,
}

/// How a run that failed has ended: the answer and the status.
fn classify(error: &wasmtime::Error) -> (u32, i32) {
    if error.is::<GuestExit>() {
        (EXITED, 0)
    } else if let Some(exit) = error.downcast_ref::<wasmtime_wasi::I32Exit>() {
        if exit.0 == 0 { (FINISHED, 0) } else { (STATUS, exit.0) }
    } else if error.is::<CommandFailed>() {
        (STATUS, 1)
    } else if error.is::<LimitPassed>() {
        (LIMITED, 0)
    } else if error.is::<PoolConcurrencyLimitError>() {
        (NO_SLOT, 0)
    } else {
        (TRAPPED, 0)
    }
}

impl Instance {
    fn poll(&mut self) -> Poll<wasmtime::Result<()>> {
        self.waker.used.store(false, Ordering::Relaxed);
        // SAFETY: it lives as long as this call.
        let waker = unsafe { self.waker.waker() };
        let mut context = Context::from_waker(&waker);
        let run = &mut self.run;
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| run.as_mut().poll(&mut context)));
        polled.unwrap_or_else(|_| {
            Poll::Ready(Err(wasmtime::Error::msg("the host panicked in a call of the guest")))
        })
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_poll(instance: *mut Instance, outcome: *mut Outcome) -> u32 {
    let instance = unsafe { &mut *instance };
    assert!(!instance.done, "polled after its end");
    let polled = if instance.uses_wasi {
        let _inside = crate::wasi::enter();
        instance.poll()
    } else {
        instance.poll()
    };
    let error = match polled {
        Poll::Pending if instance.waker.used.load(Ordering::Relaxed) => return YIELDED,
        Poll::Pending => return PENDING,
        Poll::Ready(result) => {
            instance.done = true;
            match result {
                Ok(()) => return FINISHED,
                Err(error) => error,
            }
        }
    };
    let (answer, status) = classify(&error);
    instance.text = describe(&error);
    unsafe { outcome.write(Outcome { status, text: Slice::of(instance.text.as_bytes()) }) };
    answer
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_instance_delete(instance: *mut Instance) {
    drop(unsafe { Box::from_raw(instance) });
}
