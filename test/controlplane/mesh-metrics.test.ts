import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { silentLogger } from "../../src/base/logger.ts";
import { createDerivations } from "../../src/base/derive.ts";
import { countedWatch, countedWrites, toldWatch } from "../../src/controlplane/counted-cluster.ts";
import { createKeyKeeper, loggedKeys } from "../../src/controlplane/jwks.ts";
import type { MetricSources } from "../../src/controlplane/mesh-metrics.ts";
import { createMetrics, type Metrics } from "../../src/controlplane/metrics.ts";
import type { ClusterStatus } from "../../src/controlplane/remote-clusters.ts";
import type { XdsStream } from "../../src/controlplane/xds-stream.ts";
import { ClusterError } from "../../src/base/errors.ts";
import { createModel } from "../../src/model/model.ts";
import type { Cluster, WatchEvent } from "../../src/resources/cluster.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { createWorldStore } from "../../src/resources/world-store.ts";
import { waitFor } from "../support/wait.ts";

// Each gauge and counter that dashboards and alerts of Istio read: the event that it is for, and its value before and after.

const NETWORKING = "networking.istio.io/v1";

function object(kind: string, name: string, more: object, apiVersion = NETWORKING): KubeObject {
  return {
    apiVersion,
    kind,
    metadata: { name, namespace: "shop", creationTimestamp: "2026-01-01T00:00:00Z" },
    ...more,
  };
}

function service(name: string, spec: object): KubeObject {
  return object("Service", name, { spec: { clusterIP: "10.0.0.1", ...spec } }, "v1");
}

function pod(name: string, labels: object): KubeObject {
  return {
    ...object("Pod", name, { spec: { containers: [{ name: "app" }] }, status: { podIP: "10.1.0.1" } }, "v1"),
    metadata: { name, namespace: "shop", labels: labels as Record<string, string> },
  };
}

function slice(of: string, endpoint: object): KubeObject {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `${of}-x`, namespace: "shop", labels: { "kubernetes.io/service-name": of } },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080 }],
    endpoints: [{ addresses: ["10.1.0.1"], ...endpoint }],
  } as unknown as KubeObject;
}

const entry = (name: string, spec: object): KubeObject =>
  object("ServiceEntry", name, { spec: { resolution: "STATIC", ...spec } });

/** Values of a metric by its labels as text; "" without labels. */
async function valuesOf(metrics: Pick<Metrics, "text">, name: string): Promise<Readonly<Record<string, number>>> {
  const text = await metrics.text();
  const found = [...text.matchAll(new RegExp(`^${name}(\\{.*\\})? (\\S+)$`, "gm"))];
  return Object.fromEntries(found.map(([, labels = "", value]) => [labels, Number(value)]));
}

const HTTP = { name: "http", port: 80, targetPort: 8080 };
const TCP = { name: "tcp", port: 90, targetPort: 9000 };
const reviews = service("reviews", { selector: { app: "reviews" }, ports: [HTTP] });
const listening = { conditions: { ready: true }, targetRef: { kind: "Pod", name: "reviews-1" } };

/** What makes the event, and what undoes it, besides the pod and Service `reviews` with a ready endpoint. */
const GAUGES: readonly {
  readonly name: string;
  readonly event: readonly KubeObject[];
  readonly more?: Partial<MetricSources>;
  readonly value?: number;
}[] = [
  {
    name: "pilot_eds_no_instances",
    event: [service("ratings", { selector: { app: "ratings" }, ports: [HTTP, TCP] })],
    value: 2,
  },
  {
    name: "pilot_dns_cluster_without_endpoints",
    event: [
      entry("wild", {
        hosts: ["*.example.com"],
        resolution: "DNS",
        ports: [{ number: 80, name: "http", protocol: "HTTP" }],
      }),
    ],
  },
  {
    name: "pilot_duplicate_envoy_clusters",
    event: ["a", "b"].map((name) =>
      entry(name, {
        hosts: ["api.example.com"],
        ports: [{ number: 80, name: "http", protocol: "HTTP" }],
        endpoints: [{ address: "192.0.2.1" }],
      }),
    ),
  },
  {
    name: "pilot_vservice_dup_domain",
    event: ["a", "b"].map((name) =>
      object("VirtualService", name, {
        spec: { hosts: ["reviews"], http: [{ route: [{ destination: { host: "reviews" } }] }] },
      }),
    ),
  },
  {
    name: "pilot_destrule_subsets",
    event: ["a", "b"].map((name) =>
      object("DestinationRule", name, { spec: { host: "reviews", subsets: [{ name: "v1" }, { name: name }] } }),
    ),
  },
  {
    name: "pilot_conflict_outbound_listener_tcp_over_current_tcp",
    event: ["a", "b"].map((name) =>
      entry(name, {
        hosts: [`${name}.example.com`],
        addresses: ["192.0.2.9"],
        ports: [{ number: 3306, name: "tcp", protocol: "TCP" }],
        endpoints: [{ address: "192.0.2.1" }],
      }),
    ),
  },
  { name: "endpoint_no_pod", event: [slice("reviews", { ...listening, targetRef: { kind: "Pod", name: "gone" } })] },
];

