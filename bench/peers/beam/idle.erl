%% SPDX-License-Identifier: MIT
%% Copyright (c) 2026 The RUSM in C authors
%% Memory of a process that waits for its first message.
-module(idle).
-export([run/1]).

run(#{workers := Count, seconds := Seconds}) ->
    Before = resident_bytes(),
    start(Count),
    measure:sleep(Seconds), % the last ones have yet to run and wait
    [{"bytes_per_process", "B", (resident_bytes() - Before) / Count}].

start(0) -> ok;
start(N) ->
    spawn(fun() -> receive stop -> ok end end),
    start(N - 1).

resident_bytes() ->
    {ok, Status} = file:read_file("/proc/self/status"),
    {match, [Kib]} = re:run(Status, "VmRSS:\\s*(\\d+) kB", [{capture, all_but_first, list}]),
    list_to_integer(Kib) * 1024.
