// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! WASI under a grant. A guest's context is made at its first call of WASI: most guests that
//! import it (every C library does) live and die without one.

use crate::Data;
use crate::http::NoRequests;
use crate::text::{Text, describe, owned, owned_list, write_text};
use std::ffi::c_char;
use std::sync::{Arc, LazyLock};
use wasmtime::component::{self, ResourceTable};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::WasiHttpCtx;

/// `struct rwt_preopen`.
#[repr(C)]
pub struct CPreopen {
    host: *const c_char,
    guest: *const c_char,
    read_only: bool,
}

/// `struct rwt_grant_config`.
#[repr(C)]
pub struct GrantConfig {
    stdio: bool,
    network: bool,
    network_hosts: *const *const c_char,
    network_host_count: usize,
    env: *const *const c_char,
    env_count: usize,
    args: *const *const c_char,
    arg_count: usize,
    preopens: *const CPreopen,
    preopen_count: usize,
}

struct Preopen {
    host: String,
    guest: String,
    read_only: bool,
}

/// `rwt_grant`.
pub struct Grant {
    stdio: bool,
    network: bool,
    hosts: Vec<(String, Option<u16>)>,
    env: Vec<(String, String)>,
    args: Vec<String>,
    preopens: Vec<Preopen>,
}

/// Threads for WASI's timers and sockets, and for file operations, which block.
static THREADS: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(16)
        .thread_name("rusm-wasi")
        .enable_time()
        .enable_io()
        .build()
        .expect("threads for WASI")
});

/// Polls that may call WASI run inside this.
pub fn enter() -> tokio::runtime::EnterGuard<'static> {
    THREADS.enter()
}

/// "host:port", "host:*", "[v6]:port".
fn parse_host(text: &str) -> wasmtime::Result<(String, Option<u16>)> {
    let wrong =
        || wasmtime::Error::msg(format!("network host `{text}` is not HOST:PORT or HOST:*"));
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_string();
    if host.is_empty() {
        return Err(wrong());
    }
    match port {
        "*" => Ok((host, None)),
        port => Ok((host, Some(port.parse().map_err(|_| wrong())?))),
    }
}

impl Grant {
    unsafe fn from_config(config: &GrantConfig) -> wasmtime::Result<Grant> {
        let hosts = unsafe { owned_list(config.network_hosts, config.network_host_count) };
        let env = unsafe { owned_list(config.env, config.env_count * 2) };
        let preopens = (0..config.preopen_count).map(|i| unsafe {
            let preopen = &*config.preopens.add(i);
            Preopen {
                host: owned(preopen.host),
                guest: owned(preopen.guest),
                read_only: preopen.read_only,
            }
        });
        Ok(Grant {
            stdio: config.stdio,
            network: config.network,
            hosts: hosts.iter().map(|host| parse_host(host)).collect::<wasmtime::Result<_>>()?,
            env: env.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect(),
            args: unsafe { owned_list(config.args, config.arg_count) },
            preopens: preopens.collect(),
        })
    }

    fn allows(&self, address: &std::net::SocketAddr) -> bool {
        self.hosts.is_empty()
            || self.hosts.iter().any(|(host, port)| {
                port.is_none_or(|port| port == address.port())
                    && host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip == address.ip())
            })
    }

    fn builder(self: &Arc<Grant>) -> wasmtime::Result<WasiCtxBuilder> {
        let mut builder = WasiCtxBuilder::new();
        builder.args(&self.args);
        for (name, value) in &self.env {
            builder.env(name, value);
        }
        if self.stdio {
            builder.inherit_stdio();
        }
        if self.network {
            let grant = self.clone();
            builder.allow_ip_name_lookup(self.hosts.is_empty());
            builder.socket_addr_check(move |address, _| {
                let allowed = grant.allows(&address);
                Box::pin(async move { allowed })
            });
        }
        for preopen in &self.preopens {
            let perms = if preopen.read_only { FsPerms::ReadOnly } else { FsPerms::ReadWrite };
            builder.preopened_dir(&preopen.host, &preopen.guest, perms).map_err(|cause| {
                wasmtime::Error::msg(format!("folder `{}` for the guest: {cause:#}", preopen.host))
            })?;
        }
        Ok(builder)
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_grant_new(
    config: *const GrantConfig,
    error: *mut Text,
) -> *mut Arc<Grant> {
    let made = unsafe { Grant::from_config(&*config) }.map(Arc::new);
    // Building once shows that it can be built.
    match made.and_then(|grant| grant.builder().map(|_| grant)) {
        Ok(grant) => Box::into_raw(Box::new(grant)),
        Err(cause) => {
            unsafe { write_text(error, describe(&cause)) };
            std::ptr::null_mut()
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rwt_grant_delete(grant: *mut Arc<Grant>) {
    drop(unsafe { Box::from_raw(grant) });
}

/// A guest's WASI: nothing until it calls.
pub enum Wasi {
    Unused(*const Arc<Grant>),
    Preview1(Box<WasiP1Ctx>),
    Preview2(Box<Preview2>),
}

/// What a component's imports of WASI work on.
pub struct Preview2 {
    pub ctx: WasiCtx,
    pub table: ResourceTable,
    pub http: WasiHttpCtx,
    pub hooks: NoRequests,
}

impl Preview2 {
    pub fn new(mut builder: WasiCtxBuilder) -> Preview2 {
        Preview2 {
            ctx: builder.build(),
            table: ResourceTable::new(),
            http: WasiHttpCtx::new(),
            hooks: NoRequests,
        }
    }
}

impl Data {
    pub fn grant(&self) -> WasiCtxBuilder {
        let Wasi::Unused(grant) = self.wasi else { unreachable!("a guest is of one kind") };
        if grant.is_null() {
            return WasiCtxBuilder::new();
        }
        // A folder that has gone since is missing, and nothing else: the guest sees fewer preopens.
        // SAFETY: the header says that the grant outlives the instance.
        unsafe { &*grant }.builder().unwrap_or_else(|_| WasiCtxBuilder::new())
    }

    fn preview1(&mut self) -> &mut WasiP1Ctx {
        if let Wasi::Unused(_) = self.wasi {
            self.wasi = Wasi::Preview1(Box::new(self.grant().build_p1()));
        }
        let Wasi::Preview1(context) = &mut self.wasi else { unreachable!() };
        context
    }
}

impl WasiView for Data {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let Preview2 { ctx, table, .. } = self.preview2();
        WasiCtxView { ctx, table }
    }
}

pub fn add_to_linkers(
    core: &mut wasmtime::Linker<Data>,
    component: &mut component::Linker<Data>,
) -> wasmtime::Result<()> {
    wasmtime_wasi::p1::add_to_linker_async(core, |data: &mut Data| data.preview1())?;
    wasmtime_wasi::p2::add_to_linker_async(component)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(component)
}
