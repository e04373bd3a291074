import fc from "fast-check";
import { expect, test } from "vitest";
import { createMesh } from "../../src/compile/mesh.ts";
import type { Pod } from "../../src/resources/core.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { createWorldStore, worldOf } from "../../src/resources/world-store.ts";
import { proxyAt, wholeIr } from "../support/ir-case.ts";

type Loose = Record<string, unknown>;

function object(apiVersion: string, kind: string, name: string, rest: Loose): KubeObject {
  const { metadata, ...fields } = rest as { metadata?: Loose };
  return { apiVersion, kind, metadata: { name, namespace: "shop", ...metadata }, ...fields } as KubeObject;
}

const istio = (kind: string, name: string, spec: Loose, metadata: Loose = {}): KubeObject =>
  object(`${kind === "PeerAuthentication" ? "security" : "networking"}.istio.io/v1`, kind, name, { spec, metadata });
const service = (name: string, spec: Loose, metadata: Loose = {}): KubeObject =>
  object("v1", "Service", name, { spec, metadata });
const pod = (name: string, labels: Loose, podIP: string): KubeObject =>
  object("v1", "Pod", name, {
    metadata: { labels },
    spec: {
      serviceAccountName: `${name}-sa`,
      containers: [{ name: "app", ports: [{ name: "web", containerPort: 8080 }] }],
    },
    status: { podIP },
  });
const slice = (of: string, port: Loose, addresses: readonly string[]): KubeObject =>
  object("discovery.k8s.io/v1", "EndpointSlice", `${of}-1`, {
    metadata: { labels: { "kubernetes.io/service-name": of } },
    ports: [port],
    endpoints: addresses.map((address) => ({ addresses: [address] })),
  });
const to = (host: string, subset?: string, weight?: number): Loose => ({
  destination: { host, ...(subset && { subset }) },
  weight,
});

