// SPDX-License-Identifier: MIT
//! Validates a module or component, binary or text, and lists what it imports and exports.

use std::process::ExitCode;

use anyhow::{Context, Result};
use rusm_guest_tools::{Args, run};
use wasmparser::types::{EntityType, TypesRef};
use wasmparser::{Parser, ValType, Validator};
use wit_component::DecodedWasm;

const USAGE: &str = "usage: rusm-wasm-list FILE
Validates FILE, then prints a line each: `module` or `component`, `import MODULE NAME TYPE` or
`import INTERFACE`, `export NAME TYPE` or `export NAME`. The type of a module's function is letters,
i = i32, I = i64, f = f32, F = f64, parameters and results: ii:i";

fn letters(types: &[ValType]) -> String {
    let letter = |ty: &ValType| match ty {
        ValType::I32 => 'i',
        ValType::I64 => 'I',
        ValType::F32 => 'f',
        ValType::F64 => 'F',
        ValType::V128 => 'v',
        ValType::Ref(_) => 'r',
    };
    types.iter().map(letter).collect()
}

fn type_of(types: TypesRef, entity: EntityType) -> String {
    match entity {
        EntityType::Func(id) | EntityType::FuncExact(id) => {
            let func = types[id].unwrap_func();
            format!("{}:{}", letters(func.params()), letters(func.results()))
        }
        EntityType::Memory(_) => "memory".into(),
        EntityType::Table(_) => "table".into(),
        EntityType::Global(_) => "global".into(),
        EntityType::Tag(_) => "tag".into(),
    }
}

fn list_module(types: TypesRef) {
    println!("module");
    for (module, name, entity) in types.core_imports().into_iter().flatten() {
        println!("import {module} {name} {}", type_of(types, entity));
    }
    for (name, entity) in types.core_exports().into_iter().flatten() {
        println!("export {name} {}", type_of(types, entity));
    }
}

fn list_component(bytes: &[u8]) -> Result<()> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(bytes)? else {
        anyhow::bail!("a WIT package, neither module nor component");
    };
    println!("component");
    let world = &resolve.worlds[world];
    for key in world.imports.keys() {
        println!("import {}", resolve.name_world_key(key));
    }
    for key in world.exports.keys() {
        println!("export {}", resolve.name_world_key(key));
    }
    Ok(())
}

fn list() -> Result<()> {
    let args = Args::read(&[])?;
    let input = args.input()?;
    let bytes =
        wat::parse_file(input).with_context(|| format!("cannot read {}", input.display()))?;
    let types = Validator::new().validate_all(&bytes)?;
    if Parser::is_component(&bytes) {
        return list_component(&bytes);
    }
    list_module(types.as_ref());
    Ok(())
}

fn main() -> ExitCode {
    run(USAGE, list)
}
