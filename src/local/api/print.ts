import { durationText } from "../../base/age.ts";
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
