import { expect, test } from "vitest";
import { createMesh } from "../../src/compile/mesh.ts";
import type { Proxy } from "../../src/ir/proxy.ts";
import { peerOf } from "../../src/model/workload.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { createWorldStore } from "../../src/resources/world-store.ts";
import { readValues } from "../../src/resources/yaml-values.ts";
import { decodeAny, encodeAny, type Messages } from "../../src/wire/codec.ts";
import { resourcesFor } from "../../src/xds/resources.ts";
import type { EnvoyCluster, EnvoyListener, EnvoyRoutes, XdsKind } from "../../src/xds/types.ts";

const MESH = `
apiVersion: v1
kind: Pod
metadata: { name: web-1, namespace: shop, labels: { app: web } }
status: { podIP: 10.244.0.5 }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { clusterIP: 10.96.1.1, selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: v1
kind: Service
metadata: { name: api, namespace: shop }
spec: { clusterIP: 10.96.1.2, ports: [{ name: http, port: 80 }, { name: tcp, port: 9000 }] }
`;

const PROXY: Proxy = {
  id: "sidecar~10.244.0.5~web-1.shop~shop.svc.cluster.local",
  type: "sidecar",
  addresses: ["10.244.0.5"],
  namespace: "shop",
  name: "web-1",
  labels: { app: "web" },
  serviceAccount: "web",
  clusterId: "Kubernetes",
  dnsDomain: "shop.svc.cluster.local",
  interception: "REDIRECT",
  bind: undefined,
  peer: peerOf({}),
  version: "1.27.3",
  metadata: { REGION: "north" },
};

/** What the proxy is served with these EnvoyFilters, as Envoy reads it, and the problems of patches. */
function served(filters: string, proxy: Proxy = PROXY) {
  const world = createWorldStore();
  const objects = readValues(`${MESH}---\n${filters}`).filter((value) => value !== null) as KubeObject[];
  world.apply(objects.map((object) => ({ type: "set", object })));
  const mesh = createMesh(world);
  const problems: string[] = [];
  const config = mesh.proxyConfig(proxy);
  const resources = resourcesFor(config, OPTIONS, (patch, problem) => problems.push(`${patch.from.name}: ${problem}`));
  return {
    problems,
    scope: config.scope,
    names: (kind: XdsKind) => resources.names(kind).map(({ name }) => name),
    has: (kind: XdsKind, name: string) => resources.resource(kind, name) !== undefined,
    of: <K extends keyof Sent>(kind: K, name: string): Sent[K] => {
      const resource = resources.resource(kind, name);
      if (resource === undefined) throw new Error(`no ${kind} ${name}`);
      const { typeUrl, bytes } = encodeAny(resource);
      return decodeAny(typeUrl, bytes) as Sent[K];
    },
  };
}

interface Sent {
  readonly cluster: EnvoyCluster;
  readonly listener: EnvoyListener;
  readonly route: EnvoyRoutes;
}

type Hcm = Messages["envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"];

const OPTIONS = { trustDomains: ["cluster.local"], accessLog: undefined, protocolDetectionTimeoutMs: 0 };

/** One EnvoyFilter with one patch. */
function filter(patch: string, rest = "", metadata = "name: one, namespace: shop"): string {
  return `apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: { ${metadata} }
spec: { ${rest === "" ? "" : `${rest}, `}configPatches: [${patch}] }
---
`;
}

function httpFilters(listener: EnvoyListener): readonly string[] {
  return managers(listener).flatMap(({ http_filters = [] }) => http_filters.map(({ name = "" }) => name));
}

function managers({ filter_chains = [], default_filter_chain: last }: EnvoyListener): readonly Hcm[] {
  const chains = [...filter_chains, ...(last === undefined ? [] : [last])];
  return chains.flatMap(({ filters = [] }) =>
    filters.flatMap(({ name, typed_config: config }) =>
      name === "envoy.filters.network.http_connection_manager" ? [config as unknown as Hcm] : [],
    ),
  );
}

const LIMIT = `{ name: own.limit, typedConfig: { "@type": "type.googleapis.com/envoy.extensions.filters.http.bandwidth_limit.v3.BandwidthLimit", statPrefix: "x" } }`;

