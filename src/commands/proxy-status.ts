import { setTimeout as delay } from "node:timers/promises";
import { compact } from "../base/compact.ts";
import { ClusterError, errorText } from "../base/errors.ts";
import { table } from "../report/table.ts";
import type { Cluster } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import { toYaml } from "../resources/yaml-plain.ts";
import { durationOption, globalOptions, switchOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { controlPlanePods, getJson } from "./pod-http.ts";

export interface ProxyStatusOptions {
  /** Only proxies of this namespace. */
  readonly namespace?: string;
  readonly istioNamespace: string;
  /** Only this control plane, and the proxies that belong to it. */
  readonly revision?: string;
  readonly output: "table" | "json" | "yaml";
  /** Ask again until every proxy is in sync. */
  readonly wait: boolean;
  readonly timeoutMs: number;
}

/** How one type of configuration of one proxy stands, as the control plane says: from what was acknowledged, not from what was sent. */
export interface TypeState {
  readonly status: string;
  readonly ackedAt?: string;
  readonly lastError?: string;
}

/** One proxy, flat: what `-o json` prints. */
export interface ProxyState {
  readonly name: string;
  readonly namespace: string;
  readonly cluster: string;
  readonly istiod: string;
  /** Of that control plane; of a proxy that is not connected the one that made it. */
  readonly revision: string;
  readonly version: string;
  /** SYNCED, STALE, NACK or NOT CONNECTED: the worst of its types. */
  readonly status: string;
  readonly types: Readonly<Record<string, TypeState>>;
}

export interface ProxyStatusResult extends CommandResult {
  readonly proxies: readonly ProxyState[];
}

const MONITORING_PORT = 15_014;
const POLL_MS = 200;

/** Label of control plane pods, and annotation of pods with a proxy. */
const REVISION = "istio.io/rev";

/** Column -> the name the control plane uses; Istio's order. */
const TYPES: Readonly<Record<string, string>> = { CDS: "cluster", LDS: "listener", EDS: "endpoint", RDS: "route" };

/** `meshctl proxy-status`. */
export async function run(input: CommandInput, io: Io): Promise<ProxyStatusResult> {
  const output = textOption(input, "output");
  return proxyStatus(
    compact({
      ...globalOptions(input),
      revision: textOption(input, "revision"),
      output: output === "json" || output === "yaml" ? output : ("table" as const),
      wait: switchOption(input, "wait"),
      timeoutMs: durationOption(input, "timeout", "60s"),
    }),
    io,
  );
}

/**
 * Lists every proxy: those connected to any control plane pod, and those of running pods that are connected to none. Exit code 1
 * when one is stale, refused something or is not connected.
 */
export async function proxyStatus(options: ProxyStatusOptions, io: Io): Promise<ProxyStatusResult> {
  const cluster = await io.cluster();
  const until = io.now().getTime() + options.timeoutMs;
  let problem: ClusterError | undefined;
  const read = async (): Promise<readonly ProxyState[]> => {
    problem = undefined;
    try {
      return await readStates(cluster, options, io);
    } catch (error) {
      // while it waits, a control plane that restarts is no reason to give up
      if (!options.wait || !(error instanceof ClusterError)) throw error;
      problem = error;
      return [];
    }
  };
  let proxies = await read();
  while (options.wait && !isInSync(proxies) && io.now().getTime() < until) {
    await delay(POLL_MS, undefined, { signal: io.signal });
    proxies = await read();
  }
  if (problem !== undefined) throw problem;
  print(proxies, options, io);
  const isBad = options.wait ? !isInSync(proxies) : proxies.some(({ status }) => status !== "SYNCED");
  return { exitCode: isBad ? 1 : 0, proxies };
}

function isInSync(proxies: readonly ProxyState[]): boolean {
  return proxies.length > 0 && proxies.every(({ status }) => status === "SYNCED");
}

function print(proxies: readonly ProxyState[], { output }: ProxyStatusOptions, io: Io): void {
  if (output === "json") io.out(`${JSON.stringify(proxies, undefined, 2)}\n`);
  else if (output === "yaml") io.out(toYaml(proxies));
  else if (proxies.length === 0) io.err("No proxy is connected.\n");
  else {
    const columns = Object.keys(TYPES);
    const rows = proxies.map(({ name, namespace, cluster, istiod, revision, version, types }) => [
      `${name}.${namespace}`,
      cluster,
      istiod,
      revision,
      version,
      ...columns.map((column) => types[column]?.status ?? "-"),
    ]);
    io.out(table(["NAME", "CLUSTER", "ISTIOD", "REVISION", "VERSION", ...columns], rows));
  }
  for (const { name, namespace, types } of proxies)
    for (const [type, { lastError }] of Object.entries(types))
      if (lastError !== undefined) io.err(`${name}.${namespace} refused ${type}: ${lastError}\n`);
}

/** Every proxy: those connected to any control plane pod, and those of running pods that are connected to none. Throws ClusterError. */
export async function readStates(
  cluster: Cluster,
  options: Pick<ProxyStatusOptions, "namespace" | "istioNamespace" | "revision" | "wait">,
  io: Pick<Io, "err">,
): Promise<readonly ProxyState[]> {
  const connected = await askControlPlane(cluster, options, io);
  const names = new Set(connected.map(({ name, namespace }) => `${name}.${namespace}`));
  const pods = await cluster.list(
    { apiVersion: "v1", kind: "Pod" },
    compact({ namespace: options.namespace, fieldSelector: "status.phase=Running" }),
  );
  const unconnected = pods
    .filter((pod) => isInjected(pod, options.revision))
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .filter(({ metadata }) => !names.has(`${metadata.name}.${metadata.namespace ?? ""}`))
    .map(absent);
  return [...connected, ...unconnected]
    .filter(({ namespace }) => options.namespace === undefined || namespace === options.namespace)
    .sort((a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name) || compare(a.istiod, b.istiod));
}

/** All control plane pods at once; one that does not answer costs its own proxies, not the others'. */
async function askControlPlane(
  cluster: Cluster,
  options: Pick<ProxyStatusOptions, "istioNamespace" | "revision" | "wait">,
  io: Pick<Io, "err">,
): Promise<readonly ProxyState[]> {
  const pods = await controlPlanePods(cluster, options.istioNamespace, options.revision);
  const answers = await Promise.allSettled(
    pods.map(async ({ metadata }) => {
      const target = { namespace: options.istioNamespace, pod: metadata.name, port: MONITORING_PORT };
      const revision = metadata.labels?.[REVISION] ?? "default";
      return readAnswer(await getJson(cluster, target, "/debug/syncz"), { pod: metadata.name, revision });
    }),
  );
  const failures = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason as unknown] : []));
  if (failures.length === pods.length) {
    if (!pods.every(isUnready)) throw failures[0];
    throw new ClusterError(
      "control-plane-not-ready",
      `the control plane in ${options.istioNamespace} is not ready yet`,
      {
        hint: `wait for it with meshctl proxy-status --wait; kubectl logs -n ${options.istioNamespace} deployment/istiod tells what it waits for`,
      },
    );
  }
  if (!options.wait) for (const failure of failures) io.err(`Not asked: ${errorText(failure)}\n`);
  return answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
}

