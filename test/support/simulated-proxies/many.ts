import { createFleet, type Fleet } from "../../../bench/proxies/fleet.ts";
import { NAMESPACES, namespaceOf } from "../../../bench/large-mesh.ts";
import { openCluster } from "../../../src/kube/cluster.ts";
import type { Cluster } from "../../../src/resources/cluster.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { prepareCluster, type TestCluster } from "../local/cluster.ts";

/** A mesh with a real control plane and many proxies that are only simulated: each a delta xDS stream over TLS, with a token. */
export interface ManyProxies {
  readonly cluster: TestCluster;
  readonly fleet: Fleet;
  /** Ends everything. */
  readonly close: () => Promise<void>;
}

/** Requests to the API at a time. */
const PARALLEL = 16;
/** Proxies that connect at a time. */
const TOGETHER = 50;
/** A node that nobody runs: what is on it is left alone. */
const NODE = "simulated";
const PORTS = [8001, 8002, 8003, 8004];

/** How large the mesh is. */
export interface ManyOptions {
  readonly count: number;
  /** Pods of the control plane, each with its share of the proxies; default 1. */
  readonly replicas?: number;
  /** Every proxy sees all namespaces, instead of its own. */
  readonly wide?: boolean;
}

/** Starts an embedded cluster, installs the mesh, and connects so many proxies of 50 namespaces with a service each. */
export async function manyProxies(
  { count, replicas = 1, wide = false }: ManyOptions,
  say: (text: string) => void,
): Promise<ManyProxies> {
  const local = await prepareCluster();
  let fleet: Fleet | undefined;
  const close = async (): Promise<void> => {
    fleet?.close();
    await local.meshctl("down").catch(() => undefined);
    await local.remove();
  };
  try {
    await local.meshctl("up", "--network", "loopback");
    const sets = ["autoscaleEnabled=false", `replicaCount=${replicas}`].map((set) => `--set=values.pilot.${set}`);
    await local.meshctl("install", "--profile", "minimal", "-y", ...sets);
    const cluster = await openCluster({ kubeconfig: local.kubeconfig, env: {}, cwd: local.home });
    say("the control plane runs");
    if (!wide) await cluster.create(ownNamespaceAlone);
    const tokens = await makeNamespaces(cluster);
    await inParallel(count, (index) => makePod(cluster, index));
    say(`${count} pods are there`);
    const lost = new Map<string, number>();
    fleet = createFleet({
      ...(await controlPlaneAt(cluster)),
      count,
      together: TOGETHER,
      tokenOf: (of) => tokens.get(of) ?? "",
      onLost: (why) => lost.set(why, (lost.get(why) ?? 0) + 1),
    });
    const began = performance.now();
    fleet.connect();
    await fleet.settled();
    const megabytes = (fleet.bytes() / 1e6).toFixed(1);
    for (const [why, times] of lost) say(`${times} streams ended and were opened anew: ${why}`);
    say(`every proxy has its routes after ${Math.round(performance.now() - began)} ms and ${megabytes} MB`);
    return { cluster: local, fleet, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const ownNamespaceAlone: KubeObject = {
  apiVersion: "networking.istio.io/v1",
  kind: "Sidecar",
  metadata: { name: "default", namespace: "istio-system" },
  spec: { egress: [{ hosts: ["./*", "istio-system/*"] }] },
};

/** Namespaces, their service and account; a token of each account. */
async function makeNamespaces(cluster: Cluster): Promise<ReadonlyMap<string, string>> {
  const tokens = new Map<string, string>();
  await inParallel(NAMESPACES, async (index) => {
    const namespace = namespaceOf(index);
    const create = (kind: string, name: string, more: object = {}): Promise<KubeObject> =>
      cluster.create({
        apiVersion: "v1",
        kind,
        metadata: { name, ...(kind === "Namespace" ? {} : { namespace }) },
        ...more,
      });
    await create("Namespace", namespace);
    await create("ServiceAccount", "web");
    const ports = PORTS.map((port) => ({ name: `http-${port}`, port, targetPort: 8080 }));
    await create("Service", "web", { spec: { selector: { app: "web" }, ports } });
    const wish = { namespace, serviceAccount: "web", audiences: ["istio-ca"] };
    tokens.set(namespace, await cluster.createToken(wish));
  });
  return tokens;
}

async function makePod(cluster: Cluster, index: number): Promise<void> {
  const [name, namespace] = [`web-${index}`, namespaceOf(index)];
  const podIP = `10.200.${index >> 8}.${index & 255}`;
  const annotations = { "sidecar.istio.io/status": "{}" };
  await cluster.create({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels: { app: "web" }, annotations },
    spec: { serviceAccountName: "web", nodeName: NODE, containers: [{ name: "app", image: "x" }] },
  });
  const conditions = [{ type: "Ready", status: "True" }];
  const status = { phase: "Running", podIP, podIPs: [{ ip: podIP }], conditions };
  await cluster.mergePatch({ apiVersion: "v1", kind: "Pod", namespace, name }, { status }, { subresource: "status" });
}

async function controlPlaneAt(
  cluster: Cluster,
): Promise<{ hosts: readonly string[]; port: number; roots: string; serverName: string }> {
  const pods = await cluster.list(
    { apiVersion: "v1", kind: "Pod" },
    { namespace: "istio-system", labelSelector: "app=istiod", fieldSelector: "status.phase=Running" },
  );
  const hosts = pods.flatMap(({ status }) => (status as { podIP?: string } | undefined)?.podIP ?? []);
  const map = await cluster.get({
    apiVersion: "v1",
    kind: "ConfigMap",
    namespace: "istio-system",
    name: "istio-ca-root-cert",
  });
  const roots = (map?.["data"] as Record<string, string> | undefined)?.["root-cert.pem"];
  if (hosts.length === 0 || roots === undefined) throw new Error("the control plane has no address or no roots");
  return { hosts, port: 15_012, roots, serverName: "istiod.istio-system.svc" };
}

async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await work(index);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}
