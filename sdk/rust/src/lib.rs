// SPDX-License-Identifier: MIT
//! What a guest in Rust, built as a core module, calls: the imports of the module `rusm`. See
//! sdk/README.md for what each does and when it is denied.
//!
//! A guest is a `cdylib` for wasm32-wasi (wasm32-wasip1 in newer compilers) with its body as
//! `#[no_mangle] pub extern "C" fn run()`. It needs no crate but this one, and Rust 1.63.

#[allow(clippy::missing_safety_doc)]
pub mod imports;

use std::time::Duration;

/// Names one process, ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pid(pub i64);

/// A negative answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// No such process, name, component.
    None,
    /// The capabilities do not allow it.
    Denied,
    /// Something is full.
    Limit,
    /// An argument is out of its range.
    Invalid,
    /// It was tried and failed.
    Failed,
}

impl Error {
    fn of(code: i64) -> Error {
        match code {
            -1 => Error::None,
            -2 => Error::Denied,
            -3 => Error::Limit,
            -4 => Error::Invalid,
            _ => Error::Failed,
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            Error::None => "there is no such thing",
            Error::Denied => "denied by the capabilities",
            Error::Limit => "a limit is reached",
            Error::Invalid => "an argument is out of its range",
            Error::Failed => "it failed",
        })
    }
}

impl std::error::Error for Error {}

fn status(code: i32) -> Result<(), Error> {
    if code < 0 {
        Err(Error::of(code.into()))
    } else {
        Ok(())
    }
}

fn pid_of(code: i64) -> Result<Pid, Error> {
    if code < 0 {
        Err(Error::of(code))
    } else {
        Ok(Pid(code))
    }
}

/// Calls `f` with more and more room until what it writes fits; none if `f` says that there is nothing.
fn fill(f: impl Fn(*mut u8, usize) -> i32) -> Option<Vec<u8>> {
    let mut buffer = vec![0; 256];
    loop {
        let len = f(buffer.as_mut_ptr(), buffer.len());
        if len < 0 {
            return None;
        }
        let fits = len as usize <= buffer.len();
        buffer.resize(len as usize, 0);
        if fits {
            return Some(buffer);
        }
    }
}

fn pids(f: impl Fn(*mut i64, usize) -> i32) -> Vec<Pid> {
    let mut buffer = vec![0; 64];
    loop {
        let count = f(buffer.as_mut_ptr(), buffer.len()) as usize;
        let fits = count <= buffer.len();
        buffer.resize(count, 0);
        if fits {
            return buffer.into_iter().map(Pid).collect();
        }
    }
}

/// Rounded up, so that no wait is shorter than asked for; none is for ever.
fn milliseconds(time: Option<Duration>) -> u64 {
    match time {
        None => u64::MAX,
        Some(time) => {
            let up = time.as_nanos().saturating_add(999_999) / 1_000_000;
            up.try_into().unwrap_or(u64::MAX)
        }
    }
}

/// This process.
pub fn own_pid() -> Pid {
    Pid(unsafe { imports::own_pid() })
}

/// Counts one mark of progress.
pub fn notify() {
    unsafe { imports::notify() }
}

/// Sends a copy; dropped if the process is gone.
pub fn send(to: Pid, data: &[u8]) {
    unsafe { imports::send(to.0, data.as_ptr(), data.len()) }
}

/// Waits for the oldest message.
pub fn receive() -> Vec<u8> {
    fill(|out, cap| unsafe { imports::receive(out, cap) }).expect("receive has no failure")
}

/// The same for at most that long (none: for ever); none when the time has passed.
pub fn receive_timeout(timeout: Option<Duration>) -> Option<Vec<u8>> {
    let ms = milliseconds(timeout);
    fill(|out, cap| unsafe { imports::receive_timeout(out, cap, ms) })
}

