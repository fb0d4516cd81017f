%% SPDX-License-Identifier: MIT
%% Copyright (c) 2026 The RUSM in C authors
%% Publishers with a group of subscribers each; one op is one delivery. Two parts: W publishers with 8 subscribers each
%% are the headline, then 1 publisher with 1000 (`wide_ops_per_sec`).
%%
%% A publisher holds its group as a list of pids, which is faster than asking `pg` at each publish. The message carries
%% 16 bytes in two words. It stays at most ?ROUNDS_AHEAD rounds before a subscriber; it looks at another one after each
%% round. Of the deliveries one in 64, to a subscriber chosen at random, carries its publish time.
-module(pubsub_fanout).
-export([run/1]).

-define(ROUNDS_AHEAD, 4).

run(#{workers := Publishers} = Config) ->
    {Stoppable, Subscribers} = start(Publishers, 8),
    Metrics = measure:workload(Config, Subscribers),
    [exit(Pid, kill) || Pid <- Stoppable],
    {_, WideSubscribers} = start(1, 1000),
    Metrics ++ measure:rate("wide_ops_per_sec", Config, WideSubscribers).

start(Publishers, GroupSize) ->
    Groups = [measure:workers(GroupSize) || _ <- lists:seq(1, Publishers)],
    {[spawn(fun() -> publisher(Group) end) || Group <- Groups], lists:append(Groups)}.

publisher(Group) ->
    Pids = [spawn_link(fun() -> subscribe(Subscriber) end) || Subscriber <- Group],
    publish(Pids, list_to_tuple(Group), 0, rand:uniform(measure:sample_every())).

subscribe(Subscriber) ->
    receive
        {0, _} -> ok;
        {PublishedNs, _} -> measure:record(Subscriber, measure:now_ns() - PublishedNs)
    end,
    measure:add(Subscriber, 1),
    subscribe(Subscriber).

publish(Pids, Subscribers, Round, ToSample) ->
    NextToSample = send(Pids, Round, ToSample),
    Watched = element(Round rem tuple_size(Subscribers) + 1, Subscribers),
    wait_for(Watched, Round + 1),
    publish(Pids, Subscribers, Round + 1, NextToSample).

send([], _Round, ToSample) ->
    ToSample;
send([Pid | Rest], Round, 0) ->
    Pid ! {measure:now_ns(), Round},
    send(Rest, Round, rand:uniform(2 * measure:sample_every()));
send([Pid | Rest], Round, ToSample) ->
    Pid ! {0, Round},
    send(Rest, Round, ToSample - 1).

wait_for(Watched, Round) ->
    case Round - measure:ops(Watched) > ?ROUNDS_AHEAD of
        true -> erlang:yield(), wait_for(Watched, Round);
        false -> ok
    end.
