// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/*
 * FAKE NODE, for work on the page only. Serves the built page and a stream of made-up figures that
 * depend on nothing but the tick. Takes the arguments of the real one:
 *
 *   bun dev/fake-node.ts start [--listen 127.0.0.1:4000] [--ticks 20] [--dashboard dist]
 *
 * and for looking at states: --stall-after S (a run stalls), --lose N (every Nth tick is lost),
 * --garble-after N (one malformed message after N ticks).
 */

import { join, normalize } from "node:path";
import { parseArgs } from "node:util";
import type { ServerWebSocket } from "bun";
import type { ProfileId } from "../src/wire/types.ts";
import { frame, hello, opsOf } from "./fake-data.ts";

const { values } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    listen: { type: "string", default: "127.0.0.1:4000" },
    ticks: { type: "string", default: "20" },
    dashboard: { type: "string", default: join(import.meta.dir, "../dist") },
    "stall-after": { type: "string", default: "0" },
    lose: { type: "string", default: "0" },
    "garble-after": { type: "string", default: "0" },
  },
});

interface Client {
  detail: boolean;
  dropped: number;
}

const SORT_KEYS = new Set<unknown>(["id", "name", "mailbox", "memory", "cpu", "reductions"]);

const [hostname, port] = values.listen.split(":");
const ticksPerSecond = Number(values.ticks);
const periodMs = 1000 / ticksPerSecond;
const greeting = hello(Date.now(), ticksPerSecond);
const clients = new Set<ServerWebSocket<Client>>();

let tick = 0;
let profile: ProfileId = "balanced";
let run: { scenario: string; sinceTick: number } | null = null;
let spawned = 0;
let messages = 0;

function step(): void {
  tick += 1;
  const elapsedMs = run === null ? 0 : (tick - run.sinceTick) * periodMs;
  const stallMs = Number(values["stall-after"]) * 1000;
  const stalled = stallMs > 0 && elapsedMs > stallMs;
  if (run !== null && !stalled) {
    const done = (opsOf(run.scenario, profile, tick, elapsedMs) * periodMs) / 1000;
    spawned += run.scenario === "spawn-storm" ? done : 0;
    messages += run.scenario === "ping-pong" ? done : done / 400;
  }
  const lose = Number(values.lose);
  for (const client of clients) {
    if (lose > 0 && tick % lose < 4) {
      client.data.dropped += 1;
      continue;
    }
    const moment = {
      tick,
      uptimeMs: tick * periodMs,
      profile,
      run: run === null ? null : { scenario: run.scenario, elapsedMs, stalled },
      spawned,
      messages,
      detail: client.data.detail,
      dropped: client.data.dropped,
    };
    client.send(JSON.stringify({ type: "tick", frame: frame(moment) }));
    if (tick === Number(values["garble-after"])) client.send('{"type":"tick","frame":{}}');
  }
}

function obey(client: ServerWebSocket<Client>, text: string): void {
  const fail = (message: string): void => {
    client.send(JSON.stringify({ type: "error", message }));
  };
  let message: Record<string, unknown>;
  try {
    message = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return fail("not JSON");
  }
  switch (message["type"]) {
    case "run": {
      const meta = greeting.scenarios.find(({ id }) => id === message["scenario"]);
      if (meta === undefined) return fail(`no scenario named ${String(message["scenario"])}`);
      if (!meta.real) return fail(`${meta.label} comes with phase ${meta.real_after_phase}`);
      run = { scenario: meta.id, sinceTick: tick };
      return;
    }
    case "stop":
      run = null;
      return;
    case "set_observer_detail":
      if (message["sort"] !== undefined && !SORT_KEYS.has(message["sort"])) {
        return fail(`no sort key ${String(message["sort"])}`);
      }
      client.data.detail = message["enabled"] === true;
      return;
    case "set_resource_profile": {
      const found = greeting.profiles.find(({ id }) => id === message["profile"]);
      if (found === undefined) return fail("no such profile");
      profile = found.id;
      return;
    }
    default:
      return fail(`unknown message ${String(message["type"])}`);
  }
}

const server = Bun.serve<Client>({
  hostname: hostname ?? "127.0.0.1",
  port: Number(port ?? "4000"),
  fetch(request, self) {
    const { pathname } = new URL(request.url);
    if (pathname === "/ws") {
      const upgraded = self.upgrade(request, { data: { detail: false, dropped: 0 } });
      return upgraded ? undefined : new Response("expected a WebSocket", { status: 400 });
    }
    const name = normalize(pathname === "/" ? "/index.html" : pathname);
    const file = Bun.file(join(values.dashboard, name));
    return file
      .exists()
      .then((there) => (there ? new Response(file) : new Response("", { status: 404 })));
  },
  websocket: {
    open(client) {
      clients.add(client);
      client.send(JSON.stringify(greeting));
    },
    message(client, text) {
      obey(client, String(text));
    },
    close(client) {
      clients.delete(client);
    },
  },
});

setInterval(step, periodMs);
console.log(`FAKE node on http://${server.hostname}:${server.port}/`);
