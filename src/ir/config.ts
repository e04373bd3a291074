import type { Cluster } from "./cluster.ts";
import type { EnvoyPatch } from "./envoy-patch.ts";
import type { Extension } from "./extension.ts";
import type { GatewayListener, Inbound, OutboundListener } from "./listener.ts";
import type { NameEntry } from "./names.ts";
import type { Proxy } from "./proxy.ts";
import type { RouteTable } from "./route.ts";
import type { TlsSecret } from "./secret.ts";
import type { EndpointGroup } from "./service.ts";

/**
 * What one proxy is to run, as lookups by name. Outbound answers are shared by all proxies of a scope: equal `scope`, equal
 * answers, and the same object each time until a source changed. Every lookup is a derivation: read inside one it is
 * tracked, so a reader learns of exactly the changes that matter to it.
 */
export interface ProxyConfig {
  readonly proxy: Proxy;
  /** Hash of what this proxy sees and how: resources are built and encoded once per scope. */
  readonly scope: string;
  /** Hash of what its inbound side depends on (own ports, labels, policies). */
  readonly workload: string;
  /** Names in push order (sorted). `owner` says whether the resource is shared by the scope or by the workload. */
  clusterNames(): readonly Named[];
  cluster(name: string): Cluster | undefined;
  /** EDS: one group for each cluster with discovery "eds". */
  endpoints(clusterName: string): EndpointGroup | undefined;
  outboundListeners(): readonly OutboundListener[];
  inbound(): Inbound | undefined;
  gatewayListeners(): readonly GatewayListener[];
  routeTableNames(): readonly string[];
  routeTable(name: string): RouteTable | undefined;
  /** Names of the secrets that the gateway's servers use, sorted; none for a sidecar, whose agent holds its own. */
  secretNames(): readonly string[];
  secret(name: string): TlsSecret | undefined;
  /** Changes that EnvoyFilters ask for, in the order in which they are applied; part of the scope. */
  patches?(): readonly EnvoyPatch[];
  /** Modules and scripts that run in the proxy, in the order of their names; absent: none. Part of the scope. */
  extensions?(): readonly Extension[];
  /** `namespace/name` of the Secrets by which modules of its extensions are fetched. */
  pullSecrets?(): readonly string[];
  /** What the proxy's agent answers DNS queries from; undefined for a proxy that captures none. */
  nameTable(): readonly NameEntry[] | undefined;
}

export interface Named {
  readonly name: string;
  readonly owner: "scope" | "workload";
}
