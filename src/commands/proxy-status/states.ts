import { compact } from "../../base/compact.ts";
import { ClusterError, errorText } from "../../base/errors.ts";
import type { Cluster } from "../../resources/cluster.ts";
import type { KubeObject } from "../../resources/object.ts";
import { fromEach, type MeshCluster } from "../clusters.ts";
import type { Io } from "../io.ts";
import { MONITORING_PORT } from "../control-plane.ts";
import { controlPlanePods, getJson } from "../pod-http.ts";
import { NAMES, RESOURCE_TYPES } from "./types.ts";

/** How one type of configuration of one proxy stands, as the control plane says: from what was acknowledged, not from what was sent. */
export interface TypeState {
  readonly status: string;
  readonly ackedAt?: string;
  readonly lastError?: string;
  /** When it refused what `lastError` is about. */
  readonly refusedAt?: string;
  /** Resources that are not confirmed as they are now, the first of `pendingCount`. */
  readonly pending?: readonly string[];
  readonly pendingCount?: number;
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
  /** ISO time when its stream began; absent when it is not connected. */
  readonly connectedAt?: string;
  /** ISO time when the certificate that it came with ends; absent for one that came with a token. */
  readonly certificateExpires?: string;
  readonly types: Readonly<Record<string, TypeState>>;
}

/** Which proxies are asked about, and how patiently. */
export interface StatesQuestion {
  /** Only proxies of this namespace. */
  readonly namespace?: string;
  readonly istioNamespace: string;
  /** Only this control plane, and the proxies that belong to it. */
  readonly revision?: string;
  /** Somebody asks again and again: a control plane that does not answer is not worth a word. */
  readonly wait: boolean;
}

/** Status of a proxy that no control plane knows. */
export const NOT_CONNECTED = "NOT CONNECTED";

/** Label of control plane pods, and annotation of pods with a proxy. */
const REVISION = "istio.io/rev";

/** Columns by the name the control plane uses; Istio's order. */
const COLUMNS: readonly { readonly column: string; readonly key: string }[] = [...RESOURCE_TYPES, NAMES];

/** Types that every proxy has, and so every table. */
export const COMMON_COLUMNS: readonly string[] = ["CDS", "LDS", "EDS", "RDS"];

/** Types that some proxies have. */
export const MORE_COLUMNS: readonly string[] = COLUMNS.map(({ column }) => column).filter(
  (column) => !COMMON_COLUMNS.includes(column),
);

/** Every proxy: those connected to any control plane pod, and those of running pods that are connected to none. Throws ClusterError. */
export async function readStates(
  cluster: Cluster,
  options: StatesQuestion,
  io: Pick<Io, "err">,
): Promise<readonly ProxyState[]> {
  const [connected, injected] = await Promise.all([
    askControlPlane(cluster, options, io),
    injectedPods(cluster, options),
  ]);
  const names = new Set(connected.map(({ name, namespace }) => `${name}.${namespace}`));
  return sorted([...connected, ...unconnected(injected, names)], options);
}

/**
 * The same over the clusters of a mesh: a cluster without a control plane has its proxies at another's. Of several control planes
 * that know a proxy the one with the later stream counts.
 */
export async function readFleet(
  clusters: readonly MeshCluster[],
  options: StatesQuestion,
  io: Pick<Io, "err">,
): Promise<readonly ProxyState[]> {
  const [first] = clusters;
  if (clusters.length === 1 && first !== undefined) return readStates(first.cluster, options, io);
  const withPlane = await fromEach(clusters, ({ cluster }) => hasControlPlane(cluster, options), io);
  const asked = withPlane.answers.filter(({ answer }) => answer);
  const planes = asked.length === 0 ? withPlane.answers : asked;
  const { answers } = await fromEach(planes, ({ cluster }) => askControlPlane(cluster, options, io), io);
  const connected = newest(answers.flatMap(({ answer }) => answer));
  const { answers: lost } = await fromEach(
    withPlane.answers,
    async ({ name, cluster }) => {
      const here = connected.filter((state) => state.cluster === name);
      const names = new Set(here.map((state) => `${state.name}.${state.namespace}`));
      return unconnected(await injectedPods(cluster, options), names).map((state) => ({ ...state, cluster: name }));
    },
    io,
  );
  return sorted([...connected, ...lost.flatMap(({ answer }) => answer)], options);
}

