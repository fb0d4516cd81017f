// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! Host functions for components. Wasmtime wants their types as Rust types, so the types that the
//! node's interfaces use are listed here, each with its letters; what is read stays in the guest's
//! memory during the call.

use crate::lower::{
    Answer, Bytes, ConnectionInfo, Maybe, Numbers, ProcessInfo, Raw, Ret, Text as Out, Utf8,
};
use crate::program::{RwtLinker, report};
use crate::text::{Slice, Text, owned};
use crate::{BLOCK, Data, settle};
use std::borrow::Cow;
use std::ffi::{c_char, c_void};
use std::task::Poll;
use wasmtime::component::{
    Component, ComponentType, Lift, Linker, LinkerInstance, Lower, Val, WasmList, WasmStr, types,
};
use wasmtime::{Result, StoreContextMut};

/// `union rwt_arg`.
#[repr(C)]
#[derive(Clone, Copy)]
pub union Arg {
    number: u64,
    bytes: Slice,
    strings: Strings,
}
#[repr(C)]
#[derive(Clone, Copy)]
struct Strings {
    items: *const Slice,
    count: usize,
}

type ComponentFn = unsafe extern "C" fn(guest: *mut c_void, args: *const Arg, ret: *mut Ret) -> u32;

/// `struct rwt_component_func`.
#[repr(C)]
pub struct ComponentFunc {
    interface: *const c_char,
    name: *const c_char,
    ty: *const c_char,
    func: ComponentFn,
    may_block: bool,
}

/// What an argument needs while C looks at it: held, never read.
#[allow(dead_code)]
enum Held<'a> {
    Nothing,
    Text(Cow<'a, str>),
    Texts(Vec<Cow<'a, str>>, Vec<Slice>),
}

/// What a component may give to a function.
trait Param: Send + Sync {
    fn arg<'a>(&'a self, store: &'a StoreContextMut<'_, Data>, held: &mut Held<'a>) -> Result<Arg>;
}

impl Param for u64 {
    fn arg<'a>(&'a self, _: &'a StoreContextMut<'_, Data>, _: &mut Held<'a>) -> Result<Arg> {
        Ok(Arg { number: *self })
    }
}
impl Param for u32 {
    fn arg<'a>(&'a self, _: &'a StoreContextMut<'_, Data>, _: &mut Held<'a>) -> Result<Arg> {
        Ok(Arg { number: u64::from(*self) })
    }
}
impl Param for u16 {
    fn arg<'a>(&'a self, _: &'a StoreContextMut<'_, Data>, _: &mut Held<'a>) -> Result<Arg> {
        Ok(Arg { number: u64::from(*self) })
    }
}
impl Param for bool {
    fn arg<'a>(&'a self, _: &'a StoreContextMut<'_, Data>, _: &mut Held<'a>) -> Result<Arg> {
        Ok(Arg { number: u64::from(*self) })
    }
}
impl Param for Option<u32> {
    fn arg<'a>(&'a self, _: &'a StoreContextMut<'_, Data>, _: &mut Held<'a>) -> Result<Arg> {
        Ok(Arg { number: self.map_or(u64::MAX, u64::from) })
    }
}
impl Param for WasmList<u8> {
    fn arg<'a>(&'a self, store: &'a StoreContextMut<'_, Data>, _: &mut Held<'a>) -> Result<Arg> {
        Ok(Arg { bytes: Slice::of(self.as_le_slice(store)) })
    }
}
fn text_arg<'a>(text: Cow<'a, str>, held: &mut Held<'a>) -> Arg {
    let bytes = Slice::of(text.as_bytes());
    *held = Held::Text(text);
    Arg { bytes }
}
impl Param for WasmStr {
    fn arg<'a>(&'a self, store: &'a StoreContextMut<'_, Data>, held: &mut Held<'a>) -> Result<Arg> {
        Ok(text_arg(self.to_str(store)?, held))
    }
}
impl Param for Option<WasmStr> {
    fn arg<'a>(&'a self, store: &'a StoreContextMut<'_, Data>, held: &mut Held<'a>) -> Result<Arg> {
        match self {
            Some(text) => Ok(text_arg(text.to_str(store)?, held)),
            None => Ok(Arg { bytes: Slice::NONE }),
        }
    }
}
impl Param for Vec<WasmStr> {
    fn arg<'a>(&'a self, store: &'a StoreContextMut<'_, Data>, held: &mut Held<'a>) -> Result<Arg> {
        let texts = self.iter().map(|text| text.to_str(store)).collect::<Result<Vec<_>>>()?;
        let slices: Vec<_> = texts.iter().map(|text| Slice::of(text.as_bytes())).collect();
        let strings = Strings { items: slices.as_ptr(), count: slices.len() };
        *held = Held::Texts(texts, slices);
        Ok(Arg { strings })
    }
}

