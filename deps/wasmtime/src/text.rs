// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! Strings and bytes across the border.

use std::borrow::Cow;
use std::ffi::{CStr, c_char};

/// `struct rwt_slice`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Slice {
    pub data: *const u8,
    pub len: usize,
}

impl Slice {
    pub const NONE: Slice = Slice { data: std::ptr::null(), len: 0 };

    pub fn of(bytes: &[u8]) -> Slice {
        Slice { data: bytes.as_ptr(), len: bytes.len() }
    }

    pub fn bytes(&self) -> &[u8] {
        if self.data.is_null() {
            return &[];
        }
        // SAFETY: the C side gives `len` readable bytes, borrowed for the call.
        unsafe { std::slice::from_raw_parts(self.data, self.len) }
    }

    pub fn lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.bytes())
    }
}

/// `struct rwt_text`.
#[repr(C)]
pub struct Text {
    data: *mut c_char,
    len: usize,
}

/// Puts `error` where the caller wants it, if it does.
///
/// # Safety
/// `out` is NULL or points to a `struct rwt_text` to be written.
pub unsafe fn write_text(out: *mut Text, text: String) {
    if out.is_null() {
        return;
    }
    let bytes = text.into_bytes().into_boxed_slice();
    let len = bytes.len();
    unsafe { out.write(Text { data: Box::into_raw(bytes).cast(), len }) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_text_delete(text: Text) {
    if !text.data.is_null() {
        let bytes = std::ptr::slice_from_raw_parts_mut(text.data.cast::<u8>(), text.len);
        drop(unsafe { Box::from_raw(bytes) });
    }
}

/// # Safety
/// `text` is NULL or a C string.
pub unsafe fn owned(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// # Safety
/// `items` points to `count` C strings.
pub unsafe fn owned_list(items: *const *const c_char, count: usize) -> Vec<String> {
    (0..count).map(|i| unsafe { owned(*items.add(i)) }).collect()
}

/// An error as people read it: with its causes, in one line.
pub fn describe(error: &wasmtime::Error) -> String {
    format!("{error:#}").replace('\n', " ")
}
