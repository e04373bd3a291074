import type { CommandRun } from "../commands/io.ts";

/** What can stand for a value: looked up by `meshctl completion` (src/complete/candidates.ts). */
export type CompletionKind =
  | "analyzer"
  | "category"
  | "check"
  | "code"
  | "context"
  | "explain"
  | "file"
  | "folder"
  | "namespace"
  | "profile"
  | "revision"
  | "setting"
  | "workload";

/** One flag of a command. `flags` in commander's form: `-n, --namespace <name>`. */
export interface OptionSpec {
  readonly flags: string;
  readonly summary: string;
  readonly default?: string | boolean | number;
  readonly choices?: readonly string[];
  /** May be given several times; the command gets a list. */
  readonly repeatable?: boolean;
  readonly hidden?: boolean;
  /** What completion offers for the value, where neither `choices` nor the flag's name or placeholder say it; words need no other. */
  readonly complete?: CompletionKind | readonly string[];
}

/** One positional argument. */
export interface ArgumentSpec {
  /** commander's argument form, e.g. `[pod]`, `<file...>` */
  readonly flags: string;
  readonly summary: string;
  readonly complete?: CompletionKind | readonly string[];
}

/** One command. Help, the reference page, completion and the contract tests are made from this record. */
export interface CommandSpec {
  /** Words a user types: "install", "proxy-config clusters". */
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly args?: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  /** Shell lines; each is run by a scenario test. */
  readonly examples: readonly { readonly line: string; readonly summary: string }[];
  readonly hidden?: boolean;
  /** Loads the command's code; nothing heavy is loaded for help. */
  readonly load: () => Promise<CommandRun>;
}

/** Flags that name the clusters of a mesh: `meshClusters` of src/commands/clusters.ts. */
export const clusterOptions: readonly OptionSpec[] = [
  { flags: "--contexts <names>", summary: "kubeconfig contexts, one per cluster of the mesh", repeatable: true },
  { flags: "--remote-contexts <names>", summary: "contexts of more clusters", repeatable: true },
];

/** `-o` of the commands that print a table for people and data for programs. */
export const outputOption: OptionSpec = {
  flags: "-o, --output <format>",
  summary: "how to print: a table for people, or data",
  default: "table",
  choices: ["table", "json", "yaml"],
};
