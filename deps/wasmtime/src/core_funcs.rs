// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! Host functions for core modules.

use crate::program::{RwtLinker, report};
use crate::text::{Slice, Text, owned};
use crate::{BLOCK, Data, settle};
use std::ffi::{c_char, c_void};
use std::future::ready;
use std::mem::MaybeUninit;
use std::task::Poll;
use wasmtime::{Caller, FuncType, Linker, Memory, Result, ValRaw, ValType};

/// `struct rwt_core_call`.
#[repr(C)]
pub struct Call {
    guest: *mut c_void,
    memory: *mut u8,
    memory_bytes: usize,
    values: *mut ValRaw,
    error: Slice,
}
type CoreFn = unsafe extern "C" fn(*mut Call) -> u32;

/// `struct rwt_core_func`.
#[repr(C)]
pub struct CoreFunc {
    module: *const c_char,
    name: *const c_char,
    ty: *const c_char,
    func: CoreFn,
    may_block: bool,
}

/// Looked up by the first call: guests that make none need not pay for it.
#[cold]
fn find_memory(caller: &mut Caller<'_, Data>) -> Option<Memory> {
    // SAFETY: the run that called the guest holds its program.
    let module = unsafe { caller.data().module.as_ref() }?;
    let memory = caller.get_module_export(module.memory.as_ref()?)?.into_memory();
    caller.data_mut().memory = memory;
    memory
}

/// Calls the C function once; `values` holds the parameters and then the result.
fn call_once(caller: &mut Caller<'_, Data>, func: CoreFn, values: *mut ValRaw) -> (u32, Slice) {
    let memory = caller.data().memory.or_else(|| find_memory(caller));
    let (base, len) = match memory {
        Some(memory) => (memory.data_ptr(&*caller), memory.data_size(&*caller)),
        None => (std::ptr::null_mut(), 0),
    };
    let mut call = Call {
        guest: caller.data().guest,
        memory: base,
        memory_bytes: len,
        values,
        error: Slice::NONE,
    };
    // SAFETY: the C side keeps to the header.
    let status = unsafe { func(&mut call) };
    (status, call.error)
}

fn parse_type(engine: &wasmtime::Engine, ty: &str) -> Result<FuncType> {
    let list = |letters: &str| {
        letters
            .chars()
            .map(|letter| match letter {
                'i' => Ok(ValType::I32),
                'I' => Ok(ValType::I64),
                _ => wasmtime::bail!("`{ty}` is not a type of a core function"),
            })
            .collect::<Result<Vec<_>>>()
    };
    let Some((params, results)) = ty.split_once(':') else {
        wasmtime::bail!("`{ty}` is not a type of a core function")
    };
    Ok(FuncType::new(engine, list(params)?, list(results)?))
}

fn define(
    linker: &mut Linker<Data>,
    module: &str,
    name: &str,
    ty: &str,
    func: CoreFn,
) -> Result<()> {
    let ty = parse_type(linker.engine(), ty)?;
    let body = move |mut caller: Caller<'_, Data>, values: &mut [MaybeUninit<ValRaw>]| {
        let (status, error) = call_once(&mut caller, func, values.as_mut_ptr().cast());
        settle(status, &error, caller.engine())
    };
    // SAFETY: the C function reads and writes values as its type says.
    unsafe { linker.func_new_unchecked(module, name, ty, body)? };
    Ok(())
}

/// A value as the C side sees it.
trait Raw {
    fn raw(self) -> ValRaw;
    fn from_raw(raw: ValRaw) -> Self;
}
impl Raw for i32 {
    fn raw(self) -> ValRaw {
        ValRaw::i32(self)
    }
    fn from_raw(raw: ValRaw) -> i32 {
        raw.get_i32()
    }
}
impl Raw for i64 {
    fn raw(self) -> ValRaw {
        ValRaw::i64(self)
    }
    fn from_raw(raw: ValRaw) -> i64 {
        raw.get_i64()
    }
}
impl Raw for () {
    fn raw(self) -> ValRaw {
        ValRaw::i32(0)
    }
    fn from_raw(_: ValRaw) {}
}

const PARAMS_MAX: usize = 8;