/// Made by Wasmtime alone, from what a guest gives.
#[allow(dead_code)]
#[derive(ComponentType, Lift, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
enum Strategy {
    #[component(name = "one-for-one")]
    OneForOne,
    #[component(name = "one-for-all")]
    OneForAll,
    #[component(name = "rest-for-one")]
    RestForOne,
}
/// Made by Wasmtime alone, from what a guest gives.
#[allow(dead_code)]
#[derive(ComponentType, Lift, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
enum Level {
    #[component(name = "error")]
    Error,
    #[component(name = "warn")]
    Warn,
    #[component(name = "info")]
    Info,
    #[component(name = "debug")]
    Debug,
}
/// Made by Wasmtime alone, from what a guest gives.
#[allow(dead_code)]
#[derive(ComponentType, Lift, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
enum ExitReason {
    #[component(name = "normal")]
    Normal,
    #[component(name = "shutdown")]
    Shutdown,
    #[component(name = "crashed")]
    Crashed,
}
impl Param for ExitReason {
    fn arg<'a>(&'a self, _: &'a StoreContextMut<'_, Data>, _: &mut Held<'a>) -> Result<Arg> {
        Ok(Arg { number: *self as u64 })
    }
}
impl Param for Strategy {
    fn arg<'a>(&'a self, _: &'a StoreContextMut<'_, Data>, _: &mut Held<'a>) -> Result<Arg> {
        Ok(Arg { number: *self as u64 })
    }
}
impl Param for Level {
    fn arg<'a>(&'a self, _: &'a StoreContextMut<'_, Data>, _: &mut Held<'a>) -> Result<Arg> {
        Ok(Arg { number: *self as u64 })
    }
}

/// All parameters of a function.
trait Params: Send {
    fn call(&self, store: &StoreContextMut<'_, Data>, func: ComponentFn) -> Result<(u32, Ret)>;
}
macro_rules! params {
    ($($param:ident $index:tt),*) => {
        impl<$($param: Param),*> Params for ($($param,)*) {
            fn call(
                &self,
                store: &StoreContextMut<'_, Data>,
                func: ComponentFn,
            ) -> Result<(u32, Ret)> {
                let _ = store;
                #[allow(unused_mut)]
                let mut held = [$({ let _ = $index; Held::Nothing }),*];
                let mut _places = held.iter_mut();
                let args: &[Arg] = &[$(self.$index.arg(store, _places.next().unwrap())?),*];
                let mut ret = Ret::new();
                // SAFETY: the C side keeps to the header.
                let status = unsafe { func(store.data().guest, args.as_ptr(), &mut ret) };
                Ok((status, ret))
            }
        }
    };
}
impl Params for () {
    fn call(&self, store: &StoreContextMut<'_, Data>, func: ComponentFn) -> Result<(u32, Ret)> {
        let mut ret = Ret::new();
        // SAFETY: the C side keeps to the header.
        let status = unsafe { func(store.data().guest, std::ptr::null(), &mut ret) };
        Ok((status, ret))
    }
}
params!(A 0);
params!(A 0, B 1);
params!(A 0, B 1, C 2);
params!(A 0, B 1, C 2, D 3);
params!(A 0, B 1, C 2, D 3, E 4);

fn answer<R: Answer>(store: &StoreContextMut<'_, Data>, status: u32, ret: Ret) -> Result<(R,)> {
    settle(status, &ret.error, store.engine())?;
    Ok((R::from_ret(ret),))
}

fn define<P, R>(at: &mut LinkerInstance<'_, Data>, name: &str, func: ComponentFn) -> Result<()>
where
    P: Params + wasmtime::component::ComponentNamedList + Lift + 'static,
    R: Answer + Lower + 'static,
    (R,): wasmtime::component::ComponentNamedList + Lower,
{
    at.func_wrap(name, move |store: StoreContextMut<'_, Data>, params: P| {
        let (status, ret) = params.call(&store, func)?;
        answer::<R>(&store, status, ret)
    })
}

fn define_blocking<P, R>(
    at: &mut LinkerInstance<'_, Data>,
    name: &str,
    func: ComponentFn,
) -> Result<()>
where
    P: Params + wasmtime::component::ComponentNamedList + Lift + 'static,
    R: Answer + Lower + Send + 'static,
    (R,): wasmtime::component::ComponentNamedList + Lower,
{
    at.func_wrap_async(name, move |store: StoreContextMut<'_, Data>, params: P| {
        Box::new(std::future::poll_fn(move |_| match params.call(&store, func) {
            Ok((status, _)) if status == BLOCK => Poll::Pending,
            Ok((status, ret)) => Poll::Ready(answer::<R>(&store, status, ret)),
            Err(error) => Poll::Ready(Err(error)),
        }))
    })
}

