// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/*
 * A checker takes unknown JSON and gives a typed value or throws a WireError that names the place.
 * Checkers of objects know all their fields, so that `strict` mode can also refuse fields which the
 * page does not know: the drift test uses it. In the page unknown fields are ignored, since the
 * protocol may grow.
 */

export class WireError extends Error {
  override name = "WireError";
}

export interface Context {
  readonly strict: boolean;
}

export type Check<T> = (value: unknown, path: string, context: Context) => T;

/** One checker per field of T: a field missing here, or one too many, does not compile. */
export type Shape<T> = { readonly [K in keyof T]-?: Check<T[K]> };

function fail(path: string, wanted: string, value: unknown): never {
  throw new WireError(`${path}: expected ${wanted}, got ${describe(value)}`);
}

function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
  if (typeof value === "object") return "an object";
  return String(value);
}

export const text: Check<string> = (value, path) =>
  typeof value === "string" ? value : fail(path, "a text", value);

export const flag: Check<boolean> = (value, path) =>
  typeof value === "boolean" ? value : fail(path, "true or false", value);

/** All figures of the protocol are counts, sizes, times or rates: finite and never negative. */
export const amount: Check<number> = (value, path) =>
  typeof value === "number" && Number.isFinite(value) && value >= 0
    ? value
    : fail(path, "a number of 0 or more", value);

export const decimal: Check<string> = (value, path) =>
  typeof value === "string" && /^[0-9]{1,20}$/.test(value)
    ? value
    : fail(path, "a decimal text", value);

export function oneOf<T extends string>(...allowed: readonly T[]): Check<T> {
  return (value, path) => {
    const found = allowed.find((candidate) => candidate === value);
    return found ?? fail(path, allowed.join(" or "), value);
  };
}

export function nullable<T>(inner: Check<T>): Check<T | null> {
  return (value, path, context) => (value === null ? null : inner(value, path, context));
}

/** `most` bounds what a broken node could make the page hold. */
export function list<T>(inner: Check<T>, most: number): Check<T[]> {
  return (value, path, context) => {
    if (!Array.isArray(value)) return fail(path, "a list", value);
    if (value.length > most) {
      throw new WireError(`${path}: ${value.length} entries, at most ${most} are allowed`);
    }
    return value.map((entry: unknown, index) => inner(entry, `${path}[${index}]`, context));
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function object<T extends object>(shape: Shape<T>): Check<T> {
  const keys = Object.keys(shape) as (keyof T & string)[];
  return (value, path, context) => {
    if (!isRecord(value)) return fail(path, "an object", value);
    if (context.strict) refuseUnknown(value, keys, path);
    const result: Partial<T> = {};
    for (const key of keys) {
      result[key] = shape[key](value[key], path === "" ? key : `${path}.${key}`, context);
    }
    return result as T;
  };
}

function refuseUnknown(value: Record<string, unknown>, keys: readonly string[], path: string) {
  const unknown = Object.keys(value).filter((key) => !keys.includes(key));
  if (unknown.length > 0) {
    throw new WireError(`${path || "message"}: unknown field ${unknown.join(", ")}`);
  }
}