test("an HTTP filter stands where the patch says, in chains of the role it names; a type we do not know goes as TypedStruct", () => {
  const { of, problems } = served(
    filter(
      `{ applyTo: HTTP_FILTER, match: { context: SIDECAR_INBOUND, listener: { filterChain: { filter: { name: envoy.filters.network.http_connection_manager, subFilter: { name: envoy.filters.http.router } } } } }, patch: { operation: INSERT_BEFORE, value: ${LIMIT} } }`,
    ),
  );
  expect(problems).toEqual([]);
  const names = httpFilters(of("listener", "virtualInbound"));
  expect(names.filter((name) => name === "own.limit").length).toBeGreaterThan(0);
  for (const [index, name] of names.entries())
    if (name === "own.limit") expect(names[index + 1]).toBe("envoy.filters.http.router");
  expect(httpFilters(of("listener", "0.0.0.0_80"))).not.toContain("own.limit");
  const [manager] = managers(of("listener", "virtualInbound"));
  expect(manager?.http_filters?.find(({ name }) => name === "own.limit")?.typed_config).toEqual({
    "@type": "type.googleapis.com/xds.type.v3.TypedStruct",
    type_url: "type.googleapis.com/envoy.extensions.filters.http.bandwidth_limit.v3.BandwidthLimit",
    value: { statPrefix: "x" },
  });
});

test.each([
  ["ADD", "", ["fault", "cors", "own.limit", "router"]],
  ["INSERT_FIRST", "", ["own.limit", "fault", "cors", "router"]],
  ["INSERT_AFTER", "envoy.filters.http.fault", ["fault", "own.limit", "cors", "router"]],
  ["INSERT_AFTER", "nobody", ["fault", "cors", "router"]],
  ["REPLACE", "envoy.filters.http.cors", ["fault", "own.limit", "router"]],
  ["REMOVE", "envoy.filters.http.cors", ["fault", "router"]],
])("HTTP_FILTER %s %s", (operation, neighbour, wanted) => {
  const sub = neighbour === "" ? "" : `, subFilter: { name: ${neighbour} }`;
  const { of } = served(
    filter(
      `{ applyTo: HTTP_FILTER, match: { context: SIDECAR_OUTBOUND, listener: { portNumber: 80, filterChain: { filter: { name: envoy.filters.network.http_connection_manager${sub} } } } }, patch: { operation: ${operation}, value: ${LIMIT} } }`,
    ),
  );
  const names = httpFilters(of("listener", "0.0.0.0_80")).map((name) => name.replace("envoy.filters.http.", ""));
  expect(names.filter((name) => ["fault", "cors", "router", "own.limit"].includes(name))).toEqual(wanted);
});

test("clusters: laid over by field, added, removed, by parts of their name", () => {
  const { of, has, names } = served(
    filter(
      `{ applyTo: CLUSTER, match: { context: SIDECAR_OUTBOUND, cluster: { service: api.shop.svc.cluster.local, portNumber: 80 } }, patch: { operation: MERGE, value: { connectTimeout: 3s, type: STATIC } } }`,
    ) +
      filter(
        `{ applyTo: CLUSTER, match: { context: SIDECAR_OUTBOUND }, patch: { operation: ADD, value: { name: own, type: STRICT_DNS } } }, { applyTo: CLUSTER, match: { cluster: { name: "outbound|9000||api.shop.svc.cluster.local" } }, patch: { operation: REMOVE } }`,
        "",
        "name: two, namespace: shop",
      ),
  );
  expect(of("cluster", "outbound|80||api.shop.svc.cluster.local")).toMatchObject({
    connect_timeout: "3s",
    type: "STATIC",
  });
  expect(of("cluster", "outbound|80||web.shop.svc.cluster.local").connect_timeout).toBe("10s");
  expect(has("cluster", "outbound|9000||api.shop.svc.cluster.local")).toBe(false);
  expect(names("cluster")).toContain("own");
  expect(of("cluster", "own")).toMatchObject({ name: "own", type: "STRICT_DNS" });
});

