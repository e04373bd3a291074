import { compact } from "../../base/compact.ts";
import { delay } from "../../base/delay.ts";
import { UsageError } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import { type Check, type CheckResult, type Phase, runChecks } from "../../checks/check.ts";
import { createFacts, type OtherCluster } from "../../checks/facts.ts";
import { checksOf } from "../../checks/registry.ts";
import { VERSION } from "../../gen/version.ts";
import type { Cluster } from "../../resources/cluster.ts";
import type { KubeObject } from "../../resources/object.ts";
import { toYaml } from "../../resources/yaml-plain.ts";
import { clusterIdOf, type MeshCluster } from "../clusters.ts";
import { durationOption, globalOptions, listOption, switchOption, textOption } from "../input.ts";
import type { CommandInput, CommandResult, Io } from "../io.ts";
import { runExternal } from "./external.ts";
import { checksJunit, checksSarif } from "./formats.ts";
import { createProbes } from "./probes.ts";
import { briefText, checkText, coloursOf, listText } from "./text.ts";

/** Names that `-o` takes. */
export const CHECK_FORMATS = ["table", "brief", "json", "yaml", "junit", "sarif"] as const;
export type CheckFormat = (typeof CHECK_FORMATS)[number];

export interface ChecksOptions {
  readonly istioNamespace: string;
  readonly output: CheckFormat;
  /** Only these; none: all. */
  readonly categories?: readonly string[];
  readonly checks?: readonly string[];
  /** Ask again until nothing fails, for so long. */
  readonly waitMs?: number;
  /** Milliseconds that one question may take. */
  readonly requestTimeoutMs?: number;
  readonly fromVersion?: string;
  /** Run meshctl-check-* of PATH too; default true. */
  readonly external?: boolean;
  readonly kubeconfig?: string;
  readonly context?: string;
  /** What install would create. */
  readonly rendered?: readonly KubeObject[];
  /** Default: the cluster that the flags name. */
  readonly clusters?: readonly MeshCluster[];
}

/** The data of `-o json`: every check, also those that were skipped and why. */
export interface ChecksResult extends CommandResult {
  readonly checks: readonly CheckResult[];
}

/** Reads the flags that precheck and check have in common. */
export function checksOptions(input: CommandInput, fallback: CheckFormat): ChecksOptions {
  const output = CHECK_FORMATS.find((format) => format === textOption(input, "output")) ?? fallback;
  return compact({
    istioNamespace: globalOptions(input).istioNamespace,
    output,
    categories: listOption(input, "category"),
    checks: listOption(input, "check"),
    waitMs: switchOption(input, "wait") ? durationOption(input, "timeout", "5m") : undefined,
    requestTimeoutMs: durationOption(input, "requestTimeout", "10s"),
    fromVersion: textOption(input, "fromVersion"),
    external: input.options["external"] !== false,
    kubeconfig: textOption(input, "kubeconfig"),
    context: textOption(input, "context"),
  });
}

/** Prints what there is to check. */
export function listChecks(phase: Phase, options: ChecksOptions, io: Io): ChecksResult {
  const chosen = select(checksOf(phase), options).chosen;
  const data = chosen.map(({ name, category, affirmation, severity }) => ({ name, category, affirmation, severity }));
  if (options.output === "json") io.out(`${JSON.stringify(data, undefined, 2)}\n`);
  else if (options.output === "yaml") io.out(toYaml(data));
  else io.out(listText(chosen));
  return { exitCode: 0, checks: [] };
}

const POLL_MS = 2_000;

/**
 * Runs the checks of a phase and prints them. Exit code 1 when one failed. Throws ClusterError when the API does not answer: then
 * nothing was checked. With a time to wait it asks again while something fails.
 */
export async function check(phase: Phase, options: ChecksOptions, io: Io): Promise<ChecksResult> {
  const { chosen, needed } = select(checksOf(phase), options);
  const clusters = options.clusters ?? [await currentCluster(io)];
  for (const { cluster } of clusters) await cluster.version();
  const until = io.now().getTime() + (options.waitMs ?? 0);
  let checks = await everywhere(phase, { chosen, needed }, { ...options, clusters }, io);
  while (failures(checks).length > 0 && io.now().getTime() < until && !io.signal.aborted) {
    if (io.isTTY) io.err(`Waiting for: ${failures(checks)[0]?.affirmation ?? ""}\n`);
    await delay(POLL_MS, io.signal);
    checks = await everywhere(phase, { chosen, needed }, { ...options, clusters }, io);
  }
  print(
    checks,
    { phase, server: clusters.map(({ cluster }) => cluster.context.server).join(", "), output: options.output },
    io,
  );
  return { exitCode: failures(checks).length === 0 ? 0 : 1, checks };
}

interface Selection {
  readonly chosen: readonly Check[];
  /** The chosen ones with those that they need. */
  readonly needed: readonly Check[];
}

