// SPDX-License-Identifier: MIT

// Sends back what it gets. A message is the sender's pid (8 bytes, little-endian) and the payload.
package main

import (
	"encoding/binary"
	"rusm"
)

func main() {
	for {
		message := rusm.Receive()
		if len(message) >= 8 {
			rusm.Send(rusm.Pid(binary.LittleEndian.Uint64(message)), message[8:])
		}
	}
}