async function hasControlPlane(cluster: Cluster, { istioNamespace, revision }: StatesQuestion): Promise<boolean> {
  try {
    return (await controlPlanePods(cluster, istioNamespace, revision)).length > 0;
  } catch (error) {
    if (error instanceof ClusterError && error.code === "no-control-plane") return false;
    throw error;
  }
}

function sorted(states: readonly ProxyState[], { namespace: wanted }: StatesQuestion): readonly ProxyState[] {
  return states
    .filter(({ namespace }) => wanted === undefined || namespace === wanted)
    .sort(
      (a, b) =>
        compare(a.namespace, b.namespace) ||
        compare(a.name, b.name) ||
        compare(a.cluster, b.cluster) ||
        compare(a.istiod, b.istiod),
    );
}

/** Running pods with a proxy. */
async function injectedPods(cluster: Cluster, options: StatesQuestion): Promise<readonly KubeObject[]> {
  const pods = await cluster.list(
    { apiVersion: "v1", kind: "Pod" },
    compact({ namespace: options.namespace, fieldSelector: "status.phase=Running" }),
  );
  return pods
    .filter((pod) => isInjected(pod, options.revision))
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

/** Proxies of pods that are not among these names. */
function unconnected(pods: readonly KubeObject[], names: ReadonlySet<string>): readonly ProxyState[] {
  return pods.filter(({ metadata }) => !names.has(`${metadata.name}.${metadata.namespace ?? ""}`)).map(absent);
}

/** Whether there are proxies, and all have confirmed what is current. */
export function isInSync(proxies: readonly ProxyState[]): boolean {
  return proxies.length > 0 && proxies.every(({ status }) => status === "SYNCED");
}

/** All control plane pods at once; one that does not answer costs its own proxies, not the others'. */
async function askControlPlane(
  cluster: Cluster,
  options: StatesQuestion,
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
  return newest(answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : [])));
}

/** A proxy that went over to another control plane may be listed by the one it left, which has not noticed: the later stream counts. */
function newest(states: readonly ProxyState[]): readonly ProxyState[] {
  const byName = new Map<string, ProxyState>();
  for (const state of states) {
    const key = `${state.name}.${state.namespace} ${state.cluster}`;
    const other = byName.get(key);
    if (other === undefined || (other.connectedAt ?? "") < (state.connectedAt ?? "")) byName.set(key, state);
  }
  return [...byName.values()];
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
  readonly connected_at?: string;
  readonly certificate_expires?: string;
  readonly types: Readonly<Record<string, TypeState | undefined>>;
}

function readAnswer(
  answer: unknown,
  { pod, revision }: { readonly pod: string; readonly revision: string },
): ProxyState[] {
  if (!Array.isArray(answer)) throw new ClusterError("syncz", `control plane pod ${pod} gave no list of proxies`);
  return (answer as SynczEntry[]).map((entry) => {
    // names of pods may have dots, namespaces have none
    const at = entry.proxy.lastIndexOf(".");
    const types = Object.fromEntries(
      COLUMNS.flatMap(({ column, key }) => {
        const state = entry.types[key];
        return state === undefined ? [] : [[column, stateOf(state)]];
      }),
    );
    return compact({
      name: entry.proxy.slice(0, at),
      namespace: entry.proxy.slice(at + 1),
      cluster: entry.cluster_id,
      istiod: entry.control_plane ?? pod,
      revision,
      version: entry.istio_version,
      status: worst(types),
      connectedAt: entry.connected_at,
      certificateExpires: entry.certificate_expires,
      types,
    });
  });
}

function stateOf({ status, ackedAt, lastError, refusedAt, pending, pendingCount }: TypeState): TypeState {
  return compact({
    status,
    ackedAt: ackedAt === "" ? undefined : ackedAt,
    lastError,
    refusedAt,
    pending,
    pendingCount,
  });
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
  return { name, namespace, cluster: "-", istiod: "-", revision, version: "-", status: NOT_CONNECTED, types: {} };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
