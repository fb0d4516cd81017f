%% SPDX-License-Identifier: MIT
%% Copyright (c) 2026 The RUSM in C authors
%% The beam peer: processes of Erlang/OTP, with the emulator's default flags but for schedulers and process limit.
%% Started by `erl ... -run bench_peer main -extra ARGUMENTS`; without -extra, erl takes the options for its own.
%% Arguments: WORKLOAD --workers N --seconds S --warmup S --cores C; prints one JSON line last.
%% The number of schedulers is the emulator's own flag (+S), so --cores is only checked against it.
-module(bench_peer).
-export([main/0]).

main() ->
    try run(init:get_plain_arguments()) of
        Line -> io:put_chars([Line, $\n]), halt(0)
    catch
        throw:Message -> io:put_chars(standard_error, [Message, $\n]), halt(2);
        Class:Reason:Stack -> io:format(standard_error, "~p: ~p~n~p~n", [Class, Reason, Stack]), halt(1)
    end.

run([]) ->
    throw("usage: WORKLOAD [--workers N] [--seconds S] [--warmup S] [--cores C]");
run([Workload | Options]) ->
    Config = options(Options, #{workers => 1, seconds => 3.0, warmup => 2.0,
                                cores => erlang:system_info(schedulers_online)}),
    maps:get(cores, Config) =:= erlang:system_info(schedulers_online)
        orelse throw("--cores and the emulator's +S differ"),
    Module = workload(Workload),
    result(Workload, Config, Module:run(Config)).

workload("spawn-storm") -> spawn_storm;
workload("ping-pong") -> ping_pong;
workload("fault-recovery") -> fault_recovery;
workload("pubsub-fanout") -> pubsub_fanout;
workload("idle") -> idle;
workload(Other) -> throw(["beam has no workload ", Other]).

options([], Config) ->
    Config;
options([Name, Value | Rest], Config) ->
    options(Rest, option(Name, number(Name, Value), Config));
options([Name], _Config) ->
    throw([Name, " needs a value"]).

option("--workers", N, Config) when is_integer(N), N > 0 -> Config#{workers := N};
option("--cores", N, Config) when is_integer(N), N > 0 -> Config#{cores := N};
option("--seconds", S, Config) when S > 0 -> Config#{seconds := S};
option("--warmup", S, Config) when S >= 0 -> Config#{warmup := S};
option(Name, _, _Config) -> throw(["unknown option or value out of range: ", Name]).

number(Name, Value) ->
    case {string:to_integer(Value), string:to_float(Value)} of
        {{Integer, ""}, _} -> Integer;
        {_, {Float, ""}} -> Float;
        _ -> throw([Name, ": not a number: ", Value])
    end.

result(Workload, #{workers := Workers, seconds := Seconds}, Metrics) ->
    io_lib:format("{\"schema\":1,\"time\":\"~s\",\"peer\":\"beam\",\"peer_version\":\"~s\",\"scenario\":\"~s\","
                  "\"workers\":~w,\"seconds\":~w,\"metrics\":[~s]}",
                  [calendar:system_time_to_rfc3339(erlang:system_time(second), [{offset, "Z"}]),
                   version(), Workload, Workers, Seconds, lists:join($,, [metric(M) || M <- Metrics])]).

metric({Name, Unit, Value}) ->
    io_lib:format("{\"name\":\"~s\",\"unit\":\"~s\",\"value\":~.1f}", [Name, Unit, float(Value)]).

version() ->
    ["OTP ", erlang:system_info(otp_release), " erts ", erlang:system_info(version),
     " ", atom_to_list(erlang:system_info(emu_flavor))].