/// A function that answers nothing has no result type.
fn define_unit<P>(at: &mut LinkerInstance<'_, Data>, name: &str, func: ComponentFn) -> Result<()>
where
    P: Params + wasmtime::component::ComponentNamedList + Lift + 'static,
{
    at.func_wrap(name, move |store: StoreContextMut<'_, Data>, params: P| {
        let (status, ret) = params.call(&store, func)?;
        settle(status, &ret.error, store.engine())
    })
}

fn define_unit_blocking<P>(
    at: &mut LinkerInstance<'_, Data>,
    name: &str,
    func: ComponentFn,
) -> Result<()>
where
    P: Params + wasmtime::component::ComponentNamedList + Lift + 'static,
{
    at.func_wrap_async(name, move |store: StoreContextMut<'_, Data>, params: P| {
        Box::new(std::future::poll_fn(move |_| match params.call(&store, func) {
            Ok((status, _)) if status == BLOCK => Poll::Pending,
            Ok((status, ret)) => Poll::Ready(settle(status, &ret.error, store.engine())),
            Err(error) => Poll::Ready(Err(error)),
        }))
    })
}

macro_rules! define_by_type {
    ($at:ident, $name:ident, $ty:ident, $func:ident, $blocking:ident,
     units { $($unit:literal => ($($unit_param:ty),*),)* }
     $($text:literal => ($($param:ty),*) -> $result:ty,)*) => {
        match ($ty, $blocking) {
            $(($unit, false) => define_unit::<($($unit_param,)*)>($at, $name, $func),)*
            $(($unit, true) => define_unit_blocking::<($($unit_param,)*)>($at, $name, $func),)*
            $(($text, false) => define::<($($param,)*), $result>($at, $name, $func),)*
            $(($text, true) => define_blocking::<($($param,)*), $result>($at, $name, $func),)*
            _ => wasmtime::bail!("no component function has type `{}`", $ty),
        }
    };
}

