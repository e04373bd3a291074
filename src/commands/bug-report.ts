import { join, resolve } from "node:path";
import { mkdir, stat } from "node:fs/promises";
import { EnvironmentError, errorText, UsageError } from "../base/errors.ts";
import { type BundleFiles, filePath, writeArchive } from "../bundle/files.ts";
import type { BundleContents } from "../bundle/format.ts";
import { createProgress } from "../report/progress.ts";
import { type Collected, collect } from "./bug-report/collect.ts";
import { MESH_COMMANDS } from "./bug-report/run-all.ts";
import { bundleFiles, type WriteOptions } from "./bug-report/write.ts";
import { ioOf, type MeshCluster, meshClusters } from "./clusters.ts";
import { durationOption, globalOptions, listOption, switchOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";

const NAME = "bug-report.tar.gz";

/** `meshctl bug-report`: one file with all that explains how a mesh stands; every read-only command then runs on it (`--bundle`). */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const { istioNamespace } = globalOptions(input);
  const wants = wantedNamespaces(input, istioNamespace);
  const tail = countOption(input, "tail", "1000");
  const maxBytes = countOption(input, "maxSize", "200") * 1_000_000;
  const timeoutMs = durationOption(input, "timeout", "5m");
  const limits = { tail, ...logsSince(input) };
  const folder = resolve(io.cwd, textOption(input, "outputDir") ?? ".");
  if (switchOption(input, "dryRun")) return tellPlan(io);
  const clusters = await meshClusters(input, io);
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new EnvironmentError("unwritable-folder", `${folder} cannot be made: ${errorText(error)}`);
  });
  const progress = await createProgress(io);
  const deadline = AbortSignal.any([io.signal, AbortSignal.timeout(timeoutMs)]);
  const createdAt = io.now();
  const parts: ClusterPart[] = [];
  for (const each of clusters) {
    progress.start(`Collecting from cluster ${each.cluster.context.name}`);
    const collected = await collect(each.cluster, { istioNamespace, wants, ...limits, deadline }, ioOf(io, each));
    io.signal.throwIfAborted();
    parts.push({ ...each, collected });
  }
  const { files, contents } = allFiles(parts, { createdAt, maxBytes, wants });
  const path = join(folder, NAME);
  await writeArchive(path, files).catch((error: unknown) => {
    throw new EnvironmentError("unwritable-file", `${path} cannot be written: ${errorText(error)}`);
  });
  progress.succeed(
    contents
      .map(
        ({ answers, kinds, logs }) => `${answers.length} answers of pods, ${kinds.length} kinds, ${logs.length} logs`,
      )
      .join("; "),
  );
  for (const { what, why } of contents.flatMap(({ leftOut }) => leftOut)) io.err(`Left out: ${what}: ${why}\n`);
  io.out(`${path}\n`);
  io.err(`${((await stat(path)).size / 1e6).toFixed(1)} MB without private keys, tokens and values of Secrets; look into it before you send it.
Unpack it and open index.html, or run commands on it: meshctl proxy-status --bundle ${path}\n`);
  return { exitCode: 0 };
}

/** What was collected of one cluster. */
interface ClusterPart extends MeshCluster {
  readonly collected: Collected;
}

/** Files of all clusters: the first's where they always stand, the others' each in a folder. */
function allFiles(
  parts: readonly ClusterPart[],
  options: Pick<WriteOptions, "createdAt" | "maxBytes" | "wants">,
): { readonly files: BundleFiles; readonly contents: readonly BundleContents[] } {
  const more = parts.slice(1).map(({ name }) => ({ name, folder: filePath("clusters", name) }));
  const written = parts.map(({ cluster, collected }, index) =>
    bundleFiles(collected, {
      ...options,
      context: cluster.context,
      maxBytes: Math.floor(options.maxBytes / parts.length),
      ...(index === 0 && more.length > 0 ? { more } : {}),
    }),
  );
  const files = written.flatMap(({ files: own }, index) => {
    const folder = index === 0 ? "" : `${more[index - 1]?.folder ?? ""}/`;
    return [...own].map(([path, bytes]): [string, Buffer] => [`${folder}${path}`, bytes]);
  });
  return { files: new Map(files), contents: written.map(({ contents }) => contents) };
}

/** Which namespaces a command line wants; the control plane's own in any case. */
function wantedNamespaces(input: CommandInput, istioNamespace: string): (namespace: string) => boolean {
  const [include = [], exclude = []] = ["include", "exclude"].map((name) =>
    listOption(input, name).flatMap((text) => text.split(",")),
  );
  const deeper = [...include, ...exclude].find((name) => name.includes("/"));
  if (deeper !== undefined)
    throw new UsageError(
      `expected a namespace, got "${deeper}"`,
      `A report has whole namespaces: ${deeper.split("/")[0] ?? ""}.`,
    );
  return (namespace) =>
    namespace === istioNamespace ||
    ((include.length === 0 || include.includes(namespace)) && !exclude.includes(namespace));
}

/** How old a line of a log may be. */
function logsSince(input: CommandInput): { readonly sinceSeconds?: number } {
  if (textOption(input, "duration") === undefined) return {};
  return { sinceSeconds: Math.max(1, Math.ceil(durationOption(input, "duration", "0s") / 1_000)) };
}

function countOption(input: CommandInput, name: string, fallback: string): number {
  const text = textOption(input, name) ?? fallback;
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new UsageError(`expected a whole number above 0, got "${text}"`);
}

function tellPlan(io: Io): CommandResult {
  io.out(
    "objects of every kind the mesh reads, events, quotas, disruption budgets, autoscalers, network policies, leases\n",
  );
  for (const { line } of MESH_COMMANDS) io.out(`output of meshctl ${line}\n`);
  io.out("of each control plane pod: metrics, version, debug answers, log\n");
  io.out("of each proxy: configuration with endpoints, clusters, certificates, statistics, log\n");
  return { exitCode: 0 };
}
