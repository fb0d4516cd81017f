// SPDX-License-Identifier: MIT
//! The imports, as the table in sdk/README.md has them.

#[link(wasm_import_module = "rusm")]
extern "C" {
    pub fn own_pid() -> i64;
    pub fn notify();
    pub fn send(to: i64, data: *const u8, len: usize);
    pub fn receive(out: *mut u8, cap: usize) -> i32;
    pub fn receive_timeout(out: *mut u8, cap: usize, ms: u64) -> i32;
    pub fn receive_match(
        prefix: *const u8,
        prefix_len: usize,
        out: *mut u8,
        cap: usize,
        ms: u64,
    ) -> i32;
    pub fn stash() -> i32;
    pub fn unstash();
    pub fn send_after(to: i64, ms: u64, data: *const u8, len: usize) -> i64;
    pub fn cancel_timer(timer: i64) -> i32;
    pub fn list_processes(out: *mut i64, cap: usize) -> i32;
    pub fn is_alive(pid: i64) -> i32;
    pub fn kill(pid: i64) -> i32;
    pub fn info(pid: i64, out: *mut u8, cap: usize) -> i32;
    pub fn register(name: *const u8, len: usize) -> i32;
    pub fn unregister(name: *const u8, len: usize) -> i32;
    pub fn whereis(name: *const u8, len: usize) -> i64;
    pub fn set_label(label: *const u8, len: usize);
    pub fn log(level: i32, text: *const u8, len: usize);
    pub fn spawn(name: *const u8, len: usize, flags: i32) -> i64;
    pub fn supervise(
        strategy: i32,
        names: *const u8,
        names_len: usize,
        max_restarts: u32,
        within_ms: u32,
    ) -> i64;
    pub fn monitor(pid: i64) -> i32;
    pub fn demonitor(pid: i64) -> i32;
    pub fn link(pid: i64) -> i32;
    pub fn unlink(pid: i64) -> i32;
    pub fn trap_exit(on: i32) -> i32;
    pub fn exit(reason: i32, detail: *const u8, len: usize) -> !;
    pub fn register_tag(tag: *const u8, len: usize) -> i32;
    pub fn unregister_tag(tag: *const u8, len: usize) -> i32;
    pub fn whereis_tag(tag: *const u8, len: usize, out: *mut i64, cap: usize) -> i32;
    pub fn kill_tag(tag: *const u8, len: usize) -> i32;
    pub fn publish(tag: *const u8, tag_len: usize, data: *const u8, len: usize) -> i32;
    pub fn stream_open(to: i64) -> i64;
    pub fn stream_write(id: i64, data: *const u8, len: usize) -> i32;
    pub fn stream_close(id: i64);
    pub fn stream_accept() -> i64;
    pub fn stream_read(id: i64, out: *mut u8, cap: usize) -> i32;
}