fn define_func(
    at: &mut LinkerInstance<'_, Data>,
    name: &str,
    ty: &str,
    func: ComponentFn,
    blocking: bool,
) -> Result<()> {
    type L8 = WasmList<u8>;
    type S = WasmStr;
    define_by_type!(at, name, ty, func, blocking,
        units {
            ":" => (),
            "u:" => (u64),
            "s:" => (S),
            "b:" => (L8),
            "ub:" => (u64, L8),
            "us:" => (u64, S),
            "ls:" => (Level, S),
            "xs:" => (ExitReason, S),
            "hs:" => (u16, S),
        }
        ":u" => () -> u64,
        ":b" => () -> Bytes,
        ":U" => () -> Numbers,
        ":c" => () -> Option<ConnectionInfo>,
        "u:f" => (u64) -> bool,
        "u:rn" => (u64) -> Result<(), Out>,
        "u:u" => (u64) -> u64,
        "u:ou" => (u64) -> Option<u64>,
        "u:ob" => (u64) -> Option<Bytes>,
        "u:p" => (u64) -> Option<ProcessInfo>,
        "uf:f" => (u64, bool) -> bool,
        "f:f" => (bool) -> bool,
        "ub:f" => (u64, L8) -> bool,
        "us:f" => (u64, S) -> bool,
        "uub:u" => (u64, u64, L8) -> u64,
        "bu:ob" => (L8, u64) -> Option<Bytes>,
        "b:b" => (L8) -> Bytes,
        "b:f" => (L8) -> bool,
        "s:f" => (S) -> bool,
        "s:ou" => (S) -> Option<u64>,
        "s:w" => (S) -> u32,
        "s:U" => (S) -> Numbers,
        "s:s" => (S) -> Out,
        "s:ru" => (S) -> Result<u64, Out>,
        "s:rS" => (S) -> Result<Vec<Out>, Out>,
        "ss:ru" => (S, S) -> Result<u64, Out>,
        "ss:rob" => (S, S) -> Result<Maybe<Bytes>, Out>,
        "ss:rf" => (S, S) -> Result<bool, Out>,
        "ssb:rn" => (S, S, L8) -> Result<(), Out>,
        "sb:w" => (S, L8) -> u32,
        "gSww:ru" => (Strategy, Vec<S>, u32, u32) -> Result<u64, Out>,
        "bttv:f" => (L8, Option<S>, Option<S>, Option<u32>) -> bool,
    )
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_linker_component(
    linker: *mut RwtLinker,
    func: *const ComponentFunc,
    error: *mut Text,
) -> bool {
    let (linker, func) = unsafe { (&mut (*linker).component, &*func) };
    let (interface, name, ty) =
        unsafe { (owned(func.interface), owned(func.name), owned(func.ty)) };
    let result = linker
        .instance(&interface)
        .and_then(|mut at| define_func(&mut at, &name, &ty, func.func, func.may_block));
    unsafe { report(result, error) }
}

// ---- custom interfaces: any type, by values ----

/// A function of a custom interface.
#[derive(Clone)]
pub struct Dynamic {
    interface: String,
    name: String,
    func: DynamicFn,
    arg: *mut c_void,
}
// SAFETY: the C function is for any thread; `arg` is its affair.
unsafe impl Send for Dynamic {}
unsafe impl Sync for Dynamic {}

type DynamicFn = unsafe extern "C" fn(
    guest: *mut c_void,
    arg: *mut c_void,
    args: *const Value,
    arg_count: usize,
    result: *mut Value,
    error: *mut Slice,
) -> u32;

#[repr(C)]
#[derive(Clone, Copy)]
pub union Number {
    s: i64,
    u: u64,
    f: f64,
}

/// `struct rwt_value`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Value {
    kind: u32,
    present: bool,
    number: Number,
    text: Slice,
    items: *const Value,
    item_count: usize,
}

const BOOL: u32 = 0;
const S8: u32 = 1;
const U8: u32 = 2;
const S16: u32 = 3;
const U16: u32 = 4;
const S32: u32 = 5;
const U32: u32 = 6;
const S64: u32 = 7;
const U64: u32 = 8;
const F32: u32 = 9;
const F64: u32 = 10;
const CHAR: u32 = 11;
const STRING: u32 = 12;
const BYTES: u32 = 13;
const LIST: u32 = 14;
const RECORD: u32 = 15;
const TUPLE: u32 = 16;
const VARIANT: u32 = 17;
const ENUM: u32 = 18;
const OPTION: u32 = 19;
const RESULT: u32 = 20;
const FLAGS: u32 = 21;

impl Value {
    fn new(kind: u32) -> Value {
        Value {
            kind,
            present: false,
            number: Number { u: 0 },
            text: Slice::NONE,
            items: std::ptr::null(),
            item_count: 0,
        }
    }

    fn items(&self) -> &[Value] {
        if self.items.is_null() {
            return &[];
        }
        // SAFETY: C gives as many, borrowed for the call.
        unsafe { std::slice::from_raw_parts(self.items, self.item_count) }
    }
}

/// Values on their way to C, with all that they point to.
#[derive(Default)]
struct Tree {
    lists: Vec<Box<[Value]>>,
    bytes: Vec<Box<[u8]>>,
}

impl Tree {
    fn list(&mut self, items: Vec<Value>) -> (*const Value, usize) {
        let items = items.into_boxed_slice();
        let place = (items.as_ptr(), items.len());
        self.lists.push(items);
        place
    }

    fn with_items(&mut self, kind: u32, items: Vec<Value>) -> Value {
        let (items, item_count) = self.list(items);
        Value { items, item_count, ..Value::new(kind) }
    }