/// Waits for the oldest message that begins with `prefix`; others stay, in order.
pub fn receive_match(prefix: &[u8], timeout: Option<Duration>) -> Option<Vec<u8>> {
    let ms = milliseconds(timeout);
    fill(|out, cap| unsafe { imports::receive_match(prefix.as_ptr(), prefix.len(), out, cap, ms) })
}

/// Puts the message received last aside.
pub fn stash() -> bool {
    unsafe { imports::stash() == 1 }
}

/// Puts all that are aside back before the others.
pub fn unstash() {
    unsafe { imports::unstash() }
}

/// A message to be sent later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer(pub i64);

/// Sends a copy after `delay`.
pub fn send_after(to: Pid, delay: Duration, data: &[u8]) -> Result<Timer, Error> {
    let ms = milliseconds(Some(delay));
    let timer = unsafe { imports::send_after(to.0, ms, data.as_ptr(), data.len()) };
    if timer < 0 {
        Err(Error::of(timer))
    } else {
        Ok(Timer(timer))
    }
}

impl Timer {
    /// False if it has fired.
    pub fn cancel(self) -> bool {
        unsafe { imports::cancel_timer(self.0) == 1 }
    }
}

/// What a process is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    pub pid: Pid,
    pub links: u32,
    pub monitors: u32,
    pub mailbox_depth: u32,
    pub trap_exit: bool,
    pub label: Option<String>,
    pub names: Vec<String>,
}

impl Info {
    const HEAD_BYTES: usize = 32;
    const NO_LABEL: u32 = u32::MAX;

    fn parse(data: &[u8]) -> Info {
        let word = |at: usize| u32::from_le_bytes(data[at..at + 4].try_into().unwrap());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut rest = &data[Info::HEAD_BYTES..];
        let mut label = None;
        if word(24) != Info::NO_LABEL {
            let (head, tail) = rest.split_at(word(24) as usize);
            label = Some(text(head));
            rest = tail;
        }
        Info {
            pid: Pid(i64::from_le_bytes(data[..8].try_into().unwrap())),
            links: word(8),
            monitors: word(12),
            mailbox_depth: word(16),
            trap_exit: word(20) != 0,
            label,
            names: rest.split(|byte| *byte == 0).take(word(28) as usize).map(text).collect(),
        }
    }
}

/// Every process; the caller only without process-control.
pub fn list_processes() -> Vec<Pid> {
    pids(|out, cap| unsafe { imports::list_processes(out, cap) })
}

impl Pid {
    /// False for others without process-control.
    pub fn is_alive(self) -> bool {
        unsafe { imports::is_alive(self.0) == 1 }
    }

    /// False for others without process-control.
    pub fn kill(self) -> bool {
        unsafe { imports::kill(self.0) == 1 }
    }

    /// None if it is gone, or another and process-control is missing.
    pub fn info(self) -> Option<Info> {
        fill(|out, cap| unsafe { imports::info(self.0, out, cap) }).map(|data| Info::parse(&data))
    }

    /// Has the process's end arrive as a message that begins with `{"__down":"<pid>"`.
    pub fn monitor(self) -> Result<(), Error> {
        status(unsafe { imports::monitor(self.0) })
    }

    /// Ends all monitors of it; false if there was none.
    pub fn demonitor(self) -> bool {
        unsafe { imports::demonitor(self.0) == 1 }
    }

    /// Needs process-control.
    pub fn link(self) -> Result<(), Error> {
        status(unsafe { imports::link(self.0) })
    }

    /// False if there was no link.
    pub fn unlink(self) -> Result<bool, Error> {
        let code = unsafe { imports::unlink(self.0) };
        status(code).map(|()| code == 1)
    }
}

/// Gives the caller a name; false if it is taken or not allowed.
pub fn register(name: &str) -> bool {
    unsafe { imports::register(name.as_ptr(), name.len()) == 1 }
}

/// Gives up a name.
pub fn unregister(name: &str) -> bool {
    unsafe { imports::unregister(name.as_ptr(), name.len()) == 1 }
}

