// SPDX-License-Identifier: MIT

//go:build wasip1

package rusm

import "unsafe"

// The imports, as the table in sdk/README.md has them.

//go:wasmimport rusm own_pid
func ownPid() Pid

//go:wasmimport rusm notify
func notify()

//go:wasmimport rusm send
func send(to Pid, data unsafe.Pointer, size uint32)

//go:wasmimport rusm receive
func receive(out unsafe.Pointer, capacity uint32) int32

//go:wasmimport rusm receive_timeout
func receiveTimeout(out unsafe.Pointer, capacity uint32, ms uint64) int32

//go:wasmimport rusm receive_match
func receiveMatch(prefix unsafe.Pointer, prefixSize uint32, out unsafe.Pointer, capacity uint32, ms uint64) int32

//go:wasmimport rusm stash
func stash() int32

//go:wasmimport rusm unstash
func unstash()

//go:wasmimport rusm send_after
func sendAfter(to Pid, ms uint64, data unsafe.Pointer, size uint32) int64

//go:wasmimport rusm cancel_timer
func cancelTimer(timer int64) int32

//go:wasmimport rusm list_processes
func listProcesses(out unsafe.Pointer, capacity uint32) int32

//go:wasmimport rusm is_alive
func isAlive(pid Pid) int32

//go:wasmimport rusm kill
func kill(pid Pid) int32

//go:wasmimport rusm info
func info(pid Pid, out unsafe.Pointer, capacity uint32) int32

//go:wasmimport rusm register
func register(name string) int32

//go:wasmimport rusm unregister
func unregister(name string) int32

//go:wasmimport rusm whereis
func whereis(name string) Pid

//go:wasmimport rusm set_label
func setLabel(label string)

//go:wasmimport rusm log
func log(level int32, text string)

//go:wasmimport rusm spawn
func spawn(name string, flags int32) int64

//go:wasmimport rusm supervise
func supervise(strategy int32, names string, maxRestarts uint32, withinMs uint32) int64

//go:wasmimport rusm monitor
func monitor(pid Pid) int32

//go:wasmimport rusm demonitor
func demonitor(pid Pid) int32

//go:wasmimport rusm link
func link(pid Pid) int32

//go:wasmimport rusm unlink
func unlink(pid Pid) int32

//go:wasmimport rusm trap_exit
func trapExit(on int32) int32

//go:wasmimport rusm exit
func exit(reason int32, detail string)

//go:wasmimport rusm register_tag
func registerTag(tag string) int32

//go:wasmimport rusm unregister_tag
func unregisterTag(tag string) int32

//go:wasmimport rusm whereis_tag
func whereisTag(tag string, out unsafe.Pointer, capacity uint32) int32

//go:wasmimport rusm kill_tag
func killTag(tag string) int32

//go:wasmimport rusm publish
func publish(tag string, data unsafe.Pointer, size uint32) int32

//go:wasmimport rusm stream_open
func streamOpen(to Pid) int64

//go:wasmimport rusm stream_write
func streamWrite(id int64, data unsafe.Pointer, size uint32) int32

//go:wasmimport rusm stream_close
func streamClose(id int64)

//go:wasmimport rusm stream_accept
func streamAccept() int64

//go:wasmimport rusm stream_read
func streamRead(id int64, out unsafe.Pointer, capacity uint32) int32