    fn payload(&mut self, kind: u32, present: bool, payload: Option<&Val>) -> Result<Value> {
        let items = payload.map(|val| self.value(val)).transpose()?.into_iter().collect();
        Ok(Value { present, ..self.with_items(kind, items) })
    }

    fn sequence(&mut self, kind: u32, vals: &[Val]) -> Result<Value> {
        let items = vals.iter().map(|val| self.value(val)).collect::<Result<_>>()?;
        Ok(self.with_items(kind, items))
    }

    fn value(&mut self, val: &Val) -> Result<Value> {
        let signed = |kind, s| Ok(Value { number: Number { s }, ..Value::new(kind) });
        let unsigned = |kind, u| Ok(Value { number: Number { u }, ..Value::new(kind) });
        let text =
            |kind, text: &str| Value { text: Slice::of(text.as_bytes()), ..Value::new(kind) };
        match val {
            Val::Bool(v) => Ok(Value { present: *v, ..Value::new(BOOL) }),
            Val::S8(v) => signed(S8, i64::from(*v)),
            Val::U8(v) => unsigned(U8, u64::from(*v)),
            Val::S16(v) => signed(S16, i64::from(*v)),
            Val::U16(v) => unsigned(U16, u64::from(*v)),
            Val::S32(v) => signed(S32, i64::from(*v)),
            Val::U32(v) => unsigned(U32, u64::from(*v)),
            Val::S64(v) => signed(S64, *v),
            Val::U64(v) => unsigned(U64, *v),
            Val::Float32(v) => Ok(Value { number: Number { f: f64::from(*v) }, ..Value::new(F32) }),
            Val::Float64(v) => Ok(Value { number: Number { f: *v }, ..Value::new(F64) }),
            Val::Char(v) => unsigned(CHAR, u64::from(*v)),
            Val::String(v) => Ok(text(STRING, v)),
            Val::Enum(v) => Ok(text(ENUM, v)),
            Val::List(vals) => match vals.first() {
                Some(Val::U8(_)) => Ok(self.byte_list(vals)),
                _ => self.sequence(LIST, vals),
            },
            Val::Tuple(vals) => self.sequence(TUPLE, vals),
            Val::Record(fields) => {
                let items = fields.iter().map(|(_, val)| self.value(val)).collect::<Result<_>>()?;
                Ok(self.with_items(RECORD, items))
            }
            Val::Variant(name, payload) => {
                let value = self.payload(VARIANT, payload.is_some(), payload.as_deref())?;
                Ok(Value { text: Slice::of(name.as_bytes()), ..value })
            }
            Val::Option(payload) => self.payload(OPTION, payload.is_some(), payload.as_deref()),
            Val::Result(Ok(payload)) => self.payload(RESULT, true, payload.as_deref()),
            Val::Result(Err(payload)) => self.payload(RESULT, false, payload.as_deref()),
            Val::Flags(names) => {
                let items = names.iter().map(|name| text(STRING, name)).collect();
                Ok(self.with_items(FLAGS, items))
            }
            _ => wasmtime::bail!("a value of this type cannot be given to a custom bridge"),
        }
    }

    fn byte_list(&mut self, vals: &[Val]) -> Value {
        let bytes: Box<[u8]> =
            vals.iter().map(|val| if let Val::U8(byte) = val { *byte } else { 0 }).collect();
        let text = Slice::of(&bytes);
        self.bytes.push(bytes);
        Value { text, ..Value::new(BYTES) }
    }
}

fn mismatch(ty: &types::Type, kind: u32) -> wasmtime::Error {
    wasmtime::Error::msg(format!("a custom bridge answered kind {kind} where {ty:?} is wanted"))
}

fn payload_val(value: &Value, ty: Option<types::Type>) -> Result<Option<Box<Val>>> {
    match (ty, value.items().first()) {
        (Some(ty), Some(item)) => Ok(Some(Box::new(val_of(item, &ty)?))),
        (None, _) => Ok(None),
        (Some(ty), None) => Err(mismatch(&ty, value.kind)),
    }
}

fn sequence_vals(value: &Value, ty: impl Iterator<Item = types::Type>) -> Result<Vec<Val>> {
    let types: Vec<_> = ty.take(value.items().len()).collect();
    value.items().iter().zip(types).map(|(item, ty)| val_of(item, &ty)).collect()
}