/// The process that has a name.
pub fn whereis(name: &str) -> Option<Pid> {
    let pid = unsafe { imports::whereis(name.as_ptr(), name.len()) };
    (pid > 0).then(|| Pid(pid))
}

/// A label for people.
pub fn set_label(label: &str) {
    unsafe { imports::set_label(label.as_ptr(), label.len()) }
}

/// Of a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

/// A line in the node's log.
pub fn log(level: Level, text: &str) {
    unsafe { imports::log(level as i32, text.as_ptr(), text.len()) }
}

/// What a new process is to its starter, from the first moment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tie {
    Nothing,
    Link,
    Monitor,
    LinkAndMonitor,
}

/// Starts a component by its name.
pub fn spawn(name: &str, tie: Tie) -> Result<Pid, Error> {
    pid_of(unsafe { imports::spawn(name.as_ptr(), name.len(), tie as i32) })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    OneForOne,
    OneForAll,
    RestForOne,
}

/// Starts a supervisor of components, linked to the caller. It gives up after more than
/// `max_restarts` within that time; both 0: never.
pub fn supervise(
    strategy: Strategy,
    names: &[&str],
    max_restarts: u32,
    within: Duration,
) -> Result<Pid, Error> {
    let joined = names.join("\0");
    let ms = milliseconds(Some(within)).try_into().unwrap_or(u32::MAX);
    pid_of(unsafe {
        imports::supervise(strategy as i32, joined.as_ptr(), joined.len(), max_restarts, ms)
    })
}

/// Has exit signals arrive as messages; the setting before.
pub fn trap_exit(on: bool) -> bool {
    unsafe { imports::trap_exit(on.into()) == 1 }
}

/// Why a process ends itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Normal,
    Shutdown,
    Crashed,
}

/// Ends the caller.
pub fn exit(reason: Reason, detail: &str) -> ! {
    unsafe { imports::exit(reason as i32, detail.as_ptr(), detail.len()) }
}

/// Joins a group.
pub fn register_tag(tag: &str) -> Result<(), Error> {
    status(unsafe { imports::register_tag(tag.as_ptr(), tag.len()) })
}

/// Leaves a group; false if the caller was not in it.
pub fn unregister_tag(tag: &str) -> bool {
    unsafe { imports::unregister_tag(tag.as_ptr(), tag.len()) == 1 }
}

/// The members of a group.
pub fn whereis_tag(tag: &str) -> Vec<Pid> {
    pids(|out, cap| unsafe { imports::whereis_tag(tag.as_ptr(), tag.len(), out, cap) })
}

/// Ends all members; how many. 0 without process-control.
pub fn kill_tag(tag: &str) -> usize {
    unsafe { imports::kill_tag(tag.as_ptr(), tag.len()) as usize }
}

/// Sends one copy to all members; how many have got it.
pub fn publish(tag: &str, data: &[u8]) -> usize {
    unsafe { imports::publish(tag.as_ptr(), tag.len(), data.as_ptr(), data.len()) as usize }
}

/// One end of a byte stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream(pub i64);

impl Stream {
    /// None if the process is gone.
    pub fn open(to: Pid) -> Option<Stream> {
        let id = unsafe { imports::stream_open(to.0) };
        (id >= 0).then(|| Stream(id))
    }

    /// Waits for a stream.
    pub fn accept() -> Stream {
        Stream(unsafe { imports::stream_accept() })
    }

    /// Waits while the stream is full; false if the reader is gone.
    pub fn write(self, chunk: &[u8]) -> bool {
        unsafe { imports::stream_write(self.0, chunk.as_ptr(), chunk.len()) == 0 }
    }

    /// Waits for the next chunk; none at the end.
    pub fn read(self) -> Option<Vec<u8>> {
        fill(|out, cap| unsafe { imports::stream_read(self.0, out, cap) })
    }

    /// Ends writing, or reading.
    pub fn close(self) {
        unsafe { imports::stream_close(self.0) }
    }
}
