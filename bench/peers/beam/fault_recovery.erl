%% SPDX-License-Identifier: MIT
%% Copyright (c) 2026 The RUSM in C authors
%% Supervisors whose four children crash as soon as they run. One op is one restart; its latency runs from the crash to
%% the replacement's first instruction.
%%
%% The headline is the standard library's `supervisor`. It keeps the times of all restarts within its period, the
%% shortest being a second, and walks them at each restart: that, not the emulator, sets its rate. A second metric,
%% `bare_ops_per_sec`, is a plain process that traps exits and starts each child anew.
-module(fault_recovery).
-behaviour(supervisor).
-export([run/1, init/1, start_child/1]).

-define(CHILDREN, 4).

run(#{workers := Supervisors} = Config) ->
    logger:set_primary_config(level, none), % a report for each crash would be most of the work
    Places = [[place() || _ <- lists:seq(1, ?CHILDREN)] || _ <- lists:seq(1, Supervisors)],
    process_flag(trap_exit, true),
    Started = [Pid || {ok, Pid} <- [supervisor:start_link(?MODULE, Group) || Group <- Places]],
    Metrics = measure:workload(Config, workers(Places)),
    [exit(Pid, kill) || Pid <- Started],
    BarePlaces = [[place() || _ <- Group] || Group <- Places],
    [spawn(fun() -> bare_supervisor(Group) end) || Group <- BarePlaces],
    Metrics ++ measure:rate("bare_ops_per_sec", Config, workers(BarePlaces)).

%% A child's place under its supervisor: its counters, and when the last timed crash was (0: it was not timed).
place() -> {hd(measure:workers(1)), atomics:new(1, [])}.

workers(Places) -> [Worker || Group <- Places, {Worker, _} <- Group].

init(Group) ->
    Children = [#{id => Number, start => {?MODULE, start_child, [Place]}, restart => permanent}
                || {Number, Place} <- lists:enumerate(Group)],
    {ok, {#{strategy => one_for_one, intensity => 1_000_000_000, period => 1}, Children}}.

start_child(Place) -> {ok, spawn_link(fun() -> crash(Place) end)}.

bare_supervisor(Group) ->
    process_flag(trap_exit, true),
    bare_loop(maps:from_list([bare_child(Place) || Place <- Group])).

bare_loop(Children) ->
    receive
        {'EXIT', Pid, _Reason} ->
            {Place, Others} = maps:take(Pid, Children),
            {Child, Place} = bare_child(Place),
            bare_loop(Others#{Child => Place})
    end.

bare_child(Place) -> {spawn_link(fun() -> crash(Place) end), Place}.

crash({Worker, CrashedAt}) ->
    case atomics:get(CrashedAt, 1) of
        0 -> ok;
        Then -> measure:record(Worker, measure:now_ns() - Then), atomics:put(CrashedAt, 1, 0)
    end,
    measure:add(Worker, 1),
    case measure:ops(Worker) rem measure:sample_every() of
        0 -> atomics:put(CrashedAt, 1, measure:now_ns());
        _ -> ok
    end,
    exit(crashed).
