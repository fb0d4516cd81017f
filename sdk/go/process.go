// SPDX-License-Identifier: MIT

//go:build wasip1

// Package rusm is what a guest in Go calls: the imports of the module `rusm`, see sdk/README.md for
// what each does and when it is denied. Build with GOOS=wasip1 GOARCH=wasm; main is the body, and its
// return ends the process.
//
// A guest is one thread: a call that waits holds all its goroutines.
package rusm

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"time"
	"unsafe"
)

// Pid names one process, ever.
type Pid int64

// Error is a negative answer.
type Error int32

const (
	None    Error = -1 // no such process, name, component
	Denied  Error = -2 // the capabilities do not allow it
	Limit   Error = -3 // something is full
	Invalid Error = -4 // an argument is out of its range
	Failed  Error = -5 // it was tried and failed
)

func (e Error) Error() string {
	switch e {
	case None:
		return "there is no such thing"
	case Denied:
		return "denied by the capabilities"
	case Limit:
		return "a limit is reached"
	case Invalid:
		return "an argument is out of its range"
	case Failed:
		return "it failed"
	}
	return "unknown error"
}

func status(code int32) error {
	if code < 0 {
		return Error(code)
	}
	return nil
}

func pidOf(code int64) (Pid, error) {
	if code < 0 {
		return 0, Error(code)
	}
	return Pid(code), nil
}

func pointer(data []byte) unsafe.Pointer {
	return unsafe.Pointer(unsafe.SliceData(data))
}

// fill calls f with more and more room until what it writes fits; nil if f says that there is nothing.
func fill(f func(out unsafe.Pointer, capacity uint32) int32) []byte {
	buffer := make([]byte, 256)
	for {
		size := f(pointer(buffer), uint32(len(buffer)))
		if size < 0 {
			return nil
		}
		if int(size) <= len(buffer) {
			return buffer[:size:size]
		}
		buffer = make([]byte, size)
	}
}

// pids is fill for lists of pids, which count pids and not bytes.
func pids(f func(out unsafe.Pointer, capacity uint32) int32) []Pid {
	buffer := make([]Pid, 64)
	for {
		count := int(f(unsafe.Pointer(unsafe.SliceData(buffer)), uint32(len(buffer))))
		if count <= len(buffer) {
			return buffer[:count]
		}
		buffer = make([]Pid, count)
	}
}

// milliseconds rounds up, so that no wait is shorter than asked for; negative is for ever.
func milliseconds(timeout time.Duration) uint64 {
	if timeout < 0 {
		return math.MaxUint64
	}
	whole := uint64(timeout / time.Millisecond)
	if timeout%time.Millisecond != 0 {
		whole++
	}
	return whole
}

// Self is this process.
func Self() Pid { return ownPid() }

// Notify counts one mark of progress.
func Notify() { notify() }

// Send sends a copy; dropped if the process is gone.
func Send(to Pid, data []byte) { send(to, pointer(data), uint32(len(data))) }

// Receive waits for the oldest message.
func Receive() []byte { return fill(receive) }

// ReceiveTimeout is Receive for at most that long; false when the time has passed. Negative: for ever.
func ReceiveTimeout(timeout time.Duration) ([]byte, bool) {
	ms := milliseconds(timeout)
	data := fill(func(out unsafe.Pointer, capacity uint32) int32 {
		return receiveTimeout(out, capacity, ms)
	})
	return data, data != nil
}

// ReceiveMatch waits for the oldest message that begins with prefix; others stay, in order.
func ReceiveMatch(prefix []byte, timeout time.Duration) ([]byte, bool) {
	ms := milliseconds(timeout)
	data := fill(func(out unsafe.Pointer, capacity uint32) int32 {
		return receiveMatch(pointer(prefix), uint32(len(prefix)), out, capacity, ms)
	})
	return data, data != nil
}

// Stash puts the message received last aside.
func Stash() bool { return stash() == 1 }

// Unstash puts all that are aside back before the others.
func Unstash() { unstash() }

// Timer is a message to be sent later.
type Timer int64

// SendAfter sends a copy after delay.
func SendAfter(to Pid, delay time.Duration, data []byte) (Timer, error) {
	timer := sendAfter(to, milliseconds(max(delay, 0)), pointer(data), uint32(len(data)))
	if timer < 0 {
		return 0, Error(timer)
	}
	return Timer(timer), nil
}

// Cancel is false if it has fired.
func (t Timer) Cancel() bool { return cancelTimer(int64(t)) == 1 }

// List is every process; this one only without process-control.
func List() []Pid { return pids(listProcesses) }

// IsAlive is false for others without process-control.
func (p Pid) IsAlive() bool { return isAlive(p) == 1 }

// Kill is false for others without process-control.
func (p Pid) Kill() bool { return kill(p) == 1 }

// Info is what a process is doing.
type Info struct {
	Pid          Pid
	Links        uint32
	Monitors     uint32
	MailboxDepth uint32
	TrapExit     bool
	HasLabel     bool
	Label        string
	Names        []string
}

const noLabel = math.MaxUint32

