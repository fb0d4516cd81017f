// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/*
 * Everything that crosses the WebSocket, with the field names of the JSON. This file is the page's
 * half of the contract: `schema.ts` must name each field here (the compiler checks it) and
 * `fixtures/wire/*.json` must hold each field here (a test checks it), so drift on either side
 * fails. Fields are added, never renamed or dropped.
 *
 * Units are in the names: `_ms`, `_ns`, `_bytes`; `_unix_ms` is wall time, all other times are
 * monotonic. Counters named `_total` only rise while a node lives.
 */

// --- server to client -----------------------------------------------------------------------

export type ServerMessage = Hello | Tick | ServerError;

/** First message of every connection. */
export interface Hello {
  type: "hello";
  scenarios: ScenarioMeta[];
  profiles: Profile[];
  /** How many wasm instances the pool can hold. */
  instance_capacity: number;
  /** How many processes a scenario may hold at once: a safety net. */
  population_cap: number;
  node: NodeInfo;
  /** Stored results of other systems, measured on this machine. May be empty. */
  peers: PeerResult[];
}

export interface ScenarioMeta {
  id: string;
  label: string;
  description: string;
  details: string[];
  real_after_phase: number;
  /** False while the engine does not exist; such a scenario cannot be run. */
  real: boolean;
  unit: ScenarioUnit;
  /** What one operation is, in the plural: "spawns". */
  ops_label: string;
  /** What the latency measures; null if the scenario has none. */
  latency_label: string | null;
  /** The engine's own source text. */
  source: string;
  source_file: string;
}

export type ScenarioUnit = "count" | "bytes";

export type ProfileId = "light" | "balanced" | "max";

export interface Profile {
  id: ProfileId;
  label: string;
  description: string;
  /** Workers of this profile on this machine. */
  workers: number;
}

export interface NodeInfo {
  name: string;
  version: string;
  schedulers: number;
  /** Tells one life of a node from the next. */
  started_unix_ms: number;
  machine: Machine;
  commit: string;
  /** Built from a tree with uncommitted changes. */
  dirty: boolean;
  ticks_per_second: number;
}

export interface Machine {
  cpu: string;
  cores: number;
  memory_bytes: number;
  kernel: string;
}

export interface PeerResult {
  scenario: string;
  /** As the driver calls it: "beam", "rusm", "go". */
  peer: string;
  workers: number;
  ops_per_sec: number;
  /** As the driver wrote it: "1/s". */
  unit: string;
  /** ISO 8601, a day or a time. */
  date: string;
  machine: string;
  version: string;
}

/** One sample of the node; 10 to 60 a second. */
export interface Tick {
  type: "tick";
  frame: Frame;
}

export interface Frame {
  scenario: string | null;
  running: boolean;
  uptime_ms: number;
  /** Time since the run started. */
  elapsed_ms: number;
  /** True while samples are kept out of the summaries. */
  warming_up: boolean;
  ops_per_sec: number;
  peak_concurrent: number;
  profile: ProfileId;
  latency: Latency;
  throughput: Throughput;
  observer: Observer;
  warnings: string[];
  /** Frames the node threw away because this client was slow, since it connected. */
  dropped_ticks: number;
  metrics: Metric[];
  stalled: boolean;
}

export interface Latency {
  count: number;
  min_ns: number;
  max_ns: number;
  mean_ns: number;
  p50_ns: number;
  p95_ns: number;
  p99_ns: number;
  p999_ns: number;
}

/** The node's own ring of rates, kept for older clients; this page builds its own history. */
export interface Throughput {
  points: number[];
  capacity: number;
}

export interface Metric {
  name: string;
  unit: string;
  value: number;
}

export interface Observer {
  uptime_ms: number;
  process_count: number;
  running: number;
  waiting: number;
  /** One per scheduler, 0 to 1. */
  scheduler_load: number[];
  /** One per scheduler. */
  run_queue_lengths: number[];
  /** Of the whole program, as the system sees it. */
  total_memory_bytes: number;
  /** Of it, what the runtime accounts for: processes, messages, stacks. */
  runtime_memory_bytes: number;
  spawned_total: number;
  finished_total: number;
  messages_total: number;
  wasm: WasmPool;
  /** At most 64 rows, in the order this client asked for; empty without detail. */
  processes: Process[];
  /** Whether this client asked for rows. */
  detail: boolean;
}

export interface WasmPool {
  /** Guests that hold an instance now. */
  instances: number;
  /** Instances there can be; 0 while the node runs no guests. */
  capacity: number;
  /** Spawned guests that wait for an instance. */
  waiting: number;
  started_total: number;
  /** Runs interrupted at the end of their slice. */
  yields_total: number;
  /** Of all linear memories. */
  memory_bytes: number;
}

export type ProcessKind = "native" | "module" | "component" | "ts";

export type ProcessStatus = "running" | "runnable" | "waiting" | "finished" | "crashed";

export interface Process {
  /** Decimal; a string because it may exceed 2^53. */
  id: string;
  name: string | null;
  label: string | null;
  kind: ProcessKind;
  status: ProcessStatus;
  mailbox_depth: number;
  memory_bytes: number;
  cpu_ns: number;
  reductions: number;
  links: number;
  /** Those it keeps of others. */
  monitors: number;
  /** Those others keep of it. */
  monitored_by: number;
  /** The id of the process that started it, which may have ended; null if none did. */
  parent: string | null;
  /** Where it ran last, counted from 0. */
  scheduler: number;
  supervisor: boolean;
  /** Where it waits, or what it runs. */
  current: string;
}

/** Answer to input the node could not follow; the connection stays. */
export interface ServerError {
  type: "error";
  message: string;
}

// --- client to server -----------------------------------------------------------------------

export type ClientMessage = RunRequest | StopRequest | DetailRequest | ProfileRequest;

export interface RunRequest {
  type: "run";
  scenario: string;
}

export interface StopRequest {
  type: "stop";
}

/** What a node can order its processes by before it picks the rows to send. */
export type SortKey = "id" | "name" | "mailbox" | "memory" | "cpu" | "reductions";

export interface DetailRequest {
  type: "set_observer_detail";
  enabled: boolean;
  sort?: SortKey;
  descending?: boolean;
}

export interface ProfileRequest {
  type: "set_resource_profile";
  profile: ProfileId;
}
