// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

import { isRecord, WireError } from "./check.ts";
import { hello, serverError, tick } from "./schema.ts";
import type { ClientMessage, ServerMessage } from "./types.ts";

export type Decoded =
  | { readonly ok: true; readonly message: ServerMessage }
  | { readonly ok: false; readonly error: string };

/** Never throws: what the page cannot understand becomes an error to show. */
export function decode(data: unknown, strict = false): Decoded {
  try {
    return { ok: true, message: decodeValue(parse(data), strict) };
  } catch (cause) {
    if (cause instanceof WireError) return { ok: false, error: cause.message };
    throw cause;
  }
}

function parse(data: unknown): unknown {
  if (typeof data !== "string") throw new WireError("message: expected text, got binary");
  try {
    return JSON.parse(data) as unknown;
  } catch {
    throw new WireError("message: not JSON");
  }
}

function decodeValue(value: unknown, strict: boolean): ServerMessage {
  if (!isRecord(value)) throw new WireError("message: expected an object");
  const context = { strict };
  switch (value["type"]) {
    case "hello":
      return hello(value, "", context);
    case "tick":
      return tick(value, "", context);
    case "error":
      return serverError(value, "", context);
    default:
      throw new WireError(`type: unknown message ${JSON.stringify(value["type"] ?? null)}`);
  }
}

export function encode(message: ClientMessage): string {
  return JSON.stringify(message);
}