/** Variants of a few objects: a change picks one, so names meet each other in different shapes. */
const POOL: readonly KubeObject[] = [
  service("a", {
    clusterIP: "10.96.1.1",
    selector: { app: "a" },
    ports: [{ name: "http", port: 80, targetPort: "web" }],
  }),
  service("a", { clusterIP: "10.96.1.1", selector: { app: "b" }, ports: [{ name: "tcp", port: 80 }, { port: 90 }] }),
  service(
    "a",
    { clusterIP: "10.96.1.1", ports: [{ name: "http", port: 80 }] },
    { annotations: { "networking.istio.io/exportTo": "~" } },
  ),
  service("b", { clusterIP: "None", selector: { app: "b" }, ports: [{ name: "tcp", port: 80 }] }),
  service("b", {
    clusterIP: "10.96.1.2",
    ports: [
      { name: "https", port: 443 },
      { name: "grpc", port: 80 },
    ],
  }),
  service("gw", {
    clusterIP: "10.96.1.3",
    selector: { istio: "gw" },
    ports: [{ name: "http", port: 80, targetPort: 8080 }],
  }),
  pod("a-1", { app: "a", "security.istio.io/tlsMode": "istio" }, "10.244.0.1"),
  pod("a-1", { app: "a", tier: "front" }, "10.244.0.1"),
  pod("b-1", { app: "b", v: "1", "security.istio.io/tlsMode": "istio" }, "10.244.0.2"),
  slice("a", { name: "http", port: 8080 }, ["10.244.0.1"]),
  slice("a", { name: "http", port: 8080 }, ["10.244.0.1", "10.244.0.2"]),
  slice("b", { name: "tcp", port: 80 }, ["10.244.0.2", "10.244.0.9"]),
  istio(
    "VirtualService",
    "v1",
    { hosts: ["a"], http: [{ route: [to("a", "s", 90), to("b", undefined, 10)] }] },
    { creationTimestamp: "2026-01-02T00:00:00Z" },
  ),
  istio("VirtualService", "v1", {
    hosts: ["*.shop.svc.cluster.local"],
    http: [{ match: [{ sourceLabels: { tier: "front" } }], route: [to("b")] }],
  }),
  istio(
    "VirtualService",
    "v2",
    { hosts: ["a", "x.test"], gateways: ["mesh", "gw"], http: [{ timeout: "1s", route: [to("a")] }] },
    { creationTimestamp: "2026-01-01T00:00:00Z" },
  ),
  istio("VirtualService", "v2", { hosts: ["a"], tcp: [{ route: [to("b")] }] }),
  istio("VirtualService", "v1", {
    hosts: ["a"],
    http: [
      {
        match: [{ uri: { prefix: "/d" } }],
        delegate: { name: "part" },
        headers: { request: { set: { x: "1" } } },
        mirror: { host: "b" },
      },
      { fault: { abort: { httpStatus: 500, percentage: { value: 1 } } }, route: [to("a", "s")] },
    ],
  }),
  istio("VirtualService", "part", {
    http: [{ match: [{ uri: { prefix: "/d/1" }, sourceLabels: { tier: "front" } }], route: [to("b")] }],
  }),
  istio("VirtualService", "part", { exportTo: ["~"], http: [{ timeout: "2s", route: [to("a")] }] }),
  istio("VirtualService", "v2", {
    hosts: ["y.test", "a"],
    tls: [{ match: [{ sniHosts: ["y.test"], port: 443 }], route: [to("b")] }],
    tcp: [{ match: [{ destinationSubnets: ["10.0.0.0/8"] }], route: [to("b")] }],
  }),
  istio("DestinationRule", "d1", {
    host: "a",
    trafficPolicy: {
      loadBalancer: { consistentHash: { useSourceIp: true }, localityLbSetting: { failoverPriority: ["tier"] } },
      outlierDetection: {},
      connectionPool: { tcp: { idleTimeout: "1m" }, http: { h2UpgradePolicy: "UPGRADE" } },
    },
  }),
  istio("DestinationRule", "d2", {
    host: "*.shop.svc.cluster.local",
    trafficPolicy: {
      loadBalancer: { localityLbSetting: { distribute: [{ from: "*", to: { "east/*": 90, "west/*": 10 } }] } },
    },
  }),
  pod("a-1", { app: "a", "istio-locality": "west.a" }, "10.244.0.1"),
  pod("b-1", { app: "b", v: "1", "istio-locality": "east.b" }, "10.244.0.2"),
  istio("DestinationRule", "d1", { host: "a", subsets: [{ name: "s", labels: { v: "1" } }] }),
  istio("DestinationRule", "d1", {
    host: "a",
    workloadSelector: { matchLabels: { tier: "front" } },
    trafficPolicy: { tls: { mode: "DISABLE" } },
  }),
  istio("DestinationRule", "d2", { host: "*.local", trafficPolicy: { loadBalancer: { simple: "RANDOM" } } }),
  istio("PeerAuthentication", "p", { mtls: { mode: "STRICT" } }, { namespace: "istio-system" }),
  istio("PeerAuthentication", "p", {
    selector: { matchLabels: { app: "a" } },
    portLevelMtls: { "8080": { mode: "DISABLE" } },
  }),
  istio("ServiceEntry", "e", {
    hosts: ["x.test"],
    resolution: "DNS",
    ports: [{ number: 80, name: "http", protocol: "HTTP" }],
  }),
  istio("ServiceEntry", "e", {
    hosts: ["a.shop.svc.cluster.local", "y.test"],
    resolution: "STATIC",
    location: "MESH_INTERNAL",
    workloadSelector: { labels: { app: "b" } },
    ports: [{ number: 443, name: "tls", protocol: "TLS" }],
  }),
  istio("Gateway", "gw", {
    selector: { istio: "gw" },
    servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }],
  }),
  istio("Gateway", "gw", {
    selector: { istio: "gw" },
    servers: [
      {
        port: { number: 443, name: "https", protocol: "HTTPS" },
        hosts: ["x.test"],
        tls: { mode: "SIMPLE", credentialName: "c" },
      },
    ],
  }),
  object("v1", "ConfigMap", "istio", {
    metadata: { namespace: "istio-system" },
    data: { mesh: "outboundTrafficPolicy: { mode: REGISTRY_ONLY }" },
  }),
];

