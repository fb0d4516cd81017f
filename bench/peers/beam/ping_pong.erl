%% SPDX-License-Identifier: MIT
%% Copyright (c) 2026 The RUSM in C authors
%% Pairs of processes, one message in flight each. The ping is the pinger's pid, one 8-byte word; the pong an atom.
-module(ping_pong).
-export([run/1]).

run(#{workers := Pairs} = Config) ->
    Workers = measure:workers(Pairs),
    [spawn(fun() -> ask(spawn(fun answer/0), Worker) end) || Worker <- Workers],
    measure:workload(Config, Workers).

answer() ->
    receive Pinger -> Pinger ! pong end,
    answer().

ask(Pong, Worker) ->
    Start = measure:now_ns(),
    round_trips(Pong, 1),
    measure:record(Worker, measure:now_ns() - Start),
    Batch = measure:sample_every(),
    round_trips(Pong, Batch - 1),
    measure:add(Worker, 2 * Batch),
    ask(Pong, Worker).

round_trips(_Pong, 0) -> ok;
round_trips(Pong, N) ->
    Pong ! self(),
    receive pong -> ok end,
    round_trips(Pong, N - 1).
