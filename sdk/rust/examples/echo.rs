// SPDX-License-Identifier: MIT
//! Sends back what it gets. A message is the sender's pid (8 bytes, little-endian) and the payload.

use rusm_guest::{receive, send, Pid};

#[no_mangle]
pub extern "C" fn run() {
    loop {
        let message = receive();
        if message.len() >= 8 {
            let (from, payload) = message.split_at(8);
            send(Pid(i64::from_le_bytes(from.try_into().unwrap())), payload);
        }
    }
}