/// What C answered, as a value of type `ty`.
fn val_of(value: &Value, ty: &types::Type) -> Result<Val> {
    use types::Type;
    // SAFETY: all members are plain numbers of eight bytes.
    let (s, u, f) = unsafe { (value.number.s, value.number.u, value.number.f) };
    let string = || value.text.lossy().into_owned();
    match (ty, value.kind) {
        (Type::Bool, BOOL) => Ok(Val::Bool(value.present)),
        (Type::S8, S8) => Ok(Val::S8(s as i8)),
        (Type::U8, U8) => Ok(Val::U8(u as u8)),
        (Type::S16, S16) => Ok(Val::S16(s as i16)),
        (Type::U16, U16) => Ok(Val::U16(u as u16)),
        (Type::S32, S32) => Ok(Val::S32(s as i32)),
        (Type::U32, U32) => Ok(Val::U32(u as u32)),
        (Type::S64, S64) => Ok(Val::S64(s)),
        (Type::U64, U64) => Ok(Val::U64(u)),
        (Type::Float32, F32) => Ok(Val::Float32(f as f32)),
        (Type::Float64, F64) => Ok(Val::Float64(f)),
        (Type::Char, CHAR) => {
            char::from_u32(u as u32).map(Val::Char).ok_or_else(|| mismatch(ty, CHAR))
        }
        (Type::String, STRING) => Ok(Val::String(string())),
        (Type::Enum(_), ENUM) => Ok(Val::Enum(string())),
        (Type::List(_), BYTES) => {
            Ok(Val::List(value.text.bytes().iter().map(|byte| Val::U8(*byte)).collect()))
        }
        (Type::List(list), LIST) => {
            Ok(Val::List(sequence_vals(value, std::iter::repeat(list.ty()))?))
        }
        (Type::Tuple(tuple), TUPLE) if tuple.types().len() == value.items().len() => {
            Ok(Val::Tuple(sequence_vals(value, tuple.types())?))
        }
        (Type::Record(record), RECORD) if record.fields().len() == value.items().len() => {
            let names: Vec<_> = record.fields().map(|field| field.name.to_string()).collect();
            let vals = sequence_vals(value, record.fields().map(|field| field.ty))?;
            Ok(Val::Record(names.into_iter().zip(vals).collect()))
        }
        (Type::Variant(variant), VARIANT) => {
            let name = string();
            let case = variant.cases().find(|case| case.name == name);
            let case = case.ok_or_else(|| mismatch(ty, VARIANT))?;
            Ok(Val::Variant(name, payload_val(value, case.ty)?))
        }
        (Type::Option(option), OPTION) => Ok(Val::Option(if value.present {
            payload_val(value, Some(option.ty()))?
        } else {
            None
        })),
        (Type::Result(result), RESULT) => Ok(Val::Result(if value.present {
            Ok(payload_val(value, result.ok())?)
        } else {
            Err(payload_val(value, result.err())?)
        })),
        (Type::Flags(_), FLAGS) => Ok(Val::Flags(
            value.items().iter().map(|item| item.text.lossy().into_owned()).collect(),
        )),
        (_, kind) => Err(mismatch(ty, kind)),
    }
}

impl Dynamic {
    fn call(&self, store: &StoreContextMut<'_, Data>, args: &[Value]) -> Result<Value> {
        let mut result = Value::new(TUPLE);
        let mut error = Slice::NONE;
        // SAFETY: the C side keeps to the header.
        let status = unsafe {
            let guest = store.data().guest;
            (self.func)(guest, self.arg, args.as_ptr(), args.len(), &mut result, &mut error)
        };
        settle(status, &error, store.engine())?;
        Ok(result)
    }

    fn wrong_answer(&self, wanted: &str) -> wasmtime::Error {
        let (interface, name) = (&self.interface, &self.name);
        wasmtime::Error::msg(format!("the custom bridge's {interface} {name} must answer {wanted}"))
    }
}