test("route tables, virtual hosts and routes", () => {
  const { of } = served(
    filter(
      [
        `{ applyTo: ROUTE_CONFIGURATION, match: { context: SIDECAR_OUTBOUND, routeConfiguration: { portNumber: 80 } }, patch: { operation: MERGE, value: { response_headers_to_remove: [x-gone] } } }`,
        `{ applyTo: VIRTUAL_HOST, match: { routeConfiguration: { vhost: { name: "api.shop.svc.cluster.local:80" } } }, patch: { operation: MERGE, value: { domains: [more.example.com] } } }`,
        `{ applyTo: VIRTUAL_HOST, match: { context: SIDECAR_OUTBOUND, routeConfiguration: { name: "80" } }, patch: { operation: ADD, value: { name: added, domains: [added.example.com] } } }`,
        `{ applyTo: HTTP_ROUTE, match: { routeConfiguration: { vhost: { name: "api.shop.svc.cluster.local:80", route: { action: ROUTE } } } }, patch: { operation: MERGE, value: { route: { timeout: 7s } } } }`,
        `{ applyTo: HTTP_ROUTE, match: { routeConfiguration: { vhost: { name: "api.shop.svc.cluster.local:80" } } }, patch: { operation: INSERT_FIRST, value: { match: { path: /gone }, direct_response: { status: 410 } } } }`,
      ].join(", "),
    ),
  );
  const table = of("route", "80");
  expect(table.response_headers_to_remove).toEqual(["x-gone"]);
  const [api, web] = ["api", "web"].map((name) =>
    table.virtual_hosts?.find((host) => host.name === `${name}.shop.svc.cluster.local:80`),
  );
  expect(api?.domains).toContain("more.example.com");
  expect(web?.domains).not.toContain("more.example.com");
  expect(api?.routes?.map((route) => route.direct_response?.status ?? route.route?.timeout)).toEqual([410, "7s"]);
  expect(web?.routes).toHaveLength(1);
  expect(table.virtual_hosts?.map(({ name }) => name)).toContain("added");
});

test("listeners, their filters, chains and network filters", () => {
  const { of, names } = served(
    filter(
      [
        `{ applyTo: LISTENER, match: { listener: { name: 10.96.1.2_9000 } }, patch: { operation: MERGE, value: { per_connection_buffer_limit_bytes: 1000 } } }`,
        `{ applyTo: NETWORK_FILTER, match: { listener: { portNumber: 9000, filterChain: { filter: { name: envoy.filters.network.tcp_proxy } } } }, patch: { operation: MERGE, value: { typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, idle_timeout: 9s } } } }`,
        `{ applyTo: FILTER_CHAIN, match: { context: SIDECAR_INBOUND, listener: { name: virtualInbound, portNumber: 8080 } }, patch: { operation: MERGE, value: { transport_socket_connect_timeout: 4s } } }`,
        `{ applyTo: LISTENER_FILTER, match: { context: SIDECAR_INBOUND, listener: { listenerFilter: envoy.filters.listener.http_inspector } }, patch: { operation: REMOVE } }`,
        `{ applyTo: LISTENER, match: { context: SIDECAR_OUTBOUND }, patch: { operation: ADD, value: { name: own, address: { pipe: { path: /x } } } } }`,
      ].join(", "),
    ),
  );
  const tcp = of("listener", "10.96.1.2_9000");
  expect(tcp.per_connection_buffer_limit_bytes).toBe(1000);
  const [proxy] = tcp.filter_chains?.[0]?.filters ?? [];
  expect(proxy?.typed_config).toMatchObject({
    idle_timeout: "9s",
    cluster: "outbound|9000||api.shop.svc.cluster.local",
  });
  const inbound = of("listener", "virtualInbound");
  expect(inbound.listener_filters?.map(({ name }) => name)).not.toContain("envoy.filters.listener.http_inspector");
  for (const chain of inbound.filter_chains ?? [])
    expect(chain.transport_socket_connect_timeout).toBe(
      chain.filter_chain_match?.destination_port === 8080 ? "4s" : undefined,
    );
  expect(names("listener")).toContain("own");
});

test("who is patched: the root namespace's everywhere, by priority; selectors, versions and metadata are asked", () => {
  const merge = (text: string): string =>
    `{ applyTo: CLUSTER, match: { cluster: { name: PassthroughCluster } }, patch: { operation: MERGE, value: { connect_timeout: ${text} } } }`;
  const timeout = (filters: string): unknown => served(filters).of("cluster", "PassthroughCluster").connect_timeout;
  const root = filter(merge("1s"), "", "name: root, namespace: istio-system");
  expect(timeout(root)).toBe("1s");
  expect(timeout(root + filter(merge("2s")))).toBe("2s");
  expect(timeout(filter(merge("1s"), "priority: 5", "name: root, namespace: istio-system") + filter(merge("2s")))).toBe(
    "1s",
  );
  expect(timeout(filter(merge("2s"), "workloadSelector: { labels: { app: other } }"))).toBe("10s");
  expect(timeout(filter(merge("2s"), "workloadSelector: { labels: { app: web } }"))).toBe("2s");
  expect(timeout(filter(merge("2s"), "", "name: elsewhere, namespace: other"))).toBe("10s");
  const asking = (proxy: string): string => filter(merge("2s").replace("match: {", `match: { proxy: { ${proxy} },`));
  expect(timeout(asking('proxyVersion: "^1[.]27.*"'))).toBe("2s");
  expect(timeout(asking('proxyVersion: "^1[.]28.*"'))).toBe("10s");
  expect(timeout(asking("metadata: { REGION: north }"))).toBe("2s");
  expect(timeout(asking("metadata: { REGION: south }"))).toBe("10s");
});

