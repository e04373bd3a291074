import { setTimeout as delay } from "node:timers/promises";
import { compact } from "../../base/compact.ts";
import { ClusterError, errorText } from "../../base/errors.ts";
import { isMadeAsGateway } from "../../model/workloads.ts";
import type { Cluster } from "../../resources/cluster.ts";
import type { Pod } from "../../resources/core.ts";
import type { Io } from "../io.ts";
import { getText } from "../pod-http.ts";
import { ADMIN_PORT } from "../proxy-config/source.ts";
import { type Flow, flowsOf, flowsSince } from "./flows.ts";
import { parseSamples } from "./samples.ts";

/** A pod with a proxy. */
export interface ProxyPod {
  readonly name: string;
  readonly namespace: string;
  /** It serves nothing itself: what comes in goes on, and is counted as what it sends. */
  readonly gateway?: true;
}

/** What one proxy counted: what it still holds, or within a window. */
export interface ProxyFlows {
  readonly pod: ProxyPod;
  readonly flows: readonly Flow[];
  /** Length of the window; absent: Envoy drops counters that nothing touched for five minutes, so nobody knows since when it counts. */
  readonly seconds?: number;
}

/** What is asked of each proxy: the standard metrics of requests and connections. */
const QUESTION = "/stats/prometheus?filter=istio_(requests_total|request_duration_milliseconds|tcp_)";

const PARALLEL = 8;

/** Running pods that have a proxy, sidecar or gateway, sorted; of one namespace when one is given. Throws ClusterError. */
export async function proxyPods(cluster: Cluster, namespace: string | undefined): Promise<readonly ProxyPod[]> {
  const pods = await cluster.list(
    { apiVersion: "v1", kind: "Pod" },
    compact({ namespace, fieldSelector: "status.phase=Running" }),
  );
  return pods
    .filter(({ metadata }) => metadata.annotations?.["sidecar.istio.io/status"] !== undefined)
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(
      (pod): ProxyPod => ({
        name: pod.metadata.name,
        namespace: pod.metadata.namespace ?? "",
        ...(isMadeAsGateway(pod as Pod) ? { gateway: true } : {}),
      }),
    )
    .toSorted((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1));
}

/** Asks the admin port of every proxy, some at a time. One that does not answer is told and left out; when none does, ClusterError. */
export async function askProxies<T>(
  cluster: Cluster,
  pods: readonly ProxyPod[],
  asked: { readonly path: string; readonly read: (text: string, pod: ProxyPod) => T },
  io: Pick<Io, "err">,
): Promise<readonly T[]> {
  const answers = new Map<ProxyPod, T>();
  const failures: unknown[] = [];
  const left = [...pods];
  const worker = async (): Promise<void> => {
    for (let pod = left.shift(); pod !== undefined; pod = left.shift())
      try {
        const target = { namespace: pod.namespace, pod: pod.name, port: Number(ADMIN_PORT) };
        answers.set(pod, asked.read(await getText(cluster, target, asked.path), pod));
      } catch (error) {
        if (!(error instanceof ClusterError)) throw error;
        failures.push(error);
      }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  if (answers.size === 0 && failures.length > 0) throw failures[0];
  for (const failure of failures) io.err(`Not asked: ${errorText(failure)}\n`);
  return pods.flatMap((pod) => {
    const answer = answers.get(pod);
    return answer === undefined ? [] : [answer];
  });
}

/** What every proxy holds. */
export function totals(
  cluster: Cluster,
  pods: readonly ProxyPod[],
  io: Pick<Io, "err">,
): Promise<readonly ProxyFlows[]> {
  const read = (text: string, pod: ProxyPod): ProxyFlows => ({ pod, flows: flowsOf(parseSamples(text)) });
  return askProxies(cluster, pods, { path: QUESTION, read }, io);
}

/** What was counted between two times of asking; a proxy that is new counts whole. */
export function between(
  before: readonly ProxyFlows[],
  now: readonly ProxyFlows[],
  seconds: number,
): readonly ProxyFlows[] {
  const old = new Map(before.map((proxy) => [nameOf(proxy), proxy.flows]));
  return now.map((proxy) => {
    const was = old.get(nameOf(proxy));
    return { ...proxy, flows: was === undefined ? proxy.flows : flowsSince(proxy.flows, was), seconds };
  });
}

function nameOf({ pod }: ProxyFlows): string {
  return `${pod.namespace}/${pod.name}`;
}

/**
 * What proxies counted within the next `windowMs`; what they hold where that is 0. Where answers come from a record nothing goes
 * on, so it is what they held too.
 */
export async function observed(
  cluster: Cluster,
  options: { readonly namespace: string | undefined; readonly windowMs: number },
  io: Pick<Io, "err" | "signal">,
): Promise<readonly ProxyFlows[]> {
  // of all namespaces: whoever calls the one that is asked about may live in another
  const pods = await proxyPods(cluster, undefined);
  if (pods.length === 0) throw new ClusterError("no-proxies", "no pod of the cluster has a proxy");
  const first = await totals(cluster, pods, io);
  if (options.windowMs === 0 || cluster.podHttp !== undefined) return first;
  const start = performance.now();
  await pause(options.windowMs, io.signal);
  const second = await totals(cluster, pods, io);
  return between(first, second, (performance.now() - start) / 1000);
}

/** Waits, until the signal at the latest. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
