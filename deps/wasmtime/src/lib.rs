// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! Wasmtime behind the C interface of `include/rusm_wasmtime.h`, which says what each function does.
//! Plumbing only: pointers in, pointers out. Every function here trusts its C caller to keep the
//! header's rules; nothing here trusts a guest.

mod component;
mod core_funcs;
mod engine;
mod http;
mod instance;
mod lower;
mod program;
mod text;
mod waking;
mod wasi;

use wasmtime::Memory;

/// What a store carries.
pub(crate) struct Data {
    /// The C side's process, given back to every host function.
    pub guest: *mut std::ffi::c_void,
    /// The program, if it is a core module; the run holds it.
    pub module: *const program::PreparedModule,
    /// Its exported memory, once a host function has been called.
    pub memory: Option<Memory>,
    pub limits: instance::Limits,
    pub wasi: wasi::Wasi,
}

// SAFETY: a store is used by one thread at a time, as the header demands; the pointers in it belong
// to whoever polls.
unsafe impl Send for Data {}
unsafe impl Sync for Data {}

/// A host function answered RWT_EXIT.
#[derive(Debug)]
pub(crate) struct GuestExit;
/// A limit was passed; what is shown says which.
#[derive(Debug)]
pub(crate) struct LimitPassed(pub String);

impl std::fmt::Display for GuestExit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the guest has exited")
    }
}
impl std::error::Error for GuestExit {}
impl std::fmt::Display for LimitPassed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for LimitPassed {}

/// `enum rwt_status`.
pub(crate) const DONE: u32 = 0;
pub(crate) const BLOCK: u32 = 1;
pub(crate) const TRAP: u32 = 2;
pub(crate) const EXIT: u32 = 3;
pub(crate) const SPENT: u32 = 4;

/// What a status other than BLOCK means to Wasmtime. `error` is read with TRAP only.
pub(crate) fn settle(
    status: u32,
    error: &text::Slice,
    engine: &wasmtime::Engine,
) -> wasmtime::Result<()> {
    match status {
        DONE => Ok(()),
        SPENT => {
            engine.increment_epoch();
            Ok(())
        }
        TRAP => Err(wasmtime::Error::msg(error.lossy().into_owned())),
        EXIT => Err(GuestExit.into()),
        other => panic!("a host function answered {other}"),
    }
}
