import { request } from "node:http";
import type { Duplex } from "node:stream";
import { ClusterError, errorText, UsageError } from "../base/errors.ts";
import type { Cluster, ClusterReader, PodPort, PodRequest } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";

const TIMEOUT_MS = 10_000;

/** JSON that a pod answers to GET, asked through the API server. Throws ClusterError when it does not answer with 200 and JSON. */
export async function getJson(cluster: Cluster, target: PodPort, path: string): Promise<unknown> {
  const body = await getText(cluster, target, path);
  try {
    return JSON.parse(body) as unknown;
  } catch (error) {
    throw unanswered(target, path, error);
  }
}

/** Text that a pod answers to GET. Throws ClusterError as getJson does. */
export async function getText(cluster: Cluster, target: PodPort, path: string): Promise<string> {
  return ask(cluster, target, { method: "GET", path });
}

/** Text that a pod answers to POST without a body: Envoy changes things by that. Throws ClusterError as getJson does. */
export async function postText(cluster: Cluster, target: PodPort, path: string): Promise<string> {
  return ask(cluster, target, { method: "POST", path });
}

async function ask(cluster: Cluster, target: PodPort, asked: PodRequest): Promise<string> {
  const { status, body } = await exchangeWith(cluster, target, asked);
  if (status === 200) return body;
  throw new ClusterError("pod-http", `${placeOf(target, asked.path)} answered ${status}: ${body.slice(0, 200)}`);
}

/** One request to a pod, whatever it answers. Throws ClusterError when it does not. */
export async function exchangeWith(
  cluster: Cluster,
  target: PodPort,
  asked: PodRequest,
): Promise<{ readonly status: number; readonly body: string }> {
  const elsewhere = cluster.elsewhere?.(target, asked);
  if (elsewhere !== undefined) return elsewhere;
  if (cluster.podHttp !== undefined) return cluster.podHttp(target, asked);
  const stream = await cluster.portForward(target);
  try {
    return await exchange(stream, asked);
  } catch (error) {
    throw error instanceof ClusterError ? error : unanswered(target, asked.path, error);
  } finally {
    stream.destroy();
  }
}

function placeOf({ namespace, pod, port }: PodPort, path: string): string {
  return `pod ${namespace}/${pod} port ${port}${path}`;
}

function unanswered(target: PodPort, path: string, cause: unknown): ClusterError {
  return new ClusterError("pod-http", `${placeOf(target, path)}: ${errorText(cause)}`, {
    hint: "Look whether the pod runs and is ready: kubectl get pods, kubectl logs.",
    cause,
  });
}

