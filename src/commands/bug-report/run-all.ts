import type { CommandInput, CommandRun, Io } from "../io.ts";

/** A command whose output belongs into every bundle, and whose questions are then answered from it. */
export interface BundledCommand {
  /** As a user would type it, without meshctl. */
  readonly line: string;
  readonly input: CommandInput;
  readonly load: () => Promise<CommandRun>;
}

const JSON_OUT = { output: "json" } as const;

/** Commands about the mesh as a whole, most telling first: time may be up before the last. */
export const MESH_COMMANDS: readonly BundledCommand[] = [
  { line: "version", input: { args: [], options: JSON_OUT }, load: async () => (await import("../version.ts")).run },
  {
    line: "proxy-status",
    input: { args: [], options: JSON_OUT },
    load: async () => (await import("../proxy-status.ts")).run,
  },
  {
    line: "analyze -A",
    input: { args: [], options: { output: "json", allNamespaces: true, useKube: true } },
    load: async () => (await import("../analyze.ts")).run,
  },
  { line: "check", input: { args: [], options: JSON_OUT }, load: async () => (await import("../check.ts")).run },
  { line: "precheck", input: { args: [], options: JSON_OUT }, load: async () => (await import("../precheck.ts")).run },
  {
    line: "inject list",
    input: { args: [], options: JSON_OUT },
    load: async () => (await import("../inject-list.ts")).run,
  },
  {
    line: "revision list",
    input: { args: [], options: JSON_OUT },
    load: async () => (await import("../revision-list.ts")).run,
  },
  { line: "tag list", input: { args: [], options: JSON_OUT }, load: async () => (await import("../tag-list.ts")).run },
  { line: "orphans", input: { args: [], options: JSON_OUT }, load: async () => (await import("../orphans.ts")).run },
  {
    line: "remote-clusters",
    input: { args: [], options: JSON_OUT },
    load: async () => (await import("../remote-clusters.ts")).run,
  },
  {
    line: "admin log",
    input: { args: [], options: JSON_OUT },
    load: async () => (await import("../admin-log.ts")).run,
  },
  {
    line: "mtls report",
    input: { args: [], options: JSON_OUT },
    load: async () => (await import("../mtls/report.ts")).run,
  },
  { line: "edges", input: { args: [], options: JSON_OUT }, load: async () => (await import("../edges.ts")).run },
  ...["route", "policy"].map((what) => ({
    line: `stat ${what}`,
    input: { args: [what], options: JSON_OUT },
    load: async () => (await import("../stat.ts")).run,
  })),
  {
    line: "ca status",
    input: { args: [], options: JSON_OUT },
    load: async () => (await import("../ca/status.ts")).run,
  },
  {
    line: "addons list",
    input: { args: [], options: JSON_OUT },
    load: async () => (await import("../addons-list.ts")).run,
  },
];

/** What a command came to. */
export interface BundledOutput {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one against the record; an error is its words. */
export async function runBundled({ input, load }: BundledCommand, io: Io): Promise<BundledOutput> {
  const out: string[] = [];
  const err: string[] = [];
  const quiet: Io = { ...io, out: (text) => void out.push(text), err: (text) => void err.push(text), isTTY: false };
  try {
    const run = await load();
    const { exitCode } = await run(input, quiet);
    return { exitCode, out: out.join(""), err: err.join("") };
  } catch (error) {
    err.push(`Error: ${error instanceof Error ? error.message : String(error)}\n`);
    return { exitCode: 2, out: out.join(""), err: err.join("") };
  }
}