test("a patch that is no message of its kind is told and left out; others hold", () => {
  const { of, problems } = served(
    filter(
      `{ applyTo: CLUSTER, patch: { operation: MERGE, value: { connect_timeot: 1s } } }, { applyTo: CLUSTER, patch: { operation: MERGE, value: { connect_timeout: 1s } } }`,
    ),
  );
  expect(problems).toEqual(["one: .connect_timeot: unknown field of envoy.config.cluster.v3.Cluster"]);
  expect(of("cluster", "PassthroughCluster").connect_timeout).toBe("1s");
});

test("settings that an EXTENSION_CONFIG patch has are put where a filter would fetch them", () => {
  const { of } = served(
    filter(
      `{ applyTo: HTTP_FILTER, match: { context: SIDECAR_OUTBOUND }, patch: { operation: INSERT_FIRST, value: { name: own.fetched, config_discovery: { config_source: { ads: {} }, type_urls: [x] } } } }, { applyTo: EXTENSION_CONFIG, patch: { operation: ADD, value: { name: own.fetched, typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors } } } }`,
    ),
  );
  const [manager] = managers(of("listener", "0.0.0.0_80"));
  expect(manager?.http_filters?.[0]).toEqual({
    name: "own.fetched",
    typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors" },
  });
});

test("proxies without patches share one scope, whatever patches others have", () => {
  const other = { ...PROXY, labels: { app: "other" }, name: "other-1" };
  const selecting = filter(
    `{ applyTo: CLUSTER, patch: { operation: MERGE, value: { connect_timeout: 1s } } }`,
    "workloadSelector: { labels: { app: web } }",
  );
  expect(served("", PROXY).scope).toBe(served(selecting, other).scope);
  expect(served(selecting, PROXY).scope).not.toBe(served(selecting, other).scope);
});

test.each([
  ["destinationPort: 8080", true],
  ["destinationPort: 8081", false],
  ['applicationProtocols: "istio-http/1.0,istio-http/1.1,istio-h2"', true],
  ['applicationProtocols: "h3"', false],
  ["name: nobody", false],
])("a chain by { %s }", (match, holds) => {
  const { of, problems } = served(
    filter(
      `{ applyTo: HTTP_FILTER, match: { context: SIDECAR_INBOUND, listener: { filterChain: { ${match}, filter: { name: envoy.filters.network.http_connection_manager } } } }, patch: { operation: INSERT_FIRST, value: ${LIMIT} } }`,
    ),
  );
  expect(problems).toEqual([]);
  expect(httpFilters(of("listener", "virtualInbound")).includes("own.limit")).toBe(holds);
});

test("a filter of a class stands behind those of the mesh", () => {
  const policy = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: one, namespace: shop }
spec: { action: DENY, rules: [{ to: [{ operation: { methods: [PUT] } }] }] }
---
`;
  const { of } = served(
    policy +
      filter(
        `{ applyTo: HTTP_FILTER, match: { context: SIDECAR_INBOUND, listener: { filterChain: { filter: { name: envoy.filters.network.http_connection_manager } } } }, patch: { operation: ADD, filterClass: AUTHZ, value: ${LIMIT} } }`,
      ),
  );
  const names = httpFilters(of("listener", "virtualInbound"));
  const at = names.indexOf("own.limit");
  expect(names[at - 1]).toContain("rbac");
  expect(names.lastIndexOf("envoy.filters.http.router")).toBeGreaterThan(at);
});

test("targetRefs name Gateways whose pods it is for", () => {
  const target = (name: string): string =>
    filter(
      `{ applyTo: CLUSTER, match: { context: GATEWAY }, patch: { operation: REMOVE } }`,
      `targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: ${name} }]`,
    );
  const labels = { "gateway.networking.k8s.io/gateway-name": "public" };
  const gateway: Proxy = { ...PROXY, type: "router", labels };
  const names = (filters: string): number => {
    const { has } = served(filters, gateway);
    return Number(has("cluster", "BlackHoleCluster"));
  };
  expect([names(target("public")), names(target("other"))]).toEqual([0, 1]);
});