fn call_dynamic(
    store: &StoreContextMut<'_, Data>,
    dynamic: &Dynamic,
    ty: &types::ComponentFunc,
    params: &[Val],
    results: &mut [Val],
) -> Result<()> {
    let mut tree = Tree::default();
    let args = params.iter().map(|val| tree.value(val)).collect::<Result<Vec<_>>>()?;
    let result = dynamic.call(store, &args)?;
    if let (Some(place), Some(ty)) = (results.first_mut(), ty.results().next()) {
        *place = val_of(&result, &ty)?;
    }
    Ok(())
}

fn define_string(at: &mut LinkerInstance<'_, Data>, dynamic: Dynamic) -> Result<()> {
    let name = dynamic.name.clone();
    at.func_wrap(&name, move |store: StoreContextMut<'_, Data>, (text,): (WasmStr,)| {
        let text = text.to_str(&store)?;
        let arg = Value { text: Slice::of(text.as_bytes()), ..Value::new(STRING) };
        let result = dynamic.call(&store, &[arg])?;
        let answer = if result.kind == STRING { Utf8::check(result.text) } else { None };
        answer.map(|text| (text,)).ok_or_else(|| dynamic.wrong_answer("a string of UTF-8"))
    })
}

fn define_bytes(at: &mut LinkerInstance<'_, Data>, dynamic: Dynamic) -> Result<()> {
    let name = dynamic.name.clone();
    at.func_wrap(&name, move |store: StoreContextMut<'_, Data>, (bytes,): (WasmList<u8>,)| {
        let arg = Value { text: Slice::of(bytes.as_le_slice(&store)), ..Value::new(BYTES) };
        let result = dynamic.call(&store, &[arg])?;
        if result.kind != BYTES {
            return Err(dynamic.wrong_answer("bytes"));
        }
        Ok((Raw(result.text),))
    })
}

/// string -> string and list<u8> -> list<u8>, the commonest, are typed: nothing is allocated for
/// them. All others pass as trees of values.
fn define_dynamic(
    at: &mut LinkerInstance<'_, Data>,
    dynamic: Dynamic,
    ty: &types::ComponentFunc,
) -> Result<()> {
    use types::Type;
    let is_bytes = |ty: &Type| matches!(ty, Type::List(list) if matches!(list.ty(), Type::U8));
    let params: Vec<_> = ty.params().map(|(_, ty)| ty).collect();
    let results: Vec<_> = ty.results().collect();
    match (params.as_slice(), results.as_slice()) {
        ([Type::String], [Type::String]) => define_string(at, dynamic),
        ([param], [result]) if is_bytes(param) && is_bytes(result) => define_bytes(at, dynamic),
        _ => {
            let name = dynamic.name.clone();
            at.func_new(&name, move |store, ty, params, results| {
                call_dynamic(&store, &dynamic, &ty, params, results)
            })
        }
    }
}

/// A linker that has, besides all else, the custom functions that `component` imports; None if it
/// imports none.
pub fn link_dynamic(linker: &RwtLinker, component: &Component) -> Result<Option<Linker<Data>>> {
    let mut with = None;
    let component_type = component.component_type();
    for (interface, item) in component_type.imports(&linker.engine) {
        let mut wanted = linker.dynamic.iter().filter(|d| d.interface == interface).peekable();
        let (Some(_), types::ComponentItem::ComponentInstance(instance)) = (wanted.peek(), item.ty)
        else {
            continue;
        };
        let with = with.get_or_insert_with(|| linker.component.clone());
        let mut at = with.instance(interface)?;
        for dynamic in wanted {
            let export = instance.get_export(&linker.engine, &dynamic.name).map(|item| item.ty);
            if let Some(types::ComponentItem::ComponentFunc(ty)) = export {
                define_dynamic(&mut at, dynamic.clone(), &ty)?;
            }
        }
    }
    Ok(with)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_linker_dynamic(
    linker: *mut RwtLinker,
    interface: *const c_char,
    name: *const c_char,
    func: DynamicFn,
    arg: *mut c_void,
    error: *mut Text,
) -> bool {
    let linker = unsafe { &mut *linker };
    let (interface, name) = unsafe { (owned(interface), owned(name)) };
    let taken = linker.dynamic.iter().any(|d| d.interface == interface && d.name == name);
    let result = if taken {
        Err(wasmtime::Error::msg(format!("{interface} has a function {name} already")))
    } else {
        linker.dynamic.push(Dynamic { interface, name, func, arg });
        Ok(())
    };
    unsafe { report(result, error) }
}