function isUnready(pod: KubeObject): boolean {
  const { conditions = [] } = (pod.status ?? {}) as { conditions?: readonly { type: string; status: string }[] };
  return conditions.some(({ type, status }) => type === "Ready" && status !== "True");
}

/** Whether the pod got a sidecar, and from the revision that is asked about: the injector writes both into an annotation. */
function isInjected({ metadata }: KubeObject, revision: string | undefined): boolean {
  const status = metadata.annotations?.["sidecar.istio.io/status"];
  if (status === undefined || revision === undefined) return status !== undefined;
  return new RegExp(`"revision":\\s*"${revision}"`).test(status);
}

interface SynczEntry {
  readonly proxy: string;
  readonly cluster_id: string;
  readonly istio_version: string;
  readonly control_plane?: string;
  readonly types: Readonly<Record<string, TypeState | undefined>>;
}

function readAnswer(
  answer: unknown,
  { pod, revision }: { readonly pod: string; readonly revision: string },
): ProxyState[] {
  if (!Array.isArray(answer)) throw new ClusterError("syncz", `control plane pod ${pod} gave no list of proxies`);
  return (answer as SynczEntry[]).map((entry) => {
    const at = entry.proxy.indexOf(".");
    const types = Object.fromEntries(
      Object.entries(TYPES).flatMap(([column, key]) => {
        const state = entry.types[key];
        return state === undefined ? [] : [[column, stateOf(state)]];
      }),
    );
    return {
      name: entry.proxy.slice(0, at),
      namespace: entry.proxy.slice(at + 1),
      cluster: entry.cluster_id,
      istiod: entry.control_plane ?? pod,
      revision,
      version: entry.istio_version,
      status: worst(types),
      types,
    };
  });
}

function stateOf({ status, ackedAt, lastError }: TypeState): TypeState {
  return compact({ status, ackedAt: ackedAt === "" ? undefined : ackedAt, lastError });
}

/** A type that was never asked for is none of a proxy's business; without clusters and listeners it has no configuration at all. */
function worst(types: Readonly<Record<string, TypeState>>): string {
  const states = Object.values(types).map(({ status }) => status);
  const bad = ["NACK", "STALE"].find((status) => states.includes(status));
  if (bad !== undefined) return bad;
  return types["CDS"]?.status === "SYNCED" && types["LDS"]?.status === "SYNCED" ? "SYNCED" : "STALE";
}

function absent({ metadata: { name, namespace = "", annotations = {} } }: KubeObject): ProxyState {
  const revision = annotations[REVISION] ?? "-";
  return { name, namespace, cluster: "-", istiod: "-", revision, version: "-", status: "NOT CONNECTED", types: {} };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
