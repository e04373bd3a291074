import { arch, availableParallelism, totalmem } from "node:os";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { errorText } from "../../base/errors.ts";
import type { KubeObject } from "../../resources/object.ts";
import type { LocalClient, PodBackend, ServiceResolver } from "../api/types.ts";
import { stamp } from "../conditions.ts";
import { statusCode } from "../controllers/queue.ts";
import { ids } from "../ids.ts";
import type { Pod, PodStatus } from "../shapes.ts";
import { serviceTable } from "./network/table.ts";
import { PodRunner } from "./pod-runner.ts";
import type { NodeContext } from "./node-context.ts";

const UNLIST_MS = 500;
const UNLIST_POLL_MS = 5;

export interface NodeOptions extends Omit<NodeContext, "writeStatus"> {
  readonly client: LocalClient;
  readonly name: string;
  readonly signal: AbortSignal;
}

/** The one node: runs the pods that are put on it as processes. */
export interface LocalNode {
  readonly backend: PodBackend;
  readonly resolveService: ServiceResolver;
  /** Ends every pod at once. */
  close(): Promise<void>;
}

/** Registers the node and begins to run its pods. */
export async function startNode(options: NodeOptions): Promise<LocalNode> {
  const { client, cache, name } = options;
  await client.create(ids.nodes, nodeObject(options)).catch(ignoreExisting);
  await client.mergePatch(ids.nodes, undefined, name, { status: nodeStatus(options) }, "status");
  const pods = new Map<string, PodRunner>();
  const ending = new Map<string, Promise<void>>();
  const context: NodeContext = { ...options, writeStatus: (pod, status) => writeStatus(options, pod, status) };
  cache.subscribe(ids.pods, ({ type, object }) => {
    const pod = object as Pod;
    const uid = pod.metadata.uid ?? "";
    if (pod.spec?.nodeName !== name) return;
    const runner = pods.get(uid);
    if (type === "DELETED") {
      if (runner !== undefined) void end(uid, runner, 0);
    } else if (pod.metadata.deletionTimestamp !== undefined) {
      void retire(pod, runner);
    } else if (runner === undefined) {
      pods.set(uid, new PodRunner(pod, context));
    } else {
      runner.update(pod);
    }
  });
  const end = async (uid: string, runner: PodRunner, graceSeconds: number | undefined): Promise<void> => {
    const known = ending.get(uid);
    if (known !== undefined) {
      if (graceSeconds === 0) runner.killNow();
      return known;
    }
    const work = runner.stop(graceSeconds).catch((error: unknown) => {
      options.log.error({ error }, "a pod could not be ended cleanly");
    });
    ending.set(uid, work);
    await work;
    pods.delete(uid);
    ending.delete(uid);
  };
  const retire = async (pod: Pod, runner: PodRunner | undefined): Promise<void> => {
    const { uid = "", namespace, name: podName } = pod.metadata;
    const grace = pod.metadata["deletionGracePeriodSeconds"];
    if (runner !== undefined && !ending.has(uid))
      options.events.normal(pod, "Killing", "Stopping the pod's containers");
    if (runner !== undefined && grace !== 0) await unlisted(options, runner.podNetwork?.ip);
    if (runner !== undefined) await end(uid, runner, typeof grace === "number" ? grace : undefined);
    await client.delete(ids.pods, namespace, podName, { gracePeriodSeconds: 0 }).catch(ignoreGone);
  };
  followData(options, pods);
  followServices(options);
  return {
    backend: podBackend(pods),
    resolveService: (namespace, service, port) =>
      Promise.resolve(resolveService(options, { namespace, service, port })),
    async close() {
      await Promise.all([...pods].map(([uid, runner]) => end(uid, runner, 0)));
      await options.network.close();
    },
  };
}

/** Refreshes the volumes that show a ConfigMap or Secret when it changes. */
function followData({ cache }: NodeOptions, pods: ReadonlyMap<string, PodRunner>): void {
  for (const id of ["configMaps", "secrets"] as const) {
    cache.subscribe(ids[id], ({ object }) => {
      const { namespace, name } = object.metadata;
      for (const runner of pods.values()) {
        if (runner.namespace === namespace && runner.reads(id, name)) runner.refresh();
      }
    });
  }
}

/**
 * Waits until no Service leads to the address any more, so that a pod that ends gracefully meets no new connection. At most a
 * moment: a Service that publishes addresses which are not ready never lets go.
 */
