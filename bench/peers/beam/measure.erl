%% SPDX-License-Identifier: MIT
%% Copyright (c) 2026 The RUSM in C authors
%% Counters and latency histograms of workers, and the measured interval.
%%
%% Each worker has a `counters` array of its own and is the only one to write it. An array is its own allocation: the
%% first words pad it, so that no two workers share a cache line.
-module(measure).
-export([workers/1, add/2, ops/1, record/2, now_ns/0, workload/2, rate/3, sleep/1, live_cap/1, sample_every/0]).

-define(PADDING, 16).                 % words: two cache lines
-define(OPS, (?PADDING + 1)).
-define(LATENCY, (2 * ?PADDING + 1)). % first bucket
%% As in the other peers: exact below 256 ns, then 128 buckets to each power of two, up to 68 s.
-define(SUB_BITS, 7).
-define(EXACT, 256).
-define(VALUE_MAX, ((1 bsl 36) - 1)).
-define(BUCKETS, 3968).

%% One of this many operations is timed.
sample_every() -> 64.

%% Live population that spawners may reach: a safety net for memory.
live_cap(#{cores := Cores}) -> 5000 * Cores.

worker() -> counters:new(?LATENCY + ?BUCKETS + ?PADDING, []).

workers(N) -> [worker() || _ <- lists:seq(1, N)].

add(Worker, N) -> counters:add(Worker, ?OPS, N).

ops(Worker) -> counters:get(Worker, ?OPS).

now_ns() -> erlang:monotonic_time(nanosecond).

record(Worker, Ns) -> counters:add(Worker, ?LATENCY + bucket(min(Ns, ?VALUE_MAX)), 1).

bucket(Ns) when Ns < ?EXACT -> Ns;
bucket(Ns) ->
    Shift = bits(Ns, 0) - 1 - ?SUB_BITS,
    (Shift bsl ?SUB_BITS) + (Ns bsr Shift).

bits(0, N) -> N;
bits(Ns, N) when Ns >= 256 -> bits(Ns bsr 8, N + 8);
bits(Ns, N) -> bits(Ns bsr 1, N + 1).

%% The middle of a bucket.
value(Bucket) when Bucket < ?EXACT -> Bucket;
value(Bucket) ->
    Shift = (Bucket bsr ?SUB_BITS) - 1,
    ((Bucket - (Shift bsl ?SUB_BITS)) bsl Shift) + ((1 bsl Shift) bsr 1).

%% Operations per second and latency percentiles of the workers; the warm-up's are in neither.
workload(Config, Workers) ->
    {{OpsBefore, LatencyBefore}, {Ops, Latency}, Seconds} =
        interval(Config, fun() -> {total(Workers), histogram(Workers)} end),
    [{"ops_per_sec", "1/s", (Ops - OpsBefore) / Seconds}
     | percentiles(lists:zipwith(fun erlang:'-'/2, Latency, LatencyBefore))].

%% Operations per second under another name.
rate(Name, Config, Workers) ->
    {Before, After, Seconds} = interval(Config, fun() -> total(Workers) end),
    [{Name, "1/s", (After - Before) / Seconds}].

interval(#{warmup := Warmup, seconds := Seconds}, Read) ->
    sleep(Warmup),
    Before = Read(),
    Start = now_ns(),
    sleep(Seconds),
    After = Read(),
    {Before, After, (now_ns() - Start) / 1.0e9}.

sleep(Seconds) -> timer:sleep(round(Seconds * 1000)).

total(Workers) -> lists:sum([ops(W) || W <- Workers]).

histogram(Workers) ->
    [lists:sum([counters:get(W, ?LATENCY + B) || W <- Workers]) || B <- lists:seq(0, ?BUCKETS - 1)].

percentiles(Counts) ->
    case lists:sum(Counts) of
        0 -> [];
        Total -> [{Name, "ns", percentile(ceil(Total * Fraction), Counts, 0)}
                  || {Name, Fraction} <- [{"p50_ns", 0.5}, {"p95_ns", 0.95}, {"p99_ns", 0.99}, {"p999_ns", 0.999}]]
    end.

percentile(Rank, [Count | _], Bucket) when Count >= Rank -> value(Bucket);
percentile(Rank, [Count | Rest], Bucket) -> percentile(Rank - Count, Rest, Bucket + 1).
