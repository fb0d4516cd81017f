// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! Compiling, loading, and resolving imports.

use crate::Data;
use crate::engine::RwtEngine;
use crate::text::{Slice, Text, describe, owned, write_text};
use crate::wasi;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use std::ffi::{c_char, c_void};
use std::hash::{Hash, Hasher};
use std::path::Path;
use wasmtime::component::{self, Component};
use wasmtime::{Engine, Module, ModuleExport, Precompiled};

/// `rwt_program`.
pub enum RwtProgram {
    Module(Module),
    Component(Component),
}

/// `rwt_linker`.
pub struct RwtLinker {
    pub engine: Engine,
    pub core: wasmtime::Linker<Data>,
    pub component: component::Linker<Data>,
    /// The interface, the function, its C side.
    pub dynamic: Vec<crate::component::Dynamic>,
}

pub struct PreparedModule {
    pub pre: wasmtime::InstancePre<Data>,
    pub entry: ModuleExport,
    pub memory: Option<ModuleExport>,
}

pub enum Entry {
    /// None to call: wasi:http/incoming-handler is for a server.
    Handler,
    /// `func()`.
    Plain(component::ComponentExportIndex),
    /// `func() -> result`, of wasi:cli/run.
    Command(component::ComponentExportIndex),
}

pub struct PreparedComponent {
    pub pre: component::InstancePre<Data>,
    pub entry: Entry,
}

pub enum Program {
    Module(PreparedModule),
    Component(PreparedComponent),
}

/// `rwt_prepared`. Shared with its instances: it may be deleted before them.
pub struct Prepared {
    pub engine: Engine,
    pub program: Program,
    pub uses_wasi: bool,
}
pub type RwtPrepared = std::sync::Arc<Prepared>;

