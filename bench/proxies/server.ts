// The server's half of proxies.bench.ts: started by fork, obeys messages.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { silentLogger } from "../../src/base/logger.ts";
import { answerMonitoring } from "../../src/controlplane/debug.ts";
import { createKnownClusters } from "../../src/controlplane/known-clusters.ts";
import { createMetrics, type Metrics } from "../../src/controlplane/metrics.ts";
import { createState } from "../../src/controlplane/state.ts";
import { createXdsAcceptor } from "../../src/controlplane/xds-server.ts";
import type { XdsStream } from "../../src/controlplane/xds-stream.ts";
import { adsService } from "../../src/grpc/ads-server.ts";
import { startGrpcServer } from "../../src/grpc/server.ts";
import { createRoot, issueServing } from "../../src/pki/ca.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { meshObjects, NAMESPACES, namespaceOf, slice, virtualService } from "../large-mesh.ts";

export type Wish =
  | { readonly type: "start"; readonly proxies: number; readonly scoped: boolean }
  | { readonly type: "endpoints"; readonly count: number }
  | { readonly type: "weight"; readonly weight: number }
  | { readonly type: "report" };

export interface Report {
  readonly port: number;
  /** Of metrics and /debug. */
  readonly monitoring: number;
  readonly roots: string;
  readonly cpuMs: number;
  /** Resident bytes. */
  readonly memory: number;
  /** Bytes of JavaScript objects, garbage included. */
  readonly heap: number;
}

const DAY_MS = 24 * 3_600_000;
const idle = { name: "secrets", start: async () => undefined, close: async () => undefined };
const state = createState({ rootNamespace: "istio-system", domain: "cluster.local", clusterId: "Kubernetes" });
let port = 0;
let monitoring = 0;
const streams = new Set<XdsStream>();
let roots = "";

function proxyPod(index: number): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `web-${index}`, namespace: namespaceOf(index), labels: { app: "web" } },
    spec: { serviceAccountName: "web", containers: [{ name: "app" }] },
    status: { podIP: `10.200.${index >> 8}.${index & 255}` },
  };
}

function sidecar(namespace: string): KubeObject {
  const spec = { egress: [{ hosts: ["./*"] }] };
  return { apiVersion: "networking.istio.io/v1", kind: "Sidecar", metadata: { name: "default", namespace }, spec };
}

async function start(proxies: number, scoped: boolean): Promise<void> {
  const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);
  const sidecars = scoped ? numbers(NAMESPACES).map((index) => sidecar(namespaceOf(index))) : [];
  const objects = [...meshObjects(), ...numbers(proxies).map(proxyPod), ...sidecars];
  state.world.apply(objects.map((object) => ({ type: "set", object })));
  const onFault = (error: unknown): void => console.error(error);
  const metrics = createMetrics({ world: state.world, model: state.mesh.model });
  const acceptor = createXdsAcceptor({
    state,
    clusters: createKnownClusters(state.mesh.model.members, {
      cluster: { mayAccount: async () => false, reviewToken: async () => undefined },
    }),
    secrets: { ...idle, open: () => ({ want: () => true, close: () => undefined }) },
    registration: { refuse: () => undefined, connected: () => () => undefined, health: () => undefined },
    streams,
    // The token is the namespace: who a proxy is costs a review in a cluster, nothing here.
    authenticate: async ({ bearer = "" }) => ({
      identity: { trustDomain: "cluster.local", namespace: bearer, serviceAccount: "web" },
      podUid: undefined,
      podName: undefined,
      expiresAt: undefined,
      by: "token",
    }),
    notReady: () => undefined,
    metrics,
    log: { ...silentLogger, warn: onFault, error: onFault },
    instance: "bench",
    onFault,
  });
  const validity = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };
  const ca = await createRoot("cluster.local", validity);
  const serving = await issueServing(ca, { dns: ["localhost"] }, validity);
  const identity = { ...serving, clientRoots: ca.roots };
  ({ port } = await startGrpcServer({ host: "127.0.0.1", port: 0 }, identity, [adsService(acceptor, onFault)]));
  ({ roots } = ca);
  monitoring = await monitor(metrics);
}

async function monitor(metrics: Metrics): Promise<number> {
  const deps = {
    metrics,
    streams,
    authenticate: async () => undefined,
    debugNamespaces: [],
    analyse: async () => new Uint8Array(),
    registry: () => [],
    more: {},
  };
  const server = createServer((request, response) => {
    void answerMonitoring(deps, request, new URL(request.url ?? "/", "http://localhost")).then(({ status, body }) =>
      response.writeHead(status).end(body),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

async function obey(wish: Wish): Promise<void> {
  if (wish.type === "start") await start(wish.proxies, wish.scoped);
  if (wish.type === "endpoints") state.world.apply([{ type: "set", object: slice(1, wish.count) }]);
  if (wish.type === "weight") state.world.apply([{ type: "set", object: virtualService(wish.weight) }]);
  const { user, system } = process.cpuUsage();
  const { rss: memory, heapUsed: heap } = process.memoryUsage();
  const report: Report = { port, monitoring, roots, cpuMs: (user + system) / 1000, memory, heap };
  process.send?.(report);
}

process.on("message", (wish: Wish) => void obey(wish));
