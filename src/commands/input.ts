import { compact } from "../base/compact.ts";
import type { CommandInput } from "./io.ts";

/** Text of a flag, or undefined when it was not given and has no default. */
export function textOption(input: CommandInput, name: string): string | undefined {
  const value = input.options[name];
  return typeof value === "string" ? value : undefined;
}

/** A switch; absent counts as off. */
export function switchOption(input: CommandInput, name: string): boolean {
  return input.options[name] === true;
}

/** Values of a repeatable flag, in the order given. */
export function listOption(input: CommandInput, name: string): readonly string[] {
  const value = input.options[name];
  if (typeof value === "string") return [value];
  return typeof value === "object" ? value : [];
}

/** The flags every command has, as far as they reach commands (the cluster ones are already inside `io.cluster`). */
export interface GlobalOptions {
  /** -n, --namespace */
  readonly namespace?: string;
  /** -i, --istioNamespace; default istio-system */
  readonly istioNamespace: string;
}

/** Reads the flags of GlobalOptions. */
export function globalOptions(input: CommandInput): GlobalOptions {
  return compact({
    namespace: textOption(input, "namespace"),
    istioNamespace: textOption(input, "istioNamespace") ?? "istio-system",
  });
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a duration such as `300s`, `5m`, `1m30s`; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const match of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    total += Number(match[1]) * (UNITS[match[2] ?? ""] ?? 0);
  return total;
}
