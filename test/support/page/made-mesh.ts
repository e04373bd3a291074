import type { Finding, Mesh, Observed, Proxy, Service, TypeState } from "../../../src/page/data.ts";

/** What the page asks, with data in place of answers. */
export type MadeMesh = { readonly [K in keyof Mesh]: Extract<Mesh[K], { data: unknown }>["data"] };

const NOW = Date.now();
const DAY_MS = 86_400_000;
const iso = (days: number): string => new Date(NOW + days * DAY_MS).toISOString();

/** A control plane to which nothing is connected. */
export function emptyMesh(): MadeMesh {
  return {
    proxies: [],
    findings: { findings: [] },
    authority: {
      trustDomain: "cluster.local",
      signs: true,
      certificates: [
        {
          role: "root, signing",
          subject: "O=cluster.local",
          serial: "5A7CB473A0D9F10881B85345292391A1",
          fingerprint: "7d".repeat(32),
          notBefore: iso(-1),
          notAfter: iso(3650),
        },
      ],
    },
    about: {
      version: "0.1.0",
      instance: "istiod-1",
      revision: "default",
      namespace: "istio-system",
      cluster: "Kubernetes",
      node: "v20",
      startedAt: iso(-0.01),
      memoryBytes: 130_000_000,
      ports: { http: 8080, secureGrpc: 15_012 },
    },
    scopes: [{ scope_name: "ads", log_level: "info", description: "Streams of proxies" }],
    services: [],
    observed: { nodes: [], edges: [] },
    lost: [],
  };
}

const SYNCED: TypeState = { status: "SYNCED" };

/** A proxy that holds what it should, but for these types. */
export function madeProxy(proxy: string, types: Proxy["types"] = {}): Proxy {
  return {
    proxy,
    proxy_type: "sidecar",
    cluster_id: "Kubernetes",
    istio_version: "0.1.0",
    connected_at: iso(-0.1),
    certificate_expires: iso(0.9),
    types: { cluster: SYNCED, listener: SYNCED, endpoint: SYNCED, route: SYNCED, ...types },
  };
}

/** A mesh of so many services with a proxy each, in namespaces of ten, which call in layers; every seventh call is plain, every eleventh fails. */
export function largeMesh(services: number): MadeMesh {
  const all = Array.from({ length: services }, (_, index) => ({
    namespace: `team-${Math.floor(index / 10)}`,
    name: `service-${index}`,
  }));
  const id = (index: number): string => `${all[index]?.namespace ?? ""}/${all[index]?.name ?? ""}-v1`;
  const nodes = all.map(({ namespace, name }, index) => ({ id: id(index), name: `${name}-v1`, namespace }));
  const edges = all.flatMap((_, index) =>
    [2 * index + 1, 2 * index + 2, index + 17]
      .filter((to) => to < services)
      .map((to) => ({
        from: id(index),
        to: id(to),
        service: `${all[to]?.name ?? ""}.${all[to]?.namespace ?? ""}.svc.cluster.local`,
        protocol: "http",
        security: (index + to) % 7 === 0 ? "none" : "mutual_tls",
        requests: 10,
        rps: 2.5,
        success: (index + to) % 11 === 0 ? 0.91 : 1,
        p99: 12,
      })),
  );
  return {
    ...emptyMesh(),
    proxies: all.map(({ namespace, name }) => madeProxy(`${name}-v1-5f6d-abcde.${namespace}`)),
    findings: { findings: madeFindings(48) },
    services: all.map(
      ({ namespace, name }): Service => ({
        hostname: `${name}.${namespace}.svc.cluster.local`,
        Attributes: { Namespace: namespace },
        ports: [{ name: "http", port: 80, protocol: "HTTP" }],
        MeshExternal: false,
      }),
    ),
    observed: { nodes, edges },
  };
}

/** Findings of every level, as many as asked for. */
export function madeFindings(count: number): readonly Finding[] {
  return Array.from({ length: count }, (_, index) => ({
    code: `IST01${String(index % 60).padStart(2, "0")}`,
    level: (["Error", "Warning", "Info"] as const)[index % 3] ?? "Info",
    object: { kind: "VirtualService", namespace: `team-${index % 7}`, name: `route-of-service-${index}` },
    message: `Referenced host not found: "service-${index}.team-${index % 7}.svc.cluster.local"`,
    hint: "Name a host of a Service or a ServiceEntry that its namespace can see.",
    documentationUrl: "https://istio.io/latest/docs/reference/config/analysis/ist0101/",
  }));
}

/** Names as long as Kubernetes lets them be, a proxy that refused configuration with a long word of Envoy, and one that is behind. */
export function awkwardMesh(): MadeMesh {
  const long = "a-service-whose-name-is-as-long-as-a-label-of-kubernetes-can-be";
  const namespace = "a-namespace-whose-name-is-as-long-as-a-label-of-kubernetes-it-is";
  const refused =
    "Error adding/updating listener(s) 0.0.0.0_15006: Didn't find a registered implementation for 'envoy.filters.http.none' with type URL: 'example.com/envoy.extensions.filters.http.none.v3.None'";
  const nodes = [
    { id: `${namespace}/${long}-v1`, name: `${long}-v1`, namespace },
    { id: "shop/a", name: "a", namespace: "shop" },
    { id: "unknown", name: "unknown" },
  ];
  const observed: Observed = {
    nodes,
    edges: [
      {
        from: "shop/a",
        to: `${namespace}/${long}-v1`,
        service: `${long}.${namespace}.svc.cluster.local`,
        protocol: "http",
        security: "none",
        requests: 3,
        success: 0.5,
      },
      { from: "unknown", to: "shop/a", service: "a.shop.svc.cluster.local", protocol: "tcp", security: "unknown" },
    ],
  };
  return {
    ...emptyMesh(),
    proxies: [
      madeProxy(`${long}-v1-5f6d7c8b9-abcde.${namespace}`, {
        listener: { status: "NACK", lastError: refused, pendingCount: 1 },
      }),
      madeProxy("behind-v1-5f6d-abcde.shop", { route: { status: "STALE", pendingCount: 4 } }),
      { ...madeProxy("late-v1-5f6d-abcde.shop"), certificate_expires: iso(-0.01) },
    ],
    findings: {
      findings: [
        ...madeFindings(2),
        {
          code: "IST0106",
          level: "Error",
          object: { kind: "AuthorizationPolicy", namespace, name: long },
          message: `Schema validation error: ${"spec.rules[0].from[0].source.principals".repeat(6)}`,
        },
      ],
    },
    observed,
    lost: [{ name: "dead-v1-5f6d-abcde", namespace: "shop" }],
  };
}
