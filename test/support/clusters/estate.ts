import type { Io } from "../../../src/commands/io.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { type FakeCluster, fakeCluster } from "../fake-cluster.ts";
import { type FakeIo, fakeIo } from "../fake-io.ts";
import { answering } from "../pod-answers.ts";

// Two clusters of one mesh on networks of their own, in memory, with answers of their control planes and proxies.

const NETWORK = "topology.istio.io/network";

type Rest = Readonly<Record<string, unknown>> & { readonly metadata?: object };

function object(type: string, namespace: string, name: string, rest: Rest = {}): KubeObject {
  const [apiVersion, kind] = type.split(" ");
  const metadata = { name, ...(namespace === "" ? {} : { namespace }), ...rest.metadata };
  return { apiVersion, kind, ...rest, metadata } as KubeObject;
}

function pod(namespace: string, name: string, ip: string, labels: Readonly<Record<string, string>>): KubeObject {
  const hasProxy = labels["app"] !== "istiod";
  // a gateway's pod is its proxy
  const containers = !hasProxy ? ["discovery"] : labels["app"] === undefined ? ["istio-proxy"] : ["app", "istio-proxy"];
  return object("v1 Pod", namespace, name, {
    metadata: {
      labels: { ...labels, ...(hasProxy ? { "security.istio.io/tlsMode": "istio" } : {}) },
      annotations: hasProxy ? { "sidecar.istio.io/status": '{"revision":"default"}' } : {},
    },
    spec: { serviceAccountName: labels["app"], containers: containers.map((one) => ({ name: one })) },
    status: { phase: "Running", podIP: ip },
  });
}

function slice(name: string, ip: string): KubeObject {
  return object("discovery.k8s.io/v1 EndpointSlice", "shop", `${name}-1`, {
    metadata: { labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080 }],
    endpoints: [{ addresses: [ip], conditions: { ready: true }, targetRef: { kind: "Pod", name, namespace: "shop" } }],
  });
}

/** Name of a cluster; its pods are in 10.1 and 10.2. */
type EstateSide = "east" | "west";

/** Objects of one: a control plane, service `web` (client) or `catalog`, and a gateway for the other network. */
function estateObjects(side: EstateSide): readonly KubeObject[] {
  const [first, app] = side === "east" ? ["10.1", "web"] : ["10.2", "catalog"];
  const env = [{ name: "CLUSTER_ID", value: side }];
  const gateway = { istio: "eastwestgateway" };
  const services = ["web", "catalog"].map((name, index) =>
    object("v1 Service", "shop", name, {
      spec: {
        clusterIP: `${first}.96.${index + 1}`,
        selector: { app: name },
        ports: [{ name: "http", port: 80, targetPort: 8080 }],
      },
    }),
  );
  const gatewayPod = pod("istio-system", "eastwest-1", `${first}.0.9`, gateway);
  return [
    object("v1 Namespace", "", "istio-system", { metadata: { labels: { [NETWORK]: `net-${side}` } } }),
    object("v1 Namespace", "", "shop"),
    object("v1 Secret", "istio-system", `istio-remote-secret-${side === "east" ? "west" : "east"}`, {
      metadata: { labels: { "istio/multiCluster": "true" } },
      data: { [side === "east" ? "west" : "east"]: "" },
    }),
    object("apps/v1 Deployment", "istio-system", "istiod", {
      metadata: { labels: { app: "istiod" } },
      spec: { template: { spec: { containers: [{ name: "discovery", env }] } } },
    }),
    pod("istio-system", `istiod-${side}`, `${first}.0.2`, { app: "istiod" }),
    pod("shop", app, `${first}.0.5`, { app }),
    {
      ...gatewayPod,
      metadata: {
        ...gatewayPod.metadata,
        annotations: { ...gatewayPod.metadata.annotations, "inject.istio.io/templates": "gateway" },
      },
    },
    ...services,
    slice(app, `${first}.0.5`),
    object("v1 Service", "istio-system", "eastwest", {
      metadata: { labels: { [NETWORK]: `net-${side}` } },
      spec: { type: "LoadBalancer", selector: gateway, ports: [{ name: "tls", port: 15_443 }] },
      status: { loadBalancer: { ingress: [{ ip: side === "east" ? "203.0.113.1" : "203.0.113.2" }] } },
    }),
    object("networking.istio.io/v1 Gateway", "istio-system", "cross-network", {
      spec: {
        selector: gateway,
        servers: [
          {
            port: { number: 15_443, name: "tls", protocol: "TLS" },
            tls: { mode: "AUTO_PASSTHROUGH" },
            hosts: ["*.local"],
          },
        ],
      },
    }),
  ];
}

/** What is asked of the pods of a cluster. */
function estateAnswers(side: EstateSide): Readonly<Record<string, unknown>> {
  const name = side === "east" ? "web" : "catalog";
  const types = { cluster: { status: "SYNCED" }, listener: { status: "SYNCED" } };
  const proxy = {
    proxy: `${name}.shop`,
    cluster_id: side,
    istio_version: "0.1.0",
    connected_at: "2026-11-21T11:00:00Z",
    types,
  };
  return {
    "/debug/syncz": [proxy],
    "/debug/clusterz": [{ id: side, secretName: "", syncStatus: "synced", reachable: true }],
    "/version": "0.1.0\n",
  };
}

/** An Io whose contexts are the clusters, east the current one; ended by `close`. */
export async function estateIo(more: Partial<Pick<Io, "cwd">> = {}): Promise<{
  readonly io: () => FakeIo;
  readonly clusters: Readonly<Record<EstateSide, FakeCluster>>;
  close(): Promise<void>;
}> {
  const open = async (side: EstateSide) => {
    const answers = await answering(estateAnswers(side));
    const cluster = {
      ...fakeCluster({ name: `${side}-admin`, objects: estateObjects(side), portForward: answers.connect }),
      logs: () => Promise.resolve("a line\n"),
    };
    return { answers, cluster };
  };
  const [east, west] = [await open("east"), await open("west")];
  const byContext = new Map([
    ["east-admin", east.cluster],
    ["west-admin", west.cluster],
  ]);
  return {
    clusters: { east: east.cluster, west: west.cluster },
    io: () => {
      const own = fakeIo({ now: () => new Date("2026-11-21T12:00:00Z"), ...more });
      const cluster: Io["cluster"] = (context = "east-admin") => {
        const found = byContext.get(context);
        return found === undefined ? Promise.reject(new Error(`no context ${context}`)) : Promise.resolve(found);
      };
      return { ...own, cluster };
    },
    async close() {
      for (const { answers } of [east, west]) await answers[Symbol.asyncDispose]();
    },
  };
}
