// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { describe, expect, test } from "bun:test";
import { Connection, pauseMs, type SocketEvents, type World } from "../src/hooks/connection.ts";
import { Store } from "../src/state/store.ts";
import { HELLO } from "./sample.ts";

/** A world whose time passes only when told to, and whose sockets do what the test says. */
class FakeWorld implements World {
  time = 0;
  sockets: { events: SocketEvents; sent: string[]; closed: boolean }[] = [];
  #timers: { at: number; callback: () => void }[] = [];

  readonly now = () => this.time;
  readonly random = () => 0;
  readonly open = (events: SocketEvents) => {
    const socket = { events, sent: [] as string[], closed: false };
    this.sockets.push(socket);
    return {
      send: (text: string) => void socket.sent.push(text),
      close: () => {
        socket.closed = true;
      },
    };
  };
  readonly after = (ms: number, callback: () => void) => {
    const timer = { at: this.time + ms, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  get socket() {
    const last = this.sockets[this.sockets.length - 1];
    if (last === undefined) throw new Error("no socket was opened");
    return last;
  }

  pass(ms: number): void {
    this.time += ms;
    const due = this.#timers.filter(({ at }) => at <= this.time);
    this.#timers = this.#timers.filter(({ at }) => at > this.time);
    for (const { callback } of due) callback();
  }
}

function connected() {
  const world = new FakeWorld();
  const store = new Store();
  const connection = new Connection(store, world);
  world.socket.events.opened();
  world.socket.events.received(JSON.stringify(HELLO));
  return { world, store, connection };
}

describe("the connection to the node", () => {
  test("tells the store what happens", () => {
    const { store } = connected();
    expect(store.state.link.phase).toBe("open");
    expect(store.state.hello?.node.name).toBe(HELLO.node.name);
  });

  test("shows what it cannot understand and stays", () => {
    const { world, store } = connected();
    world.socket.events.received('{"type":"tick"}');
    expect(store.state.problem?.kind).toBe("protocol");
    expect(world.socket.closed).toBe(false);
  });

  test("comes back with growing pauses, which begin anew after success", () => {
    const { world, store } = connected();
    const pauses: number[] = [];
    for (let i = 0; i < 7; i += 1) {
      const opened = world.sockets.length;
      world.socket.events.closed();
      const pause = (store.state.link.retryAtMs ?? 0) - world.time;
      world.pass(pause - 1);
      expect(world.sockets).toHaveLength(opened);
      world.pass(1);
      expect(world.sockets).toHaveLength(opened + 1);
      pauses.push(pause);
    }
    expect(pauses).toEqual([500, 500, 1000, 2000, 4000, 8000, 10_000]);
    world.socket.events.opened();
    world.socket.events.closed();
    expect((store.state.link.retryAtMs ?? 0) - world.time).toBe(500);
  });

  test("pauses differ from page to page, by a fifth at most", () => {
    expect([pauseMs(3, 0), pauseMs(3, 1)]).toEqual([2000, 1600]);
  });

  test("gives up a socket that does not open, and hears it no more", () => {
    const world = new FakeWorld();
    const store = new Store();
    new Connection(store, world);
    const { socket } = world;
    world.pass(5000);
    expect(socket.closed).toBe(true);
    expect(store.state.link.phase).toBe("closed");
    socket.events.opened();
    expect(store.state.link.phase).toBe("closed");
  });

  test("tells each node that greets what the user chose", () => {
    const { world, store } = connected();
    expect(world.socket.sent).toEqual([]);
    store.dispatch({ type: "profile_chosen", profile: "max" });
    store.dispatch({ type: "detail_switched", enabled: true });
    world.socket.events.closed();
    world.pass(500);
    world.socket.events.opened();
    world.socket.events.received(JSON.stringify(HELLO));
    expect(world.socket.sent.map((text): unknown => JSON.parse(text))).toEqual([
      { type: "set_resource_profile", profile: "max" },
      { type: "set_observer_detail", enabled: true, sort: "reductions", descending: true },
    ]);
  });

  test("sends nothing while closed", () => {
    const { world, connection } = connected();
    expect(connection.send({ type: "stop" })).toBe(true);
    world.socket.events.closed();
    expect(connection.send({ type: "stop" })).toBe(false);
  });

  test("can be asked not to wait", () => {
    const { world, connection } = connected();
    connection.retryNow();
    expect(world.sockets).toHaveLength(1);
    world.socket.events.closed();
    connection.retryNow();
    expect(world.sockets).toHaveLength(2);
    world.pass(60);
    expect(world.sockets).toHaveLength(2);
  });

  test("ends for good", () => {
    const { world, connection } = connected();
    const { socket } = world;
    connection.end();
    expect(socket.closed).toBe(true);
    socket.events.closed();
    world.pass(60_000);
    expect(world.sockets).toHaveLength(1);
  });
});
