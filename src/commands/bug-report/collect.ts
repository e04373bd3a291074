import { type Recorded, emptyRecord, recording } from "../../bundle/record.ts";
import { ClusterError, errorText } from "../../base/errors.ts";
import { apiVersionOf, KIND_NAMES, KINDS } from "../../resources/kinds.ts";
import type { Cluster, KindRef, PodRequest } from "../../resources/cluster.ts";
import type { KubeObject } from "../../resources/object.ts";
import type { Io } from "../io.ts";
import { MONITORING_PORT } from "../control-plane.ts";
import { MERGED_PORT, SERVER_STATS } from "../envoy-stats.ts";
import { exchangeWith } from "../pod-http.ts";
import { views } from "../proxy-config/index.ts";
import { ADMIN_PORT } from "../proxy-config/source.ts";
import { intentionPath } from "../proxy-status/one-proxy.ts";
import { readStates } from "../proxy-status/states.ts";
import { type BundledOutput, MESH_COMMANDS, runBundled } from "./run-all.ts";

/** How much is collected. */
export interface CollectOptions {
  readonly istioNamespace: string;
  /** Whether a namespace's pods and objects are wanted; the control plane's always are. */
  readonly wants: (namespace: string) => boolean;
  /** Lines of each log. */
  readonly tail: number;
  /** Of logs only what is younger than so many seconds. Default: whatever its age. */
  readonly sinceSeconds?: number;
  /** Ends the collection; what is there by then is kept. */
  readonly deadline: AbortSignal;
}

/** What was collected. */
export interface Collected {
  readonly record: Recorded;
  readonly commands: readonly (BundledOutput & { readonly line: string })[];
  readonly leftOut: readonly { readonly what: string; readonly why: string }[];
}

/** Kinds that no analyzer reads and people who look for a cause do. */
const MORE: readonly KindRef[] = [
  { apiVersion: "v1", kind: "Event" },
  { apiVersion: "v1", kind: "ResourceQuota" },
  { apiVersion: "v1", kind: "LimitRange" },
  { apiVersion: "policy/v1", kind: "PodDisruptionBudget" },
  { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler" },
  { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" },
  { apiVersion: "coordination.k8s.io/v1", kind: "Lease" },
];

/** Paths of meshd's monitoring port; what its /debug/list names comes on top. */
const OF_CONTROL_PLANE = ["/metrics", "/version"];
/** Questions of /debug that are about one proxy or object. */
const ABOUT_ONE: readonly string[] = ["config_distribution", "config_dump", "ndsz"];

/** Paths of Envoy's admin port beside those that commands ask for. */
const OF_PROXY = [
  "/server_info",
  "/certs",
  "/listeners?format=json",
  "/stats/prometheus",
  "/stats?usedonly",
  SERVER_STATS,
  "/memory",
];

/** Proxies that are asked at a time. */
const PARALLEL = 4;

/** Runs every read-only command against a cluster that is written down, then asks pods one by one, until time is up. */
export async function collect(cluster: Cluster, options: CollectOptions, io: Io): Promise<Collected> {
  const record = emptyRecord();
  const leftOut: { what: string; why: string }[] = [];
  const written = recording(cluster, record, (target, asked) => exchangeWith(cluster, target, asked));
  const { deadline } = options;
  const step: Step = async (what, action) => {
    const failed = (error: unknown): void => {
      leftOut.push({ what, why: deadline.aborted ? TIME_UP : errorText(error) });
    };
    if (deadline.aborted) failed(undefined);
    else await untilAborted(action(), deadline).catch(failed);
  };
  await step("version of Kubernetes", () => written.version());
  for (const ref of [
    ...KIND_NAMES.map((name) => ({ apiVersion: apiVersionOf(name), kind: KINDS[name].kind })),
    ...MORE,
  ])
    await step(`${ref.kind} objects`, async () => (await written.serves(ref)) && written.list(ref));
  const commands: (BundledOutput & { line: string })[] = [];
  const commandIo: Io = { ...io, cluster: () => Promise.resolve(written), signal: options.deadline };
  for (const command of MESH_COMMANDS)
    await step(`meshctl ${command.line}`, async () => {
      commands.push({ line: command.line, ...(await runBundled(command, commandIo)) });
    });
  await askPods(written, options, step);
  await askIntentions(written, options, step);
  return { record, commands, leftOut };
}

const TIME_UP = "time was up";

/** Rejects once time is up: who hangs then is not waited for. */
async function untilAborted(action: Promise<unknown>, deadline: AbortSignal): Promise<void> {
  let end = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    end = () => reject(new Error(TIME_UP));
    deadline.addEventListener("abort", end, { once: true });
  });
  try {
    await Promise.race([action, aborted]);
  } finally {
    deadline.removeEventListener("abort", end);
  }
}

