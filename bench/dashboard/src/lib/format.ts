// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/*
 * Figures as the page shows them: SI prefixes, three significant digits, always a unit. The two
 * halves come apart so that tiles can set the unit smaller and keep both in fixed places.
 */

export interface Figure {
  readonly value: string;
  readonly unit: string;
}

export const NOTHING: Figure = { value: "–", unit: "" };

const COUNT_PREFIXES = ["", "k", "M", "G", "T", "P"] as const;
const TIME_UNITS = ["ns", "µs", "ms", "s"] as const;

/** Divides by 1000 until three digits fit, counting what rounding will do: 999.7 is 1.00 k. */
function scaled(value: number, steps: number): { readonly value: number; readonly step: number } {
  let step = 0;
  let rest = value;
  while (step < steps - 1 && Number(rest.toPrecision(3)) >= 1000) {
    rest /= 1000;
    step += 1;
  }
  return { value: rest, step };
}

function threeDigits(value: number): string {
  if (value === 0) return "0";
  if (value < 1) return value.toFixed(2);
  const rounded = value.toPrecision(3);
  return rounded.includes("e") ? value.toFixed(0) : rounded;
}

export function text(figure: Figure): string {
  return figure.unit === "" ? figure.value : `${figure.value} ${figure.unit}`;
}

/** A whole number of things: exact below 1000. */
export function count(value: number, unit = ""): Figure {
  if (Number(value.toPrecision(3)) < 1000) {
    return { value: Number.isInteger(value) ? String(value) : threeDigits(value), unit };
  }
  const { value: rest, step } = scaled(value, COUNT_PREFIXES.length);
  const prefix = COUNT_PREFIXES[step] ?? "";
  return { value: threeDigits(rest), unit: unit === "" ? prefix : `${prefix} ${unit}` };
}

export function bytes(value: number): Figure {
  const { value: rest, step } = scaled(value, COUNT_PREFIXES.length);
  const whole = step === 0 && Number.isInteger(rest);
  return {
    value: whole ? String(rest) : threeDigits(rest),
    unit: `${COUNT_PREFIXES[step] ?? ""}B`,
  };
}

/** Something a second: `13.4 M/s`, `1.21 GB/s`. */
export function rate(value: number, unit: "count" | "bytes" = "count"): Figure {
  const { value: rest, step } = scaled(value, COUNT_PREFIXES.length);
  const base = unit === "bytes" ? "B/s" : "/s";
  return { value: threeDigits(rest), unit: `${COUNT_PREFIXES[step] ?? ""}${base}` };
}

export function duration(ns: number): Figure {
  const { value: rest, step } = scaled(ns, TIME_UNITS.length);
  return { value: threeDigits(rest), unit: TIME_UNITS[step] ?? "s" };
}

export function percent(share: number): Figure {
  return { value: String(Math.round(share * 100)), unit: "%" };
}

/** A relative spread: one decimal under ten, since 0.4 % and 0.6 % differ. */
export function spread(share: number): string {
  const value = share * 100;
  return `± ${value < 9.95 ? value.toFixed(1) : value.toFixed(0)} %`;
}

/** A metric the node names a unit for. */
export function metric(value: number, unit: string): Figure {
  switch (unit) {
    case "bytes":
    case "B":
      return bytes(value);
    case "ns":
      return duration(value);
    case "us":
      return duration(value * 1e3);
    case "ms":
      return duration(value * 1e6);
    case "s":
      return duration(value * 1e9);
    case "/s":
    case "per_sec":
    case "ops_per_sec":
      return rate(value);
    case "bytes_per_sec":
    case "B/s":
      return rate(value, "bytes");
    default:
      return count(value, unit === "count" ? "" : unit);
  }
}

/** Labels on an axis: as short as the value allows, `5 M/s` and not `5.00 M/s`. */
export function short(figure: Figure): string {
  const value = figure.value.includes(".") ? figure.value.replace(/\.?0+$/, "") : figure.value;
  return text({ value, unit: figure.unit });
}

const GROUPED = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** All digits, for what hover and titles show. */
export function exact(value: number): string {
  return GROUPED.format(value);
}

/** Time on a clock: `4.2 s`, `1:04`, `2:03:09`. */
export function clock(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.floor(seconds);
  const s = String(whole % 60).padStart(2, "0");
  const m = Math.floor(whole / 60) % 60;
  const h = Math.floor(whole / 3600);
  return h === 0 ? `${m}:${s}` : `${h}:${String(m).padStart(2, "0")}:${s}`;
}

/** Local time of day, to the second. */
export function timeOfDay(unixMs: number): string {
  const date = new Date(unixMs);
  const two = (part: number) => String(part).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export function day(unixMs: number): string {
  return new Date(unixMs).toISOString().slice(0, 10);
}

export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${text(count(amount))} ${amount === 1 ? one : many}`;
}
