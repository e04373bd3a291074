import { compact } from "../base/compact.ts";
import { durationMs } from "../base/duration.ts";
import { UsageError } from "../base/errors.ts";
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

/** Values of a flag that may be repeated or hold several, separated by commas. */
export function commaList(input: CommandInput, name: string): readonly string[] {
  return listOption(input, name)
    .flatMap((value) => value.split(","))
    .map((value) => value.trim())
    .filter((value) => value !== "");
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

/** Milliseconds of a flag such as `300s` or `5m`. Throws UsageError for anything else. */
export function durationOption(input: CommandInput, name: string, fallback: string): number {
  const text = textOption(input, name) ?? fallback;
  const value = durationMs(text);
  if (value === undefined) throw new UsageError(`expected a duration such as 300s or 5m, got "${text}"`);
  return value;
}
