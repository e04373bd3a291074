import { type Recorded, emptyRecord, recording } from "../../bundle/record.ts";
import { errorText } from "../../base/errors.ts";
import { apiVersionOf, KIND_NAMES, KINDS } from "../../resources/kinds.ts";
import type { Cluster, KindRef } from "../../resources/cluster.ts";
import type { KubeObject } from "../../resources/object.ts";
import type { Io } from "../io.ts";
import { MONITORING_PORT } from "../control-plane.ts";
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

/** Paths of meshd's monitoring port beside those that commands ask for. */
const OF_CONTROL_PLANE = [
  "/metrics",
  "/version",
  "/debug/syncz",
  "/debug/changes",
  "/debug/connections",
  "/debug/analysis",
];

/** Paths of Envoy's admin port beside those that commands ask for. */
const OF_PROXY = [
  "/server_info",
  "/certs",
  "/listeners?format=json",
  "/stats/prometheus",
  "/stats?usedonly",
  "/memory",
];

/** Proxies that are asked at a time. */
const PARALLEL = 4;

/** Runs every read-only command against a cluster that is written down, then asks pods one by one, until time is up. */
export async function collect(cluster: Cluster, options: CollectOptions, io: Io): Promise<Collected> {
  const record = emptyRecord();
  const leftOut: { what: string; why: string }[] = [];
  const written = recording(cluster, record, (target, asked) => exchangeWith(cluster, target, asked));
  const step = async (what: string, action: () => Promise<unknown>): Promise<void> => {
    if (options.deadline.aborted) leftOut.push({ what, why: "time was up" });
    else
      await action().catch((error: unknown) => {
        leftOut.push({ what, why: options.deadline.aborted ? "time was up" : errorText(error) });
      });
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
  const questions = [
    ...pods
      .filter(isControlPlane)
      .map((pod) => ({ pod, port: MONITORING_PORT, paths: OF_CONTROL_PLANE, container: "discovery" })),
    ...pods
      .filter(hasProxy)
      .map((pod) => ({ pod, port: Number(ADMIN_PORT), paths: proxyPaths(), container: "istio-proxy" })),
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

interface Question {
  readonly pod: KubeObject;
  readonly port: number;
  readonly paths: readonly string[];
  readonly container: string;
}

async function askPod(
  cluster: Cluster,
  { pod: { metadata }, port, paths, container }: Question,
  { tail }: CollectOptions,
  step: Step,
): Promise<void> {
  const target = { namespace: metadata.namespace ?? "", pod: metadata.name };
  const name = `pod ${target.namespace}/${target.pod}`;
  for (const path of paths)
    await step(`${name} port ${port}${path}`, async () =>
      cluster.podHttp?.({ ...target, port }, { method: "GET", path }),
    );
  await step(`log of ${name}`, () => cluster.logs({ ...target, container, tailLines: tail }));
}
