// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! Answers of C functions on their way into a component: the bytes stay where C has them until
//! they have been copied into the guest, once.

use crate::text::Slice;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use wasmtime::Result;
use wasmtime::component::__internal::{
    CanonicalAbiInfo, InstanceType, InterfaceType, LowerContext,
};
use wasmtime::component::{ComponentType, Lower};

/// `struct rwt_ret`.
#[repr(C)]
pub struct Ret {
    pub number: u64,
    pub present: bool,
    pub bytes: Slice,
    pub strings: *const Slice,
    pub string_count: usize,
    pub info: *const CProcessInfo,
    pub connection: *const CConnectionInfo,
    pub release: Option<unsafe extern "C" fn(*mut c_void)>,
    pub owner: *mut c_void,
    pub error: Slice,
}

impl Ret {
    pub fn new() -> Ret {
        Ret {
            number: 0,
            present: false,
            bytes: Slice::NONE,
            strings: std::ptr::null(),
            string_count: 0,
            info: std::ptr::null(),
            connection: std::ptr::null(),
            release: None,
            owner: std::ptr::null_mut(),
            error: Slice::NONE,
        }
    }
}

impl Drop for Ret {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: the C side asked for it.
            unsafe { release(self.owner) };
        }
    }
}

// SAFETY: an answer is made and used within one call.
unsafe impl Send for Ret {}
unsafe impl Sync for Ret {}

/// What a component's function may answer, made of what C wrote.
pub trait Answer: Sized {
    fn from_ret(ret: Ret) -> Self;
}

/// Bytes that C owns; released once lowered.
pub struct Bytes(Ret);
/// The same as a string. What is no UTF-8 was replaced.
pub struct Text(String);
/// The same as list<u64>.
pub struct Numbers(Ret);

impl Numbers {
    fn slice(&self) -> &[u64] {
        let bytes = self.0.bytes.bytes();
        if bytes.is_empty() {
            return &[];
        }
        // SAFETY: C gives an array of u64, by its bytes.
        unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len() / 8) }
    }
}

/// `$name` is lowered as `$as` would be.
macro_rules! lower_as {
    ($name:ty, $as:ty, $get:expr) => {
        // SAFETY: everything is `$as`'s own.
        unsafe impl ComponentType for $name {
            type Lower = <$as as ComponentType>::Lower;
            const ABI: CanonicalAbiInfo = <$as as ComponentType>::ABI;
            fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
                <$as as ComponentType>::typecheck(ty, types)
            }
        }
        unsafe impl Lower for $name {
            fn linear_lower_to_flat<U>(
                &self,
                cx: &mut LowerContext<'_, U>,
                ty: InterfaceType,
                dst: &mut MaybeUninit<Self::Lower>,
            ) -> Result<()> {
                <$as as Lower>::linear_lower_to_flat($get(self), cx, ty, dst)
            }
            fn linear_lower_to_memory<U>(
                &self,
                cx: &mut LowerContext<'_, U>,
                ty: InterfaceType,
                offset: usize,
            ) -> Result<()> {
                <$as as Lower>::linear_lower_to_memory($get(self), cx, ty, offset)
            }
        }
    };
}
lower_as!(Bytes, [u8], bytes_of);
lower_as!(Text, str, text_of);
lower_as!(Numbers, [u64], Numbers::slice);

fn bytes_of(bytes: &Bytes) -> &[u8] {
    bytes.0.bytes.bytes()
}
fn text_of(text: &Text) -> &str {
    &text.0
}

/// What a custom bridge has answered, where C has it: UTF-8 that was checked, or bytes.
pub struct Utf8(Slice);
pub struct Raw(pub Slice);
// SAFETY: an answer is made and used within one call.
unsafe impl Send for Utf8 {}
unsafe impl Sync for Utf8 {}
unsafe impl Send for Raw {}
unsafe impl Sync for Raw {}
lower_as!(Utf8, str, utf8_of);
lower_as!(Raw, [u8], raw_of);

impl Utf8 {
    pub fn check(text: Slice) -> Option<Utf8> {
        std::str::from_utf8(text.bytes()).is_ok().then_some(Utf8(text))
    }
}
fn utf8_of(text: &Utf8) -> &str {
    // SAFETY: checked when it was made.
    unsafe { std::str::from_utf8_unchecked(text.0.bytes()) }
}
fn raw_of(bytes: &Raw) -> &[u8] {
    bytes.0.bytes()
}

