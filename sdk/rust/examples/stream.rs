// SPDX-License-Identifier: MIT
//! Its first message is a pid (8 bytes, little-endian). It accepts one stream, counts its bytes, and
//! sends the total (8 bytes, little-endian) to that pid.

use rusm_guest::{exit, receive, send, Pid, Reason, Stream};

#[no_mangle]
pub extern "C" fn run() {
    let to = match receive().try_into() {
        Ok(bytes) => Pid(i64::from_le_bytes(bytes)),
        Err(_) => exit(Reason::Crashed, "the first message is not a pid"),
    };
    let stream = Stream::accept();
    let mut total: u64 = 0;
    while let Some(chunk) = stream.read() {
        total += chunk.len() as u64;
    }
    send(to, &total.to_le_bytes());
}
