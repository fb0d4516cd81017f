// SPDX-License-Identifier: MIT

// Has the node supervise the component "worker": one for one, 3 restarts within 5 seconds. Needs the
// capability spawn. A message is somebody's pid (8 bytes, little-endian): it is sent the pid of the
// supervisor, which ends together with this process. If the supervisor gives up, this process ends too:
// they are linked.
package main

import (
	"encoding/binary"
	"rusm"
	"time"
)

func main() {
	supervisor, err := rusm.Supervise(rusm.OneForOne, []string{"worker"}, 3, 5*time.Second)
	if err != nil {
		rusm.Exit(rusm.Crashed, err.Error())
	}
	answer := binary.LittleEndian.AppendUint64(nil, uint64(supervisor))
	for {
		message := rusm.Receive()
		if len(message) == 8 {
			rusm.Send(rusm.Pid(binary.LittleEndian.Uint64(message)), answer)
		}
	}
}