impl Answer for () {
    fn from_ret(_: Ret) {}
}
impl Answer for u64 {
    fn from_ret(ret: Ret) -> u64 {
        ret.number
    }
}
impl Answer for u32 {
    fn from_ret(ret: Ret) -> u32 {
        ret.number as u32
    }
}
impl Answer for bool {
    fn from_ret(ret: Ret) -> bool {
        ret.number != 0
    }
}
impl Answer for Bytes {
    fn from_ret(ret: Ret) -> Bytes {
        Bytes(ret)
    }
}
impl Answer for Text {
    fn from_ret(ret: Ret) -> Text {
        Text(ret.bytes.lossy().into_owned())
    }
}
impl Answer for Numbers {
    fn from_ret(ret: Ret) -> Numbers {
        Numbers(ret)
    }
}
impl Answer for Vec<Text> {
    fn from_ret(ret: Ret) -> Vec<Text> {
        unsafe { texts(ret.strings, ret.string_count) }
    }
}
impl<T: Answer> Answer for Option<T> {
    fn from_ret(ret: Ret) -> Option<T> {
        ret.present.then(|| T::from_ret(ret))
    }
}
/// result<option<T>, string> would need two flags: data NULL is none.
pub struct Maybe<T>(pub Option<T>);
impl Answer for Maybe<Bytes> {
    fn from_ret(ret: Ret) -> Maybe<Bytes> {
        Maybe((!ret.bytes.data.is_null()).then(|| Bytes(ret)))
    }
}
lower_as!(Maybe<Bytes>, Option<Bytes>, maybe_of);
fn maybe_of(maybe: &Maybe<Bytes>) -> &Option<Bytes> {
    &maybe.0
}

impl<T: Answer> Answer for Result<T, Text> {
    fn from_ret(ret: Ret) -> Result<T, Text> {
        if ret.present { Ok(T::from_ret(ret)) } else { Err(Text::from_ret(ret)) }
    }
}

unsafe fn texts(items: *const Slice, count: usize) -> Vec<Text> {
    (0..count).map(|i| Text(unsafe { &*items.add(i) }.lossy().into_owned())).collect()
}

/// `struct rwt_process_info`.
#[repr(C)]
pub struct CProcessInfo {
    pid: u64,
    links: u32,
    monitors: u32,
    names: *const Slice,
    name_count: usize,
    has_label: bool,
    label: Slice,
    mailbox_depth: u64,
    trap_exit: bool,
}

#[derive(ComponentType, Lower)]
#[component(record)]
pub struct ProcessInfo {
    pid: u64,
    links: u32,
    monitors: u32,
    names: Vec<Text>,
    label: Option<Text>,
    #[component(name = "mailbox-depth")]
    mailbox_depth: u32,
    #[component(name = "trap-exit")]
    trap_exit: bool,
}

impl Answer for ProcessInfo {
    fn from_ret(ret: Ret) -> ProcessInfo {
        // SAFETY: `present` says that it is there.
        let info = unsafe { &*ret.info };
        ProcessInfo {
            pid: info.pid,
            links: info.links,
            monitors: info.monitors,
            names: unsafe { texts(info.names, info.name_count) },
            label: info.has_label.then(|| Text(info.label.lossy().into_owned())),
            mailbox_depth: u32::try_from(info.mailbox_depth).unwrap_or(u32::MAX),
            trap_exit: info.trap_exit,
        }
    }
}

/// `struct rwt_connection_info`.
#[repr(C)]
pub struct CConnectionInfo {
    method: Slice,
    path: Slice,
    query: Slice,
    remote_addr: Slice,
    subprotocol: Slice,
    has_subprotocol: bool,
    params: *const Slice,
    headers: *const Slice,
    param_count: usize,
    header_count: usize,
}

#[derive(ComponentType, Lower)]
#[component(record)]
pub struct ConnectionInfo {
    method: Text,
    path: Text,
    query: Text,
    params: Vec<(Text, Text)>,
    headers: Vec<(Text, Text)>,
    #[component(name = "remote-addr")]
    remote_addr: Text,
    subprotocol: Option<Text>,
}

impl Answer for ConnectionInfo {
    fn from_ret(ret: Ret) -> ConnectionInfo {
        // SAFETY: `present` says that it is there.
        let info = unsafe { &*ret.connection };
        let text = |slice: &Slice| Text(slice.lossy().into_owned());
        let pairs = |items: *const Slice, count: usize| {
            (0..count)
                .map(|i| unsafe { (text(&*items.add(2 * i)), text(&*items.add(2 * i + 1))) })
                .collect()
        };
        ConnectionInfo {
            method: text(&info.method),
            path: text(&info.path),
            query: text(&info.query),
            params: pairs(info.params, info.param_count),
            headers: pairs(info.headers, info.header_count),
            remote_addr: text(&info.remote_addr),
            subprotocol: info.has_subprotocol.then(|| text(&info.subprotocol)),
        }
    }
}