// Info is false if the process is gone, or another and process-control is missing.
func (p Pid) Info() (Info, bool) {
	data := fill(func(out unsafe.Pointer, capacity uint32) int32 { return info(p, out, capacity) })
	if data == nil {
		return Info{}, false
	}
	word := func(offset int) uint32 { return binary.LittleEndian.Uint32(data[offset:]) }
	found := Info{
		Pid:          Pid(binary.LittleEndian.Uint64(data)),
		Links:        word(8),
		Monitors:     word(12),
		MailboxDepth: word(16),
		TrapExit:     word(20) != 0,
		HasLabel:     word(24) != noLabel,
	}
	rest := data[32:]
	if found.HasLabel {
		found.Label = string(rest[:word(24)])
		rest = rest[word(24):]
	}
	for range word(28) {
		var name []byte
		name, rest, _ = bytes.Cut(rest, []byte{0})
		found.Names = append(found.Names, string(name))
	}
	return found, true
}

// Register gives this process a name; false if it is taken or not allowed.
func Register(name string) bool { return register(name) == 1 }

// Unregister gives up a name.
func Unregister(name string) bool { return unregister(name) == 1 }

// Whereis is the process that has a name.
func Whereis(name string) (Pid, bool) {
	pid := whereis(name)
	return pid, pid > 0
}

// SetLabel is for people.
func SetLabel(label string) { setLabel(label) }

// Level of a line in the log.
type Level int32

const (
	LevelError Level = iota
	LevelWarn
	LevelInfo
	LevelDebug
)

// Log writes a line in the node's log.
func Log(level Level, text string) { log(int32(level), text) }

// Spawn starts a component by its name.
func Spawn(name string) (Pid, error) { return pidOf(spawn(name, 0)) }

// SpawnLink starts it and links with it in one step.
func SpawnLink(name string) (Pid, error) { return pidOf(spawn(name, 1)) }

// SpawnMonitor starts it and monitors it in one step.
func SpawnMonitor(name string) (Pid, error) { return pidOf(spawn(name, 2)) }

// Strategy of a supervisor.
type Strategy int32

const (
	OneForOne Strategy = iota
	OneForAll
	RestForOne
)

// Supervise starts a supervisor of components, linked to this process. It gives up after more than
// maxRestarts within that time; both 0: never.
func Supervise(strategy Strategy, names []string, maxRestarts uint32, within time.Duration) (Pid, error) {
	ms := min(milliseconds(max(within, 0)), math.MaxUint32)
	joined := strings.Join(names, "\x00")
	return pidOf(supervise(int32(strategy), joined, maxRestarts, uint32(ms)))
}

// Monitor has the end of a process arrive as a message that begins with DownPrefix(pid).
func (p Pid) Monitor() error { return status(monitor(p)) }

// Demonitor ends all monitors of a process; false if there was none.
func (p Pid) Demonitor() bool { return demonitor(p) == 1 }

// Link needs process-control.
func (p Pid) Link() error { return status(link(p)) }

// Unlink is false if there was no link.
func (p Pid) Unlink() (bool, error) {
	code := unlink(p)
	return code == 1, status(code)
}

// TrapExit has exit signals arrive as messages; the setting before.
func TrapExit(on bool) bool {
	var flag int32
	if on {
		flag = 1
	}
	return trapExit(flag) == 1
}

// Reason of an end.
type Reason int32

const (
	Normal Reason = iota
	Shutdown
	Crashed
)

// Exit ends this process.
func Exit(reason Reason, detail string) {
	exit(int32(reason), detail)
	panic("unreachable: exit does not return")
}

// RegisterTag joins a group.
func RegisterTag(tag string) error { return status(registerTag(tag)) }

// UnregisterTag leaves a group; false if this process was not in it.
func UnregisterTag(tag string) bool { return unregisterTag(tag) == 1 }

// WhereisTag is the members of a group.
func WhereisTag(tag string) []Pid {
	return pids(func(out unsafe.Pointer, capacity uint32) int32 { return whereisTag(tag, out, capacity) })
}

// KillTag ends all members; how many. 0 without process-control.
func KillTag(tag string) int { return int(killTag(tag)) }

// Publish sends one copy to all members; how many have got it.
func Publish(tag string, data []byte) int {
	return int(publish(tag, pointer(data), uint32(len(data))))
}

// Stream is one end of a byte stream.
type Stream int64

// OpenStream opens a stream that the process accepts; false if it is gone.
func OpenStream(to Pid) (Stream, bool) {
	id := streamOpen(to)
	return Stream(id), id >= 0
}

// AcceptStream waits for a stream.
func AcceptStream() Stream { return Stream(streamAccept()) }

// Write waits while the stream is full; false if the reader is gone.
func (s Stream) Write(chunk []byte) bool {
	return streamWrite(int64(s), pointer(chunk), uint32(len(chunk))) == 0
}

// Read waits for the next chunk; false at the end.
func (s Stream) Read() ([]byte, bool) {
	data := fill(func(out unsafe.Pointer, capacity uint32) int32 {
		return streamRead(int64(s), out, capacity)
	})
	return data, data != nil
}

// Close ends writing, or reading.
func (s Stream) Close() { streamClose(int64(s)) }
