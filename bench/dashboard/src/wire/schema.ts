// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** The checkers of every message the node sends; `Shape` ties them to types.ts field by field. */

import { amount, decimal, flag, list, nullable, object, oneOf, text } from "./check.ts";
import type {
  Frame,
  Hello,
  Latency,
  Machine,
  Metric,
  NodeInfo,
  Observer,
  PeerResult,
  Process,
  Profile,
  ProfileId,
  ScenarioMeta,
  ScenarioUnit,
  ServerError,
  Throughput,
  Tick,
  WasmPool,
} from "./types.ts";

/** Limits of lists, far above what a node sends: a safety net, not a promise. */
const MANY = 4096;
const PROCESS_ROWS_MAX = 256;

const unit = oneOf<ScenarioUnit>("count", "bytes");
const profileId = oneOf<ProfileId>("light", "balanced", "max");

const scenario = object<ScenarioMeta>({
  id: text,
  label: text,
  description: text,
  details: list(text, MANY),
  real_after_phase: amount,
  real: flag,
  unit,
  ops_label: text,
  latency_label: nullable(text),
  source: text,
  source_file: text,
});

const profile = object<Profile>({ id: profileId, label: text, description: text, workers: amount });

const machine = object<Machine>({ cpu: text, cores: amount, memory_bytes: amount, kernel: text });

const node = object<NodeInfo>({
  name: text,
  version: text,
  schedulers: amount,
  started_unix_ms: amount,
  machine,
  commit: text,
  dirty: flag,
  ticks_per_second: amount,
});

const peer = object<PeerResult>({
  scenario: text,
  peer: text,
  workers: amount,
  ops_per_sec: amount,
  unit: text,
  date: text,
  machine: text,
  version: text,
});

export const hello = object<Hello>({
  type: oneOf("hello"),
  scenarios: list(scenario, MANY),
  profiles: list(profile, MANY),
  instance_capacity: amount,
  population_cap: amount,
  node,
  peers: list(peer, MANY),
});

const latency = object<Latency>({
  count: amount,
  min_ns: amount,
  max_ns: amount,
  mean_ns: amount,
  p50_ns: amount,
  p95_ns: amount,
  p99_ns: amount,
  p999_ns: amount,
});

const throughput = object<Throughput>({ points: list(amount, MANY), capacity: amount });

const metric = object<Metric>({ name: text, unit: text, value: amount });

const wasm = object<WasmPool>({
  instances: amount,
  capacity: amount,
  waiting: amount,
  started_total: amount,
  yields_total: amount,
  memory_bytes: amount,
});

const process = object<Process>({
  id: decimal,
  name: nullable(text),
  label: nullable(text),
  kind: oneOf("native", "module", "component", "ts"),
  status: oneOf("running", "runnable", "waiting", "finished", "crashed"),
  mailbox_depth: amount,
  memory_bytes: amount,
  cpu_ns: amount,
  reductions: amount,
  links: amount,
  monitors: amount,
  monitored_by: amount,
  parent: nullable(decimal),
  scheduler: amount,
  supervisor: flag,
  current: text,
});

const observer = object<Observer>({
  uptime_ms: amount,
  process_count: amount,
  running: amount,
  waiting: amount,
  scheduler_load: list(amount, MANY),
  run_queue_lengths: list(amount, MANY),
  total_memory_bytes: amount,
  runtime_memory_bytes: amount,
  spawned_total: amount,
  finished_total: amount,
  messages_total: amount,
  wasm,
  processes: list(process, PROCESS_ROWS_MAX),
  detail: flag,
});

const frame = object<Frame>({
  scenario: nullable(text),
  running: flag,
  uptime_ms: amount,
  elapsed_ms: amount,
  warming_up: flag,
  ops_per_sec: amount,
  peak_concurrent: amount,
  profile: profileId,
  latency,
  throughput,
  observer,
  warnings: list(text, MANY),
  dropped_ticks: amount,
  metrics: list(metric, MANY),
  stalled: flag,
});

export const tick = object<Tick>({ type: oneOf("tick"), frame });

export const serverError = object<ServerError>({ type: oneOf("error"), message: text });
