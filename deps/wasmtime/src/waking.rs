// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! Wakers. Most guests never wait for anything but the node's own functions, which need none: the
//! waker of a poll only notes that it was used. One that is cloned, to be kept by something outside,
//! becomes a real one.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::task::{RawWaker, RawWakerVTable, Wake, Waker};

type WakeFn = unsafe extern "C" fn(arg: *mut c_void, id: u64);

pub struct Gate {
    wake: WakeFn,
    arg: *mut c_void,
    open: RwLock<bool>,
}
// SAFETY: `wake` is for any thread, says the header.
unsafe impl Send for Gate {}
unsafe impl Sync for Gate {}

/// `rwt_waking`.
pub type RwtWaking = Arc<Gate>;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_waking_new(wake: WakeFn, arg: *mut c_void) -> *mut RwtWaking {
    Box::into_raw(Box::new(Arc::new(Gate { wake, arg, open: RwLock::new(true) })))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_waking_close(waking: *mut RwtWaking) {
    let gate = unsafe { Box::from_raw(waking) };
    *gate.open.write().unwrap() = false; // waits for those inside
}

/// What a poll's waker refers to.
pub struct PollWaker {
    pub used: AtomicBool,
    pub gate: *const RwtWaking,
    pub id: u64,
}

struct Kept {
    gate: Arc<Gate>,
    id: u64,
}

impl Wake for Kept {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }
    fn wake_by_ref(self: &Arc<Self>) {
        let open = self.gate.open.read().unwrap();
        if *open {
            // SAFETY: the gate is open, so that `arg` is alive.
            unsafe { (self.gate.wake)(self.gate.arg, self.id) };
        }
    }
}

unsafe fn clone(data: *const ()) -> RawWaker {
    let poll = unsafe { &*data.cast::<PollWaker>() };
    let kept = Arc::new(Kept { gate: unsafe { (*poll.gate).clone() }, id: poll.id });
    let waker = std::mem::ManuallyDrop::new(Waker::from(kept));
    RawWaker::new(waker.data(), waker.vtable())
}

unsafe fn wake_by_ref(data: *const ()) {
    unsafe { &*data.cast::<PollWaker>() }.used.store(true, Ordering::Relaxed);
}

unsafe fn nothing(_: *const ()) {}

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake_by_ref, wake_by_ref, nothing);

impl PollWaker {
    /// # Safety
    /// The waker must not outlive `self`, unless cloned.
    pub unsafe fn waker(&self) -> Waker {
        unsafe { Waker::from_raw(RawWaker::new(std::ptr::from_ref(self).cast(), &VTABLE)) }
    }
}
