// SPDX-License-Identifier: MIT

// Its first message is a pid (8 bytes, little-endian). It accepts one stream, counts its bytes, and
// sends the total (8 bytes, little-endian) to that pid.
package main

import (
	"encoding/binary"
	"rusm"
)

func main() {
	first := rusm.Receive()
	if len(first) != 8 {
		rusm.Exit(rusm.Crashed, "the first message is not a pid")
	}
	stream := rusm.AcceptStream()
	var total uint64
	for chunk, ok := stream.Read(); ok; chunk, ok = stream.Read() {
		total += uint64(len(chunk))
	}
	rusm.Send(rusm.Pid(binary.LittleEndian.Uint64(first)), binary.LittleEndian.AppendUint64(nil, total))
}
