%% SPDX-License-Identifier: MIT
%% Copyright (c) 2026 The RUSM in C authors
%% Spawners create processes with an empty body, yield after each batch, and wait while the live population is at the
%% cap. Shapes tried on two cores: this one (batches of 8 to 512), batches joined by spawn_monitor or by a message from
%% the child, a window over a counter that the children bump. This one with 32 was the fastest.
%%
%% An operation is counted when it is created; at most the cap has yet to be reaped.
-module(spawn_storm).
-export([run/1]).

-define(BATCH, 32).

run(#{workers := Spawners} = Config) ->
    Workers = measure:workers(Spawners),
    LiveCap = measure:live_cap(Config),
    [spawn(fun() -> storm(Worker, LiveCap) end) || Worker <- Workers],
    measure:workload(Config, Workers).

storm(Worker, LiveCap) ->
    batch(?BATCH),
    measure:add(Worker, ?BATCH),
    erlang:yield(),
    wait_below(LiveCap),
    storm(Worker, LiveCap).

batch(0) -> ok;
batch(N) ->
    spawn(fun() -> ok end),
    batch(N - 1).

wait_below(LiveCap) ->
    case erlang:system_info(process_count) > LiveCap of
        true -> erlang:yield(), wait_below(LiveCap);
        false -> ok
    end.
