// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors
//! wasi:http: its types, for components that import them. Outgoing requests are refused: the node
//! has no HTTP client yet.

use crate::Data;
use crate::wasi::{Preview2, Wasi};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

/// Says no.
pub struct NoRequests;

type Finish = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Answer = wasmtime_wasi_http::Result<(::http::Response<WasiBody>, Finish)>;

impl WasiHttpHooks for NoRequests {
    fn send_request(
        &mut self,
        _request: ::http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _finish: Finish,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}

impl WasiHttpView for Data {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let Preview2 { table, http, hooks, .. } = self.preview2();
        WasiHttpCtxView { ctx: http, table, hooks }
    }
}

impl Data {
    /// Its context of WASI 0.2, made at the first call.
    pub fn preview2(&mut self) -> &mut Preview2 {
        if let Wasi::Unused(_) = self.wasi {
            self.wasi = Wasi::Preview2(Box::new(Preview2::new(self.grant())));
        }
        let Wasi::Preview2(context) = &mut self.wasi else {
            unreachable!("a guest is of one kind")
        };
        context
    }
}