type Step = (what: string, action: () => Promise<unknown>) => Promise<void>;

/** The control plane first, then proxies. */
async function askPods(cluster: Cluster, options: CollectOptions, step: Step): Promise<void> {
  const pods = (await cluster.list({ apiVersion: "v1", kind: "Pod" }).catch(() => [])).filter(
    ({ status }) => (status as { phase?: string } | undefined)?.phase === "Running",
  );
  const isControlPlane = ({ metadata }: KubeObject): boolean =>
    metadata.namespace === options.istioNamespace && metadata.labels?.["app"] === "istiod";
  const hasProxy = ({ metadata }: KubeObject): boolean =>
    metadata.annotations?.["sidecar.istio.io/status"] !== undefined && options.wants(metadata.namespace ?? "");
  const served = [...new Set(pods.filter(hasProxy).map(({ metadata }) => metadata.namespace ?? ""))];
  const questions = [
    ...pods.filter(isControlPlane).map((pod) => ({ pod, container: "discovery", ask: askControlPlane(served) })),
    ...pods.filter(hasProxy).map((pod) => ({ pod, container: "istio-proxy", ask: askProxy })),
  ];
  const left = [...questions];
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await askPod(cluster, next, options, step);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}

/** What each proxy is to run, as the control plane that it is connected to says: proxy-status of one pod compares with it. */
async function askIntentions(cluster: Cluster, { istioNamespace, wants }: CollectOptions, step: Step): Promise<void> {
  const states = await readStates(cluster, { istioNamespace, wait: true }, { err: () => undefined }).catch(() => []);
  const connected = states.filter(({ status, namespace }) => status !== "NOT CONNECTED" && wants(namespace));
  for (const { name, namespace, istiod } of connected) {
    const path = intentionPath({ name, namespace });
    await step(`what proxy ${name}.${namespace} is to run`, async () =>
      cluster.podHttp?.({ namespace: istioNamespace, pod: istiod, port: MONITORING_PORT }, { method: "GET", path }),
    );
  }
}

/** Everything a view of proxy-config is made of, and what else people look at. */
function proxyPaths(): readonly string[] {
  return [...new Set([...Object.values(views).map(({ path }) => path), ...OF_PROXY])];
}

/** Asks a port of one pod; what it does not answer is left out by its name, and one that does not answer at all is asked once. */
type Ask = (port: number, path: string, method?: PodRequest["method"]) => Promise<string | undefined>;

interface Question {
  readonly pod: KubeObject;
  readonly container: string;
  readonly ask: (ask: Ask) => Promise<void>;
}

async function askPod(
  cluster: Cluster,
  { pod: { metadata }, container, ask }: Question,
  { tail, sinceSeconds }: CollectOptions,
  step: Step,
): Promise<void> {
  const target = { namespace: metadata.namespace ?? "", pod: metadata.name };
  const name = `pod ${target.namespace}/${target.pod}`;
  const silent = new Set<number>();
  await ask(async (port, path, method = "GET") => {
    let body: string | undefined;
    await step(`${name} port ${port}${path}`, async () => {
      if (silent.has(port)) throw new ClusterError("pod-http", `port ${port} did not answer before`);
      silent.add(port);
      body = (await cluster.podHttp?.({ ...target, port }, { method, path }))?.body;
      silent.delete(port);
    });
    return body;
  });
  await step(`log of ${name}`, () =>
    cluster.logs({ ...target, container, tailLines: tail, ...(sinceSeconds !== undefined && { sinceSeconds }) }),
  );
}

/** Whatever it can be asked about the mesh as a whole, and its findings about each namespace that has proxies. */
function askControlPlane(namespaces: readonly string[]): Question["ask"] {
  return async (ask) => {
    for (const path of OF_CONTROL_PLANE) await ask(MONITORING_PORT, path);
    for (const name of namesIn(await ask(MONITORING_PORT, "/debug/list")))
      if (!ABOUT_ONE.includes(name)) await ask(MONITORING_PORT, `/debug/${name}`);
    for (const namespace of namespaces)
      await ask(MONITORING_PORT, `/debug/analysis?namespace=${encodeURIComponent(namespace)}`);
  };
}

function namesIn(listed = "[]"): readonly string[] {
  try {
    const names: unknown = JSON.parse(listed);
    return Array.isArray(names) ? names.map(String).filter((name) => name !== "list") : [];
  } catch {
    return [];
  }
}

async function askProxy(ask: Ask): Promise<void> {
  const port = Number(ADMIN_PORT);
  for (const path of proxyPaths()) await ask(port, path);
  // levels of loggers are told to POST alone; without a query nothing changes
  await ask(port, "/logging", "POST");
  await ask(MERGED_PORT, "/stats/prometheus");
}