function exchange(
  stream: Duplex,
  { method, path }: PodRequest,
): Promise<{ readonly status: number; readonly body: string }> {
  // what was destroyed before it is read would never answer
  if (stream.destroyed) return Promise.reject(stream.errored ?? new Error("the connection is closed"));
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => stream.destroy(new Error(`no answer in ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS);
    const call = request(
      { method, path, host: "localhost", headers: { connection: "close" }, createConnection: () => stream },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => void chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
        );
      },
    );
    call.on("error", reject);
    call.on("close", () => clearTimeout(timer));
    call.end();
  });
}

const RUNNING = "status.phase=Running";

/** A kind whose pods are found by labels, and the words before the slash that name it. */
interface Workload {
  readonly apiVersion: string;
  readonly kind: string;
  readonly names: readonly string[];
  /** Labels of its pods. */
  readonly labels: (object: KubeObject) => Labels;
}

type Labels = Readonly<Record<string, string>>;

const byMatchLabels = ({ spec }: KubeObject): Labels =>
  (spec as { selector?: { matchLabels?: Labels } } | undefined)?.selector?.matchLabels ?? {};
const bySelector = ({ spec }: KubeObject): Labels => (spec as { selector?: Labels } | undefined)?.selector ?? {};

const KINDS: readonly Workload[] = [
  { apiVersion: "apps/v1", kind: "Deployment", names: ["deploy", "deployment", "deployments"], labels: byMatchLabels },
  { apiVersion: "apps/v1", kind: "StatefulSet", names: ["sts", "statefulset", "statefulsets"], labels: byMatchLabels },
  { apiVersion: "apps/v1", kind: "DaemonSet", names: ["ds", "daemonset", "daemonsets"], labels: byMatchLabels },
  { apiVersion: "apps/v1", kind: "ReplicaSet", names: ["rs", "replicaset", "replicasets"], labels: byMatchLabels },
  { apiVersion: "v1", kind: "Service", names: ["svc", "service", "services"], labels: bySelector },
  {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    names: ["gtw", "gateway", "gateways"],
    labels: ({ metadata }) => ({ "gateway.networking.k8s.io/gateway-name": metadata.name }),
  },
];

/**
 * The pod a user means: `name`, `name.namespace`, or the first running pod of a workload, `deploy/name.namespace`. Throws
 * UsageError for a form that is none of these and ClusterError when there is no such pod.
 */
export async function findPod(
  cluster: ClusterReader,
  text: string,
  defaultNamespace: string,
): Promise<{ readonly namespace: string; readonly pod: string }> {
  const { namespace, pods } = await findPods(cluster, text, defaultNamespace);
  return { namespace, pod: pods[0] };
}

/** All pods a user means: one by its name, or every running one of a workload. Throws as findPod does. */
export async function findPods(
  cluster: ClusterReader,
  text: string,
  defaultNamespace: string,
): Promise<{ readonly namespace: string; readonly pods: readonly [string, ...string[]] }> {
  const [first = "", second, more] = text.split("/");
  if (more !== undefined || first === "") throw new UsageError(`"${text}" names no pod`, "Write it as name.namespace.");
  const { name, namespace } = splitName(second ?? first, defaultNamespace);
  if (second !== undefined && !["pod", "pods", "po"].includes(first)) {
    return { namespace, pods: await podsOfWorkload(cluster, first, { name, namespace }) };
  }
  const pod = await cluster.get({ apiVersion: "v1", kind: "Pod", namespace, name });
  if (pod === undefined) throw missing(`pod ${namespace}/${name}`);
  return { namespace, pods: [name] };
}

function splitName(text: string, defaultNamespace: string): { readonly name: string; readonly namespace: string } {
  const at = text.indexOf(".");
  return at < 0
    ? { name: text, namespace: defaultNamespace }
    : { name: text.slice(0, at), namespace: text.slice(at + 1) };
}

async function podsOfWorkload(
  cluster: ClusterReader,
  type: string,
  { name, namespace }: { readonly name: string; readonly namespace: string },
): Promise<readonly [string, ...string[]]> {
  const workload = KINDS.find(({ names }) => names.includes(type.toLowerCase()));
  if (workload === undefined) {
    const known = KINDS.map(({ names: [short] }) => short).join(", ");
    throw new UsageError(
      `"${type}/${name}" names no pod`,
      `Write it as name.namespace, or TYPE/name with one of ${known}.`,
    );
  }
  const { apiVersion, kind } = workload;
  const object = await cluster.get({ apiVersion, kind, namespace, name });
  if (object === undefined) throw missing(`${kind} ${namespace}/${name}`);
  const labels = Object.entries(workload.labels(object)).map(([key, value]) => `${key}=${value}`);
  const pods =
    labels.length === 0
      ? []
      : await cluster.list(
          { apiVersion: "v1", kind: "Pod" },
          { namespace, labelSelector: labels.join(","), fieldSelector: RUNNING },
        );
  const [pod, ...more] = pods.map(({ metadata }) => metadata.name);
  if (pod === undefined) throw missing(`running pod of ${kind} ${namespace}/${name}`);
  return [pod, ...more];
}

function missing(what: string): ClusterError {
  return new ClusterError("not-found", `there is no ${what}`, { hint: "List pods with kubectl get pods -A." });
}

/** Running pods of the control plane, or of one revision of it. Throws ClusterError when there is none. */
export async function controlPlanePods(
  cluster: ClusterReader,
  namespace: string,
  revision?: string,
): Promise<readonly KubeObject[]> {
  const labelSelector = revision === undefined ? "app=istiod" : `app=istiod,istio.io/rev=${revision}`;
  const pods = await cluster.list(
    { apiVersion: "v1", kind: "Pod" },
    { namespace, labelSelector, fieldSelector: RUNNING },
  );
  const running = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (running.length > 0) return running;
  const [way] = await cluster.list(
    { apiVersion: "v1", kind: "Service" },
    { namespace, labelSelector: "operator.istio.io/component=IstiodRemote" },
  );
  if (way !== undefined)
    throw new ClusterError("no-control-plane", "the control plane of this cluster is in another one, or outside", {
      hint: "Ask where it runs: with --kubeconfig or --context of that cluster.",
    });
  const which = revision === undefined ? "" : ` of revision ${revision}`;
  throw new ClusterError("no-control-plane", `no control plane${which} runs in namespace ${namespace}`, {
    hint: "Install one with meshctl install, or name its namespace with --istioNamespace.",
  });
}