async function unlisted({ cache, network }: NodeOptions, ip: string | undefined): Promise<void> {
  const deadline = performance.now() + UNLIST_MS;
  const listed = (): boolean =>
    serviceTable(cache).some(({ ports }) =>
      ports.some(({ endpoints }) => endpoints.some((endpoint) => endpoint.ip === ip)),
    );
  while (listed() && performance.now() < deadline) await sleep(UNLIST_POLL_MS);
  await network.setServices(serviceTable(cache));
}

/** Tells the network of every change of Services and endpoints; changes of one moment are one. */
function followServices({ cache, network, log }: NodeOptions): void {
  let queued = false;
  const changed = (): void => {
    if (queued) return;
    queued = true;
    setTimeout(() => {
      queued = false;
      network.setServices(serviceTable(cache)).catch((error: unknown) => {
        log.error({ error: errorText(error) }, "service addresses could not be written");
      });
    }, 2);
  };
  cache.subscribe(ids.services, changed);
  cache.subscribe(ids.endpointSlices, changed);
}

function resolveService(
  { cache }: NodeOptions,
  { namespace, service, port }: { namespace: string; service: string; port: number },
): { host: string; port: number } {
  const entry = serviceTable(cache).find(
    (candidate) => candidate.namespace === namespace && candidate.name === service,
  );
  const endpoints = entry?.ports.find((candidate) => candidate.port === port)?.endpoints ?? [];
  const endpoint = endpoints[Math.floor(Math.random() * endpoints.length)];
  if (entry === undefined) throw new Error(`service "${service}" not found`);
  if (endpoint === undefined) throw new Error(`no endpoints available for service "${service}" port ${port}`);
  return { host: endpoint.ip, port: endpoint.port };
}

function podBackend(pods: ReadonlyMap<string, PodRunner>): PodBackend {
  const find = (namespace: string, pod: string): PodRunner => {
    const runner = [...pods.values()].find((entry) => entry.namespace === namespace && entry.name === pod);
    if (runner === undefined) throw new Error(`pod ${namespace}/${pod} is not running on this node`);
    return runner;
  };
  return {
    async *logs({ namespace, pod, container, previous, ...query }, signal) {
      const log = find(namespace, pod).logOf(container, previous);
      if (log === undefined) {
        throw new Error(`${previous ? "previous terminated " : ""}container "${container}" in pod "${pod}" not found`);
      }
      yield* log.read(query, signal);
    },
    async dial({ namespace, pod, port }): Promise<Duplex> {
      const network = find(namespace, pod).podNetwork;
      if (network === undefined) throw new Error(`pod ${namespace}/${pod} has no network yet`);
      return network.dial(port);
    },
  };
}

async function writeStatus({ client, log }: NodeOptions, pod: Pod, status: PodStatus): Promise<void> {
  try {
    await client.mergePatch(ids.pods, pod.metadata.namespace, pod.metadata.name, { status }, "status");
  } catch (error) {
    if (statusCode(error) !== 404) log.warn({ pod: pod.metadata.name, error: errorText(error) }, "status not written");
  }
}

function nodeObject({ name }: NodeOptions): KubeObject {
  const labels = {
    "kubernetes.io/hostname": name,
    "kubernetes.io/os": "linux",
    "kubernetes.io/arch": arch() === "x64" ? "amd64" : arch(),
    "node-role.kubernetes.io/control-plane": "",
  };
  return { apiVersion: "v1", kind: "Node", metadata: { name, labels }, spec: {} };
}

function nodeStatus({ name, now, network }: NodeOptions): unknown {
  const capacity = { cpu: String(availableParallelism()), memory: `${Math.floor(totalmem() / 1024)}Ki`, pods: "250" };
  const time = stamp(now());
  const version = "v1.36.3+meshctl";
  return {
    capacity,
    allocatable: capacity,
    addresses: [
      { type: "InternalIP", address: network.nodeIp },
      { type: "Hostname", address: name },
    ],
    conditions: [
      {
        type: "Ready",
        status: "True",
        reason: "KubeletReady",
        message: "pods run as local processes",
        lastHeartbeatTime: time,
        lastTransitionTime: time,
      },
    ],
    nodeInfo: {
      architecture: arch() === "x64" ? "amd64" : arch(),
      bootID: "",
      containerRuntimeVersion: `meshctl-${network.kind}://1`,
      kernelVersion: "",
      kubeProxyVersion: "",
      kubeletVersion: version,
      machineID: "",
      operatingSystem: "linux",
      osImage: "meshctl local node",
      systemUUID: "",
    },
  };
}

function ignoreExisting(error: unknown): void {
  if (statusCode(error) !== 409) throw error;
}

function ignoreGone(error: unknown): void {
  if (statusCode(error) !== 404) throw error;
}
