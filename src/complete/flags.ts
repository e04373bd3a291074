import type { ArgumentSpec, CompletionKind, OptionSpec } from "../cli-table/types.ts";

/** A flag as completion sees it. */
export interface Flag {
  /** `--output`; absent for a flag of one letter only. */
  readonly long?: string;
  readonly short?: string;
  /** The word in brackets: `format` of `-o, --output <format>`; absent for switches. */
  readonly placeholder?: string;
  /** The value may be left out, and is then part of the same word: `--use-kube=false`. */
  readonly isOptional: boolean;
  readonly spec: OptionSpec;
}

/** Reads `-o, --output <format>`. */
export function flagOf(spec: OptionSpec): Flag {
  const long = /--[\w-]+/.exec(spec.flags)?.[0];
  const short = /(?:^|[ ,])(-\w)\b/.exec(spec.flags)?.[1];
  const placeholder = placeholderOf(spec.flags);
  return {
    ...(long === undefined ? {} : { long }),
    ...(short === undefined ? {} : { short }),
    ...(placeholder === undefined ? {} : { placeholder }),
    isOptional: spec.flags.includes("["),
    spec,
  };
}

function placeholderOf(flags: string): string | undefined {
  return /[<[]([^\]>.]+)(?:\.\.\.)?[\]>]/.exec(flags)?.[1];
}

/** What stands for the value of flags of these names, in whatever command. */
const BY_FLAG: Readonly<Record<string, CompletionKind>> = {
  "--namespace": "namespace",
  "--istioNamespace": "namespace",
  "--context": "context",
  "--contexts": "context",
  "--remote-contexts": "context",
  "--revision": "revision",
  "--profile": "profile",
  "--set": "setting",
  "--suppress": "code",
  "--analyzer": "analyzer",
  "--check": "check",
  "--category": "category",
};

/** What stands for a placeholder of these names. */
const BY_PLACEHOLDER: Readonly<Record<string, CompletionKind | readonly string[]>> = {
  file: "file",
  files: "file",
  socket: "file",
  source: "file",
  folder: "folder",
  pod: "workload",
  target: "workload",
  profile: "profile",
  namespace: "namespace",
  revision: "revision",
  bool: ["true", "false"],
  level: ["Info", "Warning", "Error"],
};

/** What completes the value of a flag or argument: words, a kind of thing, or nothing (free text). */
export function completionOf(spec: OptionSpec | ArgumentSpec): CompletionKind | readonly string[] | undefined {
  if (spec.complete !== undefined) return spec.complete;
  if ("choices" in spec && spec.choices !== undefined) return spec.choices;
  const long = /--[\w-]+/.exec(spec.flags)?.[0];
  const byFlag = long === undefined ? undefined : BY_FLAG[long];
  return byFlag ?? BY_PLACEHOLDER[placeholderOf(spec.flags) ?? ""];
}