async function currentCluster(io: Io): Promise<MeshCluster> {
  const cluster = await io.cluster();
  return { name: cluster.context.name, cluster };
}

/** Looks at each cluster, which knows of the others; of several each result says of which it is. */
async function everywhere(
  phase: Phase,
  selection: Selection,
  options: ChecksOptions & { readonly clusters: readonly MeshCluster[] },
  io: Io,
): Promise<readonly CheckResult[]> {
  const { clusters, istioNamespace, requestTimeoutMs } = options;
  const known = await Promise.all(
    clusters.map(async ({ name, cluster }) => {
      const facts = createFacts(cluster, compact({ istioNamespace, requestTimeoutMs, now: io.now() }));
      return { cluster, ...compact({ name, clusterId: await clusterIdOf(cluster, istioNamespace), facts }) };
    }),
  );
  const results: CheckResult[] = [];
  for (const { cluster, name, clusterId } of known) {
    const others = known.filter((other) => other.cluster !== cluster);
    const found = await once(phase, { ...selection, cluster, others, clusterId }, options, io);
    results.push(
      ...(clusters.length === 1
        ? found
        : found.map((result) => ({ ...result, cluster: name, category: `${name}: ${result.category}` }))),
    );
  }
  return results;
}

interface Looked extends Selection {
  readonly cluster: Cluster;
  readonly clusterId: string | undefined;
  readonly others: readonly OtherCluster[];
}

async function once(
  phase: Phase,
  { chosen, needed, cluster, clusterId, others }: Looked,
  options: ChecksOptions,
  io: Io,
): Promise<readonly CheckResult[]> {
  const { istioNamespace, requestTimeoutMs, fromVersion, rendered, kubeconfig, context } = options;
  const facts = compact({
    istioNamespace,
    requestTimeoutMs,
    fromVersion,
    rendered,
    version: VERSION,
    now: io.now(),
    probes: createProbes(cluster, istioNamespace, io),
    clusterId,
    others,
  });
  const isWhole = chosen.length === checksOf(phase).length;
  const request = compact({ protocol: 1 as const, phase, istioNamespace, kubeconfig, context });
  const [own, external] = await Promise.all([
    runChecks(needed, cluster, facts),
    options.external !== false && isWhole ? runExternal(request, io) : [],
  ]);
  const names = new Set(chosen.map(({ name }) => name));
  return [...own.filter(({ name }) => names.has(name)), ...external];
}

/** Checks by name and category. Throws UsageError for one that there is not, with the one that was probably meant. */
function select(all: readonly Check[], { categories = [], checks = [] }: ChecksOptions): Selection {
  if (categories.length === 0 && checks.length === 0) return { chosen: all, needed: all };
  const titles = [...new Set(all.map(({ category }) => category))];
  known("category", categories, titles);
  known(
    "check",
    checks,
    all.map(({ name }) => name),
  );
  const chosen = all.filter(({ name, category }) => categories.includes(category) || checks.includes(name));
  const wanted = new Set<string>();
  const want = (check: Check): void => {
    wanted.add(check.name);
    for (const each of all) if (check.needs?.includes(each.name) === true && !wanted.has(each.name)) want(each);
  };
  for (const each of [...chosen, ...all.filter(({ fatal }) => fatal === true)]) want(each);
  return { chosen, needed: all.filter(({ name }) => wanted.has(name)) };
}

function known(what: string, given: readonly string[], names: readonly string[]): void {
  const wrong = given.find((name) => !names.includes(name));
  if (wrong === undefined) return;
  const close = nearest(wrong, names);
  const hint = close === undefined ? "--list tells all of them." : `Did you mean ${close}? --list tells all of them.`;
  throw new UsageError(`there is no ${what} "${wrong}"`, hint);
}

function failures(checks: readonly CheckResult[]): readonly CheckResult[] {
  return checks.filter(({ status }) => status === "error");
}

interface Printed {
  readonly phase: Phase;
  readonly server: string;
  readonly output: CheckFormat;
}

function print(checks: readonly CheckResult[], { phase, server, output }: Printed, io: Io): void {
  if (output === "json") return io.out(`${JSON.stringify({ checks }, undefined, 2)}\n`);
  if (output === "yaml") return io.out(toYaml({ checks }));
  if (output === "junit") return io.out(checksJunit(checks));
  if (output === "sarif") return io.out(checksSarif(checks, server));
  const colours = coloursOf(io);
  io.out(output === "brief" ? briefText(checks, colours) : checkText(checks, colours));
  const failed = failures(checks).length;
  const warnings = checks.filter(({ status }) => status === "warning").length;
  const good = phase === "before" ? "The mesh can be installed into this cluster" : "The mesh is as it should be";
  const more = warnings === 0 ? "" : `, ${warnings === 1 ? "1 warning" : `${warnings} warnings`}`;
  io.err(failed === 0 ? `✔ ${good}${more}.\n` : `✘ ${failed} of ${checks.length} checks failed${more}.\n`);
}
