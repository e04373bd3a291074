import type { Obj } from "./json.ts";
import { asString } from "./json.ts";

/** A column of a built-in kind: what stands in it. Priority above 0 shows with `-o wide` only. */
export interface BuiltinColumn {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly priority: number;
  readonly cell: (object: Obj) => unknown;
}

/** Columns after the name. */
export type BuiltinColumns = readonly BuiltinColumn[];

/** Time since, as kubectl prints it: `5s`, `3m20s`, `4h`, `12d`. */
export function ageText(timestamp: unknown, now = Date.now()): string {
  const since = Date.parse(asString(timestamp));
  if (Number.isNaN(since)) return "<unknown>";
  return durationText(now - since);
}

/** A duration in milliseconds, in at most two units. */
export function durationText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 120) return `${Math.max(0, seconds)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`;
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (days < 8) return hours % 24 === 0 ? `${days}d` : `${days}d${hours % 24}h`;
  return days < 730 ? `${days}d` : `${Math.floor(days / 365)}y${days % 365}d`;
}