/// A hasher that feeds SHA-256, for what Wasmtime only offers as `Hash`.
struct Feed<'a>(&'a mut Sha256);
impl Hasher for Feed<'_> {
    fn finish(&self) -> u64 {
        0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_artefact_key(
    engine: *const RwtEngine,
    wasm: Slice,
    key: *mut [u8; 32],
) {
    let mut digest = Sha256::new();
    unsafe { &*engine }.0.precompile_compatibility_hash().hash(&mut Feed(&mut digest));
    digest.update(wasm.bytes());
    unsafe { key.write(digest.finalize().into()) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_sha256(data: Slice, digest: *mut [u8; 32]) {
    unsafe { digest.write(Sha256::digest(data.bytes()).into()) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_hmac_sha256(key: Slice, data: Slice, digest: *mut [u8; 32]) {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.bytes()).expect("HMAC takes any key");
    mac.update(data.bytes());
    unsafe { digest.write(mac.finalize().into_bytes().into()) };
}

fn compile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Vec<u8>> {
    let binary = wat::parse_bytes(wasm).map_err(|e| wasmtime::Error::msg(e.to_string()))?;
    /* The version field's upper half is the layer: 1 is a component. */
    if binary.get(6) == Some(&1) {
        engine.precompile_component(&binary)
    } else {
        engine.precompile_module(&binary)
    }
}

/// NULL and a text for an error, else a pointer to the value.
unsafe fn give<T>(result: wasmtime::Result<T>, error: *mut Text) -> *mut T {
    match result {
        Ok(value) => Box::into_raw(Box::new(value)),
        Err(cause) => {
            unsafe { write_text(error, describe(&cause)) };
            std::ptr::null_mut()
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_compile(
    engine: *const RwtEngine,
    wasm: Slice,
    error: *mut Text,
) -> *mut Vec<u8> {
    unsafe { give(compile(&(*engine).0, wasm.bytes()), error) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_artefact_bytes(artefact: *const Vec<u8>) -> Slice {
    Slice::of(unsafe { &*artefact })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_artefact_delete(artefact: *mut Vec<u8>) {
    drop(unsafe { Box::from_raw(artefact) });
}

fn not_an_artefact() -> wasmtime::Error {
    wasmtime::Error::msg("not a compiled program")
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_load(
    engine: *const RwtEngine,
    artefact: Slice,
    error: *mut Text,
) -> *mut RwtProgram {
    let engine = unsafe { &(*engine).0 };
    let bytes = artefact.bytes();
    // SAFETY: the header demands trusted bytes.
    let loaded = unsafe {
        match Engine::detect_precompiled(bytes) {
            Some(Precompiled::Module) => Module::deserialize(engine, bytes).map(RwtProgram::Module),
            Some(Precompiled::Component) => {
                Component::deserialize(engine, bytes).map(RwtProgram::Component)
            }
            None => Err(not_an_artefact()),
        }
    };
    unsafe { give(loaded, error) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_load_file(
    engine: *const RwtEngine,
    path: *const c_char,
    error: *mut Text,
) -> *mut RwtProgram {
    let engine = unsafe { &(*engine).0 };
    let path = unsafe { owned(path) };
    let path = Path::new(&path);
    // SAFETY: the header demands trusted bytes.
    let loaded = unsafe {
        match Engine::detect_precompiled_file(path) {
            Ok(Some(Precompiled::Module)) => {
                Module::deserialize_file(engine, path).map(RwtProgram::Module)
            }
            Ok(Some(Precompiled::Component)) => {
                Component::deserialize_file(engine, path).map(RwtProgram::Component)
            }
            Ok(None) => Err(not_an_artefact()),
            Err(cause) => Err(cause),
        }
    };
    unsafe { give(loaded, error) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_program_delete(program: *mut RwtProgram) {
    drop(unsafe { Box::from_raw(program) });
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_program_kind(program: *const RwtProgram) -> u32 {
    match unsafe { &*program } {
        RwtProgram::Module(_) => 0,
        RwtProgram::Component(_) => 1,
    }
}

type ImportFn = unsafe extern "C" fn(arg: *mut c_void, name: Slice) -> bool;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_program_imports(
    program: *const RwtProgram,
    visit: ImportFn,
    arg: *mut c_void,
) -> bool {
    // SAFETY: the C side keeps to the header.
    let visit = |name: &str| unsafe { visit(arg, Slice::of(name.as_bytes())) };
    match unsafe { &*program } {
        RwtProgram::Module(module) => module.imports().all(|import| visit(import.module())),
        RwtProgram::Component(component) => {
            component.component_type().imports(component.engine()).all(|(name, _)| visit(name))
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_linker_new(engine: *const RwtEngine) -> *mut RwtLinker {
    let engine = unsafe { &(*engine).0 };
    Box::into_raw(Box::new(RwtLinker {
        engine: engine.clone(),
        core: wasmtime::Linker::new(engine),
        component: component::Linker::new(engine),
        dynamic: Vec::new(),
    }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_linker_delete(linker: *mut RwtLinker) {
    drop(unsafe { Box::from_raw(linker) });
}

/// True, or false with a text.
pub unsafe fn report(result: wasmtime::Result<()>, error: *mut Text) -> bool {
    match result {
        Ok(()) => true,
        Err(cause) => {
            unsafe { write_text(error, describe(&cause)) };
            false
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_linker_wasi(linker: *mut RwtLinker, error: *mut Text) -> bool {
    let linker = unsafe { &mut *linker };
    let result = wasi::add_to_linkers(&mut linker.core, &mut linker.component);
    unsafe { report(result, error) }
}

fn prepare_module(
    linker: &RwtLinker,
    module: &Module,
    entry: &str,
) -> wasmtime::Result<PreparedModule> {
    let pre = linker.core.instantiate_pre(module)?;
    let ty = match module.get_export(entry) {
        Some(wasmtime::ExternType::Func(ty)) => ty,
        Some(_) => wasmtime::bail!("its export `{entry}` is not a function"),
        None => wasmtime::bail!("it exports no function `{entry}`"),
    };
    if ty.params().len() != 0 || ty.results().len() != 0 {
        wasmtime::bail!("its function `{entry}` must have no parameters and no results");
    }
    let memory = match module.get_export("memory") {
        Some(wasmtime::ExternType::Memory(ty)) if !ty.is_64() && !ty.is_shared() => {
            module.get_export_index("memory")
        }
        Some(_) => wasmtime::bail!("its export `memory` is not a 32-bit memory of its own"),
        None => None,
    };
    let entry = module.get_export_index(entry).expect("it was just found");
    Ok(PreparedModule { pre, entry, memory })
}

/// Whether it is made to answer HTTP requests.
fn is_handler(component: &Component) -> bool {
    let ty = component.component_type();
    ty.exports(component.engine())
        .any(|(name, _)| name.starts_with("wasi:http/incoming-handler@0.2."))
}

/// The function `run` of an exported instance wasi:cli/run, of any 0.2 version.
fn command_entry(component: &Component) -> Option<component::ComponentExportIndex> {
    let ty = component.component_type();
    let engine = component.engine();
    let name = ty.exports(engine).map(|(name, _)| name).find(|name| {
        name.strip_prefix("wasi:cli/run@").is_some_and(|version| version.starts_with("0.2."))
    })?;
    let interface = component.get_export_index(None, name)?;
    component.get_export_index(Some(&interface), "run")
}

fn prepare_component(
    linker: &RwtLinker,
    component: &Component,
    entry: &str,
) -> wasmtime::Result<PreparedComponent> {
    let with_custom = crate::component::link_dynamic(linker, component)?;
    let pre = with_custom.as_ref().unwrap_or(&linker.component).instantiate_pre(component)?;
    let entry = match component.get_export(None, entry) {
        Some((component::types::ComponentItem::ComponentFunc(ty), index)) => {
            if ty.params().len() != 0 || ty.results().len() != 0 {
                wasmtime::bail!("its function `{entry}` must have no parameters and no results");
            }
            Entry::Plain(index)
        }
        Some(_) => wasmtime::bail!("its export `{entry}` is not a function"),
        None => match command_entry(component) {
            Some(index) => Entry::Command(index),
            None if is_handler(component) => Entry::Handler,
            None => wasmtime::bail!("it exports neither a function `{entry}` nor wasi:cli/run"),
        },
    };
    Ok(PreparedComponent { pre, entry })
}

fn prepare(linker: &RwtLinker, program: &RwtProgram, entry: &str) -> wasmtime::Result<RwtPrepared> {
    let (program, uses_wasi) = match program {
        RwtProgram::Module(module) => (
            Program::Module(prepare_module(linker, module, entry)?),
            module.imports().any(|import| import.module().starts_with("wasi_")),
        ),
        RwtProgram::Component(component) => (
            Program::Component(prepare_component(linker, component, entry)?),
            component
                .component_type()
                .imports(&linker.engine)
                .any(|(name, _)| name.starts_with("wasi:")),
        ),
    };
    Ok(std::sync::Arc::new(Prepared { engine: linker.engine.clone(), program, uses_wasi }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_prepare(
    linker: *const RwtLinker,
    program: *const RwtProgram,
    entry: *const c_char,
    error: *mut Text,
) -> *mut RwtPrepared {
    let entry = unsafe { owned(entry) };
    unsafe { give(prepare(&*linker, &*program, &entry), error) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_prepared_delete(prepared: *mut RwtPrepared) {
    drop(unsafe { Box::from_raw(prepared) });
}