/// Calls the C function again whenever it is polled, until it no longer blocks. It has blocked just
/// now, so that the first poll does not call.
async fn call_again(
    mut caller: Caller<'_, Data>,
    func: CoreFn,
    params: [ValRaw; PARAMS_MAX],
) -> Result<ValRaw> {
    let mut values = params;
    let mut asked = false;
    std::future::poll_fn(|_| {
        if !std::mem::replace(&mut asked, true) {
            return Poll::Pending;
        }
        values = params;
        let (status, error) = call_once(&mut caller, func, values.as_mut_ptr());
        if status == BLOCK {
            return Poll::Pending;
        }
        Poll::Ready(settle(status, &error, caller.engine()))
    })
    .await?;
    Ok(values[0])
}

/// One arm for each type that a blocking function may have: Wasmtime wants them as Rust types.
macro_rules! define_blocking {
    ($linker:ident, $module:ident, $name:ident, $ty:ident, $func:ident,
     $($text:literal => ($($param:ident: $kind:ty),*) -> $result:ty,)*) => {
        match $ty {
            $($text => {
                $linker.func_wrap_async($module, $name,
                    move |mut caller: Caller<'_, Data>, ($($param,)*): ($($kind,)*)| {
                        let mut params = [ValRaw::i64(0); PARAMS_MAX];
                        let given: &[ValRaw] = &[$($param.raw()),*];
                        params[..given.len()].copy_from_slice(given);
                        let mut values = params;
                        let (status, error) = call_once(&mut caller, $func, values.as_mut_ptr());
                        if status == BLOCK {
                            return Box::new(async move {
                                let raw = call_again(caller, $func, params).await?;
                                Ok::<$result, wasmtime::Error>(<$result>::from_raw(raw))
                            });
                        }
                        // The usual case, and a smaller box.
                        let settled = settle(status, &error, caller.engine());
                        Box::new(ready(settled.map(|()| <$result>::from_raw(values[0]))))
                    })?;
                Ok(())
            })*
            _ => wasmtime::bail!("no blocking core function has type `{}`", $ty),
        }
    };
}

fn define_async(
    linker: &mut Linker<Data>,
    module: &str,
    name: &str,
    ty: &str,
    func: CoreFn,
) -> Result<()> {
    define_blocking!(linker, module, name, ty, func,
        ":" => () -> (),
        ":i" => () -> i32,
        ":I" => () -> i64,
        "i:i" => (a: i32) -> i32,
        "I:i" => (a: i64) -> i32,
        "I:I" => (a: i64) -> i64,
        "ii:" => (a: i32, b: i32) -> (),
        "ii:i" => (a: i32, b: i32) -> i32,
        "ii:I" => (a: i32, b: i32) -> i64,
        "Ii:i" => (a: i64, b: i32) -> i32,
        "Iii:" => (a: i64, b: i32, c: i32) -> (),
        "Iii:i" => (a: i64, b: i32, c: i32) -> i32,
        "iiI:i" => (a: i32, b: i32, c: i64) -> i32,
        "iiI:I" => (a: i32, b: i32, c: i64) -> i64,
        "iiii:i" => (a: i32, b: i32, c: i32, d: i32) -> i32,
        "iiii:I" => (a: i32, b: i32, c: i32, d: i32) -> i64,
        "iiiiI:i" => (a: i32, b: i32, c: i32, d: i32, e: i64) -> i32,
        "Iiiii:i" => (a: i64, b: i32, c: i32, d: i32, e: i32) -> i32,
        "iiiii:I" => (a: i32, b: i32, c: i32, d: i32, e: i32) -> i64,
        "iiiii:i" => (a: i32, b: i32, c: i32, d: i32, e: i32) -> i32,
        "iiiiii:I" => (a: i32, b: i32, c: i32, d: i32, e: i32, f: i32) -> i64,
    )
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_linker_core(
    linker: *mut RwtLinker,
    func: *const CoreFunc,
    error: *mut Text,
) -> bool {
    let (linker, func) = unsafe { (&mut (*linker).core, &*func) };
    let (module, name, ty) = unsafe { (owned(func.module), owned(func.name), owned(func.ty)) };
    let result = if func.may_block {
        define_async(linker, &module, &name, &ty, func.func)
    } else {
        define(linker, &module, &name, &ty, func.func)
    };
    unsafe { report(result, error) }
}
