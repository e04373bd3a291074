import { setTimeout as delay } from "node:timers/promises";
import { compact } from "../base/compact.ts";
import { ClusterError, UsageError } from "../base/errors.ts";
import { toYaml } from "../resources/yaml-plain.ts";
import { type MeshCluster, meshClusters } from "./clusters.ts";
import { durationOption, globalOptions, switchOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { print } from "./print.ts";
import { fleetTable, refusals } from "./proxy-status/fleet-text.ts";
import { isInSync, type ProxyState, readFleet, type StatesQuestion } from "./proxy-status/states.ts";

export interface ProxyStatusOptions extends StatesQuestion {
  readonly output: "table" | "json" | "yaml";
  readonly timeoutMs: number;
  /** Ages and ends of certificates too. */
  readonly verbose?: boolean;
  /** Which objects are behind what is not in sync: the command line says how proxies are reached. */
  readonly why?: CommandInput;
  /** Default: the cluster that the flags name. */
  readonly clusters?: readonly MeshCluster[];
}

export interface ProxyStatusResult extends CommandResult {
  readonly proxies: readonly ProxyState[];
}

const POLL_MS = 200;

/** `meshctl proxy-status [POD]`: the fleet; or one proxy, compared with what it should run. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const isOne = input.args.length > 0 || textOption(input, "file") !== undefined;
  const options = readOptions(input);
  const isWatched = switchOption(input, "watch");
  if (isWatched && (isOne || options.wait || options.why !== undefined))
    throw new UsageError("--watch goes on by itself: no pod, --file, --wait or --why", "Leave out one of them.");
  if (isOne) return one(input, options, io);
  const clusters = await meshClusters(input, io);
  if (isWatched) return watched(input, { ...options, clusters }, io);
  return proxyStatus({ ...options, clusters }, io);
}

function readOptions(input: CommandInput): ProxyStatusOptions {
  const output = textOption(input, "output");
  return compact({
    ...globalOptions(input),
    revision: textOption(input, "revision"),
    output: output === "json" || output === "yaml" ? output : ("table" as const),
    wait: switchOption(input, "wait"),
    timeoutMs: durationOption(input, "timeout", "60s"),
    verbose: textOption(input, "verbosity") === "1",
    why: switchOption(input, "why") ? input : undefined,
  });
}

async function one(input: CommandInput, options: ProxyStatusOptions, io: Io): Promise<CommandResult> {
  const [{ compareNamed }, { comparisonData, comparisonText, matches }, { patchesFor }] = await Promise.all([
    import("./proxy-status/one-proxy.ts"),
    import("./proxy-status/comparison-text.ts"),
    import("./proxy-status/patches.ts"),
  ]);
  if (options.wait) await inSync(options, io, await clustersOf(options, io));
  const comparison = await compareNamed(input, compact({ ...options, file: textOption(input, "file") }), io);
  const why = options.why !== undefined;
  const isAsked = why && !matches(comparison);
  const { state } = comparison;
  const patches = isAsked ? await patchesFor(await io.cluster(), state, options.istioNamespace) : new Map();
  const text = comparisonText(comparison, { why, patches, now: io.now() });
  print(input, io, { data: comparisonData(comparison), text });
  return { exitCode: matches(comparison) ? 0 : 1 };
}

async function watched(input: CommandInput, options: ProxyStatusOptions, io: Io): Promise<CommandResult> {
  const { watchStates } = await import("./proxy-status/watch.ts");
  const clusters = await clustersOf(options, io);
  const { output, verbose = false } = options;
  const read = (): Promise<readonly ProxyState[]> => readFleet(clusters, { ...options, wait: true }, io);
  // the default of --timeout is for --wait
  const timeoutMs = textOption(input, "timeout") === undefined ? undefined : options.timeoutMs;
  return watchStates(read, { output, verbose, timeoutMs }, io);
}

async function clustersOf({ clusters }: ProxyStatusOptions, io: Io): Promise<readonly MeshCluster[]> {
  if (clusters !== undefined) return clusters;
  const cluster = await io.cluster();
  return [{ name: cluster.context.name, cluster }];
}

/**
 * Lists every proxy: those connected to any control plane pod, and those of running pods that are connected to none. Exit code 1
 * when one is stale, refused something or is not connected.
 */
export async function proxyStatus(options: ProxyStatusOptions, io: Io): Promise<ProxyStatusResult> {
  const clusters = await clustersOf(options, io);
  const proxies = options.wait ? await inSync(options, io, clusters) : await readFleet(clusters, options, io);
  const { why, istioNamespace } = options;
  if (why === undefined) printFleet(proxies, options, io);
  else {
    const { reasonsOf, reasonsText } = await import("./proxy-status/reasons.ts");
    const asked = clusters.map(({ name, cluster }) => {
      const own = clusters.length === 1 ? proxies : proxies.filter((state) => state.cluster === name);
      return reasonsOf(cluster, own, why, istioNamespace);
    });
    const reasons = new Map((await Promise.all(asked)).flatMap((each) => [...each]));
    if (options.output === "table") {
      printFleet(proxies, options, io);
      io.out(reasonsText(proxies, reasons));
    } else
      printFleet(
        proxies.map((state) => compact({ ...state, why: reasons.get(`${state.name}.${state.namespace}`) })),
        options,
        io,
      );
  }
  const isBad = options.wait ? !isInSync(proxies) : proxies.some(({ status }) => status !== "SYNCED");
  return { exitCode: isBad ? 1 : 0, proxies };
}

/** Asks until all is in sync or time is up. While it waits, a control plane that restarts is no reason to give up. */
async function inSync(
  options: ProxyStatusOptions,
  io: Io,
  clusters: readonly MeshCluster[],
): Promise<readonly ProxyState[]> {
  const until = io.now().getTime() + options.timeoutMs;
  for (;;) {
    const answer = await readFleet(clusters, options, io).catch((error: unknown) => {
      if (!(error instanceof ClusterError)) throw error;
      return error;
    });
    const isOver = io.now().getTime() >= until;
    if (answer instanceof ClusterError) {
      if (isOver) throw answer;
    } else if (isOver || isInSync(answer)) return answer;
    await delay(POLL_MS, undefined, { signal: io.signal });
  }
}

function printFleet(proxies: readonly ProxyState[], { output, verbose = false }: ProxyStatusOptions, io: Io): void {
  if (output === "json") io.out(`${JSON.stringify(proxies, undefined, 2)}\n`);
  else if (output === "yaml") io.out(toYaml(proxies));
  else if (proxies.length === 0) io.err("No proxy is connected.\n");
  else io.out(fleetTable(proxies, { verbose, now: io.now() }));
  io.err(refusals(proxies));
}