const BIND = { prefix: "127.3", appAddress: "127.3.0.2", httpProxyPort: 15080 };
const NODES: readonly (readonly [id: string, bind?: typeof BIND])[] = [
  ["sidecar~10.244.0.1~a-1.shop~shop.svc.cluster.local"],
  ["sidecar~127.3.0.1~b-1.shop~shop.svc.cluster.local", BIND],
  ["sidecar~10.244.0.7~c-1.other~other.svc.cluster.local"],
  ["router~10.244.0.8~gw-1.shop~shop.svc.cluster.local"],
];
const GATEWAY_POD = pod("gw-1", { istio: "gw" }, "10.244.0.8") as Pod;

/** The proxies as meshd has them: labels of the pods that stand at that time. */
function compiled(mesh: ReturnType<typeof createMesh>): unknown {
  return NODES.map(([id, bind]) => {
    const [, , workload = ""] = id.split("~");
    const [name = "", namespace = ""] = workload.split(".");
    const found = name === "gw-1" ? GATEWAY_POD : mesh.model.world.get("Pod", namespace, name);
    return wholeIr(mesh.proxyConfig({ ...proxyAt(id, found, bind), dns: { autoAddresses: true } }));
  });
}

const change = fc.record({ set: fc.boolean(), index: fc.nat(POOL.length - 1) });

test("after any sequence of changes all configurations equal those of a from-scratch run", () => {
  fc.assert(
    fc.property(fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 }), (steps) => {
      const store = createWorldStore();
      const mesh = createMesh(store);
      const current = new Map<string, KubeObject>();
      let pushed: unknown;
      const end = store.derivations.effect(() => {
        pushed = compiled(mesh);
      });
      for (const step of steps) {
        store.apply(
          step.map(({ set, index }) => ({ type: set ? ("set" as const) : ("delete" as const), object: POOL[index]! })),
        );
        for (const { set, index } of step) {
          const chosen = POOL[index]!;
          const key = `${chosen.kind} ${chosen.metadata.namespace} ${chosen.metadata.name}`;
          if (set) current.set(key, chosen);
          else current.delete(key);
        }
        const fresh = worldOf([...current.values()]);
        const release = fresh.derivations.keep();
        expect(pushed).toEqual(compiled(createMesh(fresh)));
        release();
      }
      end();
      expect(store.derivations.size()).toBe(0);
    }),
    { numRuns: 80 },
  );
});

test("the order in which objects come does not matter", () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([...POOL]), (objects) => {
      // Of two variants with one name the same must win in both orders.
      const once = new Map(
        objects.map((item) => [`${item.kind} ${item.metadata.namespace} ${item.metadata.name}`, item]),
      );
      const forward = worldOf([...once.values()]);
      const backward = worldOf([...once.values()].toReversed());
      const ends = [forward.derivations.keep(), backward.derivations.keep()];
      expect(JSON.stringify(compiled(createMesh(forward)))).toBe(JSON.stringify(compiled(createMesh(backward))));
      for (const end of ends) end();
    }),
    { numRuns: 100 },
  );
});

test("proxies of different settings share nothing, those of equal ones do", () => {
  const mesh = createMesh(worldOf(POOL));
  const proxy = (name: string) => proxyAt(`sidecar~10.0.0.1~${name}.shop~shop.svc.cluster.local`);
  const settings = (idleTimeout: number) => ({ connections: { idleTimeout } });
  const scope = (name: string, given?: object): string =>
    mesh.proxyConfig({ ...proxy(name), ...(given === undefined ? {} : { settings: given }) }).scope;
  expect(scope("one", settings(1))).toBe(scope("two", settings(1)));
  expect(new Set([scope("one"), scope("one", settings(1)), scope("one", settings(2))]).size).toBe(3);
});

test("proxies that see the same share the very objects", () => {
  const store = worldOf(POOL);
  const end = store.derivations.keep();
  const mesh = createMesh(store);
  const config = (name: string) => mesh.proxyConfig(proxyAt(`sidecar~10.0.0.1~${name}.shop~shop.svc.cluster.local`));
  const [one, two] = [config("one"), config("two")];
  expect(one.scope).toBe(two.scope);
  expect(one.outboundListeners()).toBe(two.outboundListeners());
  expect(one.routeTable("80")).toBe(two.routeTable("80"));
  const name = one.clusterNames().find((cluster) => cluster.name.startsWith("outbound|"))!.name;
  expect(one.cluster(name)).toBe(two.cluster(name));
  end();
});