test.each(GAUGES)("$name: 0 before, and what there is after", async ({ name, event, value = 1 }) => {
  const world = createWorldStore();
  world.apply(
    [reviews, pod("reviews-1", { app: "reviews" }), slice("reviews", listening)].map((one) => ({
      type: "set",
      object: one,
    })),
  );
  const metrics = createMetrics({ world, model: createModel(world) });
  expect(await valuesOf(metrics, name)).toEqual({ "": 0 });
  world.apply(event.map((one) => ({ type: "set", object: one })));
  expect(await valuesOf(metrics, name)).toEqual({ "": value });
});

test("what only some namespaces see is in nobody's way", async () => {
  const world = createWorldStore();
  const ports = [{ number: 80, name: "http", protocol: "HTTP" }];
  const hidden = (name: string, namespace: string): KubeObject => {
    const made = entry(name, {
      hosts: ["api.example.com"],
      exportTo: ["."],
      ports,
      endpoints: [{ address: "192.0.2.1" }],
    });
    return { ...made, metadata: { ...made.metadata, namespace } };
  };
  world.apply([hidden("a", "shop"), hidden("b", "other")].map((one) => ({ type: "set", object: one })));
  expect(await valuesOf(createMetrics({ world, model: createModel(world) }), "pilot_duplicate_envoy_clusters")).toEqual(
    { "": 0 },
  );
});

/** A connected sidecar of a pod, or a gateway that asked for Secrets. */
function stream(name: string, asked: readonly string[] = [], there: readonly string[] = []): XdsStream {
  return {
    proxy: `${name}.shop`,
    claim: { type: asked.length > 0 ? "router" : "sidecar", namespace: "shop", name, outside: undefined },
    snapshot: () => ({ secret: new Map(there.map((one) => [one, {}])) }),
    subscription: () => ({ names: new Set(asked) }),
  } as unknown as XdsStream;
}

test("what is counted of connected proxies", async () => {
  const world = createWorldStore();
  const other = service("reviews-tcp", { selector: { app: "reviews" }, ports: [{ ...TCP, targetPort: 8080 }] });
  const unready = slice("reviews", { ...listening, conditions: { ready: false } });
  world.apply(
    [reviews, pod("reviews-1", { app: "reviews" }), slice("reviews", listening)].map((one) => ({
      type: "set",
      object: one,
    })),
  );
  const streams = new Set([
    stream("reviews-1"),
    stream("gateway", ["kubernetes://cert", "kubernetes://there"], ["kubernetes://there"]),
  ]);
  const metrics = createMetrics({ world, model: createModel(world), streams });
  const read = async (): Promise<readonly (number | undefined)[]> => {
    const names = [
      "pilot_no_ip",
      "pilot_endpoint_not_ready",
      "pilot_conflict_inbound_listener",
      "pilot_sds_certificate_errors_total",
    ];
    const values: (number | undefined)[] = [];
    for (const name of names) values.push((await valuesOf(metrics, name))[""]);
    return values;
  };
  // the certificate counts once, however often metrics are read
  expect(await read()).toEqual([0, 0, 0, 1]);
  streams.add(stream("stranger"));
  world.apply([other, unready].map((one) => ({ type: "set", object: one })));
  expect(await read()).toEqual([1, 1, 1, 1]);
});

test("a provider whose service nobody knows", async () => {
  const world = createWorldStore();
  const telemetry = object(
    "Telemetry",
    "t",
    { spec: { tracing: [{ providers: [{ name: "spans" }] }] } },
    "telemetry.istio.io/v1",
  );
  const mesh = JSON.stringify({
    extensionProviders: [{ name: "spans", zipkin: { service: "nobody.shop.svc.cluster.local", port: 9411 } }],
  });
  world.apply([
    { type: "set", object: telemetry },
    {
      type: "set",
      object: {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "istio", namespace: "istio-system" },
        data: { mesh },
      } as KubeObject,
    },
  ]);
  const metrics = createMetrics({ world, model: createModel(world) });
  expect(await valuesOf(metrics, "provider_lookup_cluster_failures")).toEqual({ '{type="zipkin"}': 1 });
  expect(await valuesOf(metrics, "provider_lookup_cluster_failures")).toEqual({ '{type="zipkin"}': 1 });
});

