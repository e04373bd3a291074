import { readFileSync } from "node:fs";
import { load } from "js-yaml";
import { PEER_KEYS, type PeerLabels, peerLabel } from "../../src/base/peer.ts";
import type { Cluster } from "../../src/ir/cluster.ts";
import type { Named, ProxyConfig } from "../../src/ir/config.ts";
import type { Extension } from "../../src/ir/extension.ts";
import type { GatewayListener, Inbound, OutboundListener } from "../../src/ir/listener.ts";
import type { NameEntry } from "../../src/ir/names.ts";
import type { Proxy } from "../../src/ir/proxy.ts";
import type { TlsSecret } from "../../src/ir/secret.ts";
import type { HttpRoute, RouteTable, VirtualHost } from "../../src/ir/route.ts";
import type { Endpoint, EndpointGroup } from "../../src/ir/service.ts";
import type { XdsOptions } from "../../src/xds/types.ts";

type Loose = Readonly<Record<string, unknown>>;

/** The IR of one proxy as a case file writes it: only what matters, the rest has the defaults below. */
interface CaseFile {
  readonly options?: Loose;
  readonly proxy?: Loose;
  readonly clusters?: readonly Loose[];
  readonly endpoints?: readonly Loose[];
  readonly outbound?: readonly Loose[];
  readonly inbound?: Loose;
  readonly gateways?: readonly Loose[];
  readonly routes?: readonly Loose[];
  readonly secrets?: Readonly<Record<string, TlsSecret>>;
  readonly names?: readonly NameEntry[];
  readonly extensions?: readonly Extension[];
}

export interface XdsCase {
  readonly config: ProxyConfig;
  readonly options: XdsOptions;
}

/** Reads test/xds/testdata/in/<case>.yaml. */
export function readXdsCase(file: string): XdsCase {
  return xdsCase(load(readFileSync(file, "utf8")) as CaseFile);
}

/** A proxy's configuration from loose IR pieces. */
export function xdsCase(file: CaseFile): XdsCase {
  const clusters = (file.clusters ?? []).map(cluster);
  const endpoints = (file.endpoints ?? []).map(endpointGroup);
  const routes = (file.routes ?? []).map(table);
  const secrets = file.secrets ?? {};
  const outbound = (file.outbound ?? []).map(outboundListener);
  const gateways = (file.gateways ?? []) as unknown as readonly GatewayListener[];
  const received = file.inbound === undefined ? undefined : inbound(file.inbound);
  const named = (name: string): Named => ({ name, owner: name.startsWith("inbound|") ? "workload" : "scope" });
  return {
    options: {
      trustDomains: ["cluster.local"],
      accessLog: undefined,
      protocolDetectionTimeoutMs: 0,
      ...file.options,
    },
    config: {
      proxy: proxy(file.proxy ?? {}),
      scope: "scope",
      workload: "workload",
      clusterNames: () => clusters.map(({ name }) => named(name)).sort((a, b) => (a.name < b.name ? -1 : 1)),
      cluster: (name) => clusters.find((candidate) => candidate.name === name),
      endpoints: (name) =>
        endpoints.find((group) => group.clusterName === name) ?? { clusterName: name, endpoints: [] },
      outboundListeners: () => outbound,
      inbound: () => received,
      gatewayListeners: () => gateways,
      routeTableNames: () => routes.map(({ name }) => name),
      routeTable: (name) => routes.find((candidate) => candidate.name === name),
      secretNames: () => Object.keys(secrets),
      secret: (name) => secrets[name],
      nameTable: () => file.names,
      extensions: () => file.extensions ?? [],
    },
  };
}

/** Peer labels, the given ones and the rest unknown. */
export function peer(labels: Partial<PeerLabels>): PeerLabels {
  return Object.fromEntries(PEER_KEYS.map((key) => [key, peerLabel(key, labels[key])])) as PeerLabels;
}

function proxy(given: Loose): Proxy {
  return {
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
    peer: peer({ workload: "web", ns: "shop" }),
    ...given,
  };
}

function cluster(given: Loose): Cluster {
  return {
    name: "",
    direction: "outbound",
    discovery: "eds",
    protocol: "auto",
    sourceAddress: undefined,
    tls: undefined,
    connectionPool: {},
    outlierDetection: undefined,
    loadBalancer: { kind: "LEAST_REQUEST" },
    service: undefined,
    subset: "",
    meshExternal: false,
    provenance: undefined,
    ...given,
    endpoints: ((given["endpoints"] as Loose[] | undefined) ?? []).map(endpoint),
  };
}

function endpointGroup(given: Loose): EndpointGroup {
  const { cluster: name, endpoints, ...rest } = given;
  return { ...rest, clusterName: String(name), endpoints: (endpoints as Loose[]).map(endpoint) };
}

function endpoint(given: Loose): Endpoint {
  return {
    address: "",
    port: 0,
    labels: {},
    serviceAccount: "default",
    tlsMode: "disabled",
    weight: 1,
    locality: { region: "", zone: "", subzone: "" },
    ...given,
    peer: peer((given["peer"] as Partial<PeerLabels> | undefined) ?? {}),
  };
}

function outboundListener(given: Loose): OutboundListener {
  return {
    name: "",
    address: "0.0.0.0",
    port: 0,
    bindToPort: false,
    kind: "http",
    routeTable: undefined,
    clusters: [],
    sniChains: [],
    fallback: "PassthroughCluster",
    provenance: undefined,
    ...given,
  };
}

function inbound(given: Loose): Inbound {
  const ports = (given["ports"] as Loose[] | undefined) ?? [];
  return {
    defaultMtls: "PERMISSIVE",
    defaultMtlsFrom: undefined,
    trustDomains: ["cluster.local"],
    bindAddress: undefined,
    ...given,
    ports: ports.map((port) => ({ mtlsFrom: undefined, service: undefined, mtls: "PERMISSIVE", ...port })),
  } as unknown as Inbound;
}

function table(given: Loose): RouteTable {
  const hosts = given["hosts"] as Loose[];
  const { http3Port } = given as Partial<RouteTable>;
  return {
    name: String(given["name"]),
    portInDomains: given["portInDomains"] === true,
    virtualHosts: hosts.map(host),
    ...(http3Port === undefined ? {} : { http3Port }),
  };
}

function host(given: Loose): VirtualHost {
  return {
    name: "",
    domains: [],
    requireTls: false,
    ...given,
    routes: ((given["routes"] as Loose[] | undefined) ?? []).map(route),
  };
}

function route(given: Loose): HttpRoute {
  const match = { path: undefined, pathSeparatedPrefix: false, ignoreCase: false, headers: [], queryParams: [] };
  const action = given["action"] as Loose;
  return {
    name: "default",
    operation: "",
    provenance: undefined,
    features: {},
    ...given,
    match: { ...match, ...(given["match"] as Loose | undefined) },
    action: { kind: "forward", ...action },
  } as unknown as HttpRoute;
}
