// SPDX-License-Identifier: MIT
//! Has the node supervise the component "worker": one for one, 3 restarts within 5 seconds. Needs the
//! capability spawn. A message is somebody's pid (8 bytes, little-endian): it is sent the pid of the
//! supervisor, which ends together with this process. If the supervisor gives up, this process ends
//! too: they are linked.

use rusm_guest::{exit, receive, send, supervise, Pid, Reason, Strategy};
use std::time::Duration;

#[no_mangle]
pub extern "C" fn run() {
    let supervisor = supervise(Strategy::OneForOne, &["worker"], 3, Duration::from_secs(5))
        .unwrap_or_else(|error| exit(Reason::Crashed, &error.to_string()));
    loop {
        let message = receive();
        if let Ok(from) = message.try_into() {
            send(Pid(i64::from_le_bytes(from)), &supervisor.0.to_le_bytes());
        }
    }
}