test("other clusters, and one that does not answer in time", async () => {
  const status = (id: string, syncStatus: ClusterStatus["syncStatus"]): ClusterStatus =>
    ({ id, syncStatus }) as ClusterStatus;
  let remotes = [status("east", "synced"), status("west", "syncing")];
  const metrics = createMetrics({ world: { list: () => [] }, remotes: () => remotes });
  expect(await valuesOf(metrics, "istiod_managed_clusters")).toEqual({
    '{cluster_type="local"}': 1,
    '{cluster_type="remote"}': 2,
  });
  expect(await valuesOf(metrics, "remote_cluster_sync_timeouts_total")).toEqual({ "": 0 });
  remotes = [status("west", "timeout")];
  expect(await valuesOf(metrics, "istiod_remote_cluster_sync_status")).toEqual({
    '{cluster="west",status="synced"}': 0,
    '{cluster="west",status="syncing"}': 0,
    '{cluster="west",status="timeout"}': 1,
  });
  expect(await valuesOf(metrics, "remote_cluster_sync_timeouts_total")).toEqual({ "": 1 });
});

test("writing webhook configurations, watching, Secrets of other clusters", async () => {
  const metrics = createMetrics({ world: { list: () => [] } });
  let isRefused = false;
  const cluster = {
    replace: (one: KubeObject) =>
      isRefused ? Promise.reject(new ClusterError("conflict", "changed")) : Promise.resolve(one),
    watch: async (_kind: unknown, _options: unknown, onEvent: (event: WatchEvent) => void) => {
      for (const type of ["ADDED", "MODIFIED", "MODIFIED", "DELETED"] as const) onEvent({ type, object: reviews });
      onEvent({ type: "SYNCED" });
      throw new ClusterError("forbidden", "no");
    },
  } as unknown as Cluster;
  const written = countedWrites(cluster, metrics.webhookWritten);
  const [injecting, validating] = ["Mutating", "Validating"].map((kind) =>
    object(`${kind}WebhookConfiguration`, "istio", {}),
  );
  for (const one of [injecting, validating]) await written.replace(one ?? reviews);
  isRefused = true;
  for (const one of [injecting, validating]) await expect(written.replace(one ?? reviews)).rejects.toThrow("changed");
  expect(await valuesOf(metrics, "webhook_patch_attempts_total")).toEqual({ '{name="istio"}': 2 });
  expect(await valuesOf(metrics, "webhook_patch_failures_total")).toEqual({ '{name="istio",reason="conflict"}': 1 });
  expect(await valuesOf(metrics, "galley_validation_config_updates")).toEqual({ "": 1 });
  expect(await valuesOf(metrics, "galley_validation_config_update_error")).toEqual({ '{reason="conflict"}': 1 });
  const kind = { apiVersion: "v1", kind: "Secret" };
  const { signal } = new AbortController();
  const watch = countedWatch({ watch: toldWatch(cluster, metrics.remoteSecret) }, () => metrics.watchFailed("here"));
  await expect(watch(kind, {}, () => undefined, signal)).rejects.toThrow("no");
  expect(await valuesOf(metrics, "controller_sync_errors_total")).toEqual({ '{cluster="here"}': 1 });
  expect(await valuesOf(metrics, "remote_cluster_secret_events_total")).toEqual({
    '{event="add"}': 1,
    '{event="update"}': 2,
    '{event="delete"}': 1,
  });
  metrics.unreadableReview(400);
  expect(await valuesOf(metrics, "galley_validation_http_error")).toEqual({ '{status="400"}': 1 });
});

test("keys of token issuers that are fetched, and that are not", async () => {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const keys = JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "one", alg: "ES256" }] });
  const issuer = createServer((request, response) => {
    response.writeHead(request.url === "/keys" ? 200 : 404).end(keys);
  });
  await new Promise<void>((resolve) => issuer.listen(0, "127.0.0.1", resolve));
  const { port } = issuer.address() as AddressInfo;
  const world = createWorldStore();
  const metrics = createMetrics({ world });
  const settings = loggedKeys({ allowed: ["127.0.0.0/8"], blocked: [] }, silentLogger, metrics.keysFetched);
  const rule = (path: string): KubeObject =>
    object(
      "RequestAuthentication",
      `keys-${path}`,
      { spec: { jwtRules: [{ issuer: "me", jwksUri: `http://127.0.0.1:${port}/${path}` }] } },
      "security.istio.io/v1",
    );
  world.apply(["keys", "nothing"].map((path) => ({ type: "set", object: rule(path) })));
  const stop = createKeyKeeper({ ...settings, derivations: world.derivations ?? createDerivations() }).follow(world);
  const count = async (result: string): Promise<number | undefined> =>
    (await valuesOf(metrics, `pilot_jwks_resolver_network_fetch_${result}_total`))[""];
  await waitFor(async () => (await count("success")) === 1 && ((await count("fail")) ?? 0) >= 1, {
    what: "both attempts",
  });
  stop();
  issuer.close();
});
