import type { Derivations } from "../base/derive.ts";
import type { Cluster } from "../ir/cluster.ts";
import type { Named, ProxyConfig } from "../ir/config.ts";
import type { Proxy } from "../ir/proxy.ts";
import type { RouteTable } from "../ir/route.ts";
import type { Security } from "../ir/security.ts";
import type { EndpointGroup } from "../ir/service.ts";
import { createModel, type Model, type ModelOptions } from "../model/model.ts";
import { byText } from "../model/order.ts";
import type { World } from "../resources/world.ts";
import { createOutboundClusters, type OutboundClusters, SPECIAL_CLUSTERS } from "./clusters.ts";
import type { CompileContext } from "./context.ts";
import { createEnvoyPatches } from "./envoy-patches.ts";
import { createExtensionSettings } from "./extensions.ts";
import { createGatewaySecrets } from "./gateway-secrets.ts";
import { createGatewayTables } from "./gateway-tables.ts";
import { createGatewayPlan } from "./gateways.ts";
import { createInbound } from "./inbound.ts";
import { BLACK_HOLE, INBOUND_PASSTHROUGH, PASSTHROUGH } from "./names.ts";
import { createNameTable } from "./name-table.ts";
import { createOutboundListeners } from "./outbound-listeners.ts";
import { keyHash, type ScopeFacts, scopeKey, type WorkloadFacts, workloadKey } from "./scope.ts";
import { createSniClusters } from "./sni-clusters.ts";
import { createTelemetry, toldClusters } from "./telemetry/telemetry.ts";
import { createSidecarTables } from "./virtual-hosts.ts";

/**
 * World -> IR. Everything a proxy is to run is a lookup in its ProxyConfig, and every lookup a derivation: pure in World and
 * key, in memory while an effect or a `derivations.keep()` holds it, derived again only when something it read has changed.
 */
export interface Mesh {
  readonly model: Model;
  readonly derivations: Derivations;
  /**
   * Tracked: which scope a proxy belongs to follows the rules that select callers by labels, so it is asked for anew in the
   * derivation or effect that uses it. The answer itself stands for that scope from then on.
   */
  proxyConfig(proxy: Proxy): ProxyConfig;
}

/** Compiles a World. With a WorldStore's own derivations it follows its changes. */
export function createMesh(
  world: World & { readonly derivations?: Derivations },
  options: ModelOptions & { readonly model?: Model } = {},
): Mesh {
  const model = options.model ?? createModel(world, options);
  const { derivations } = model;
  const facts = {
    model,
    derivations,
    scope: derivations.keyed("scope", (key: string) => JSON.parse(key) as ScopeFacts),
    workload: derivations.keyed("workload", (key: string) => JSON.parse(key) as WorkloadFacts),
  };
  const context: CompileContext = { ...facts, telemetry: createTelemetry(facts) };
  const clusters = createOutboundClusters(context);
  const parts = {
    clusters,
    patches: createEnvoyPatches(context),
    extensions: createExtensionSettings(context),
    ...createSidecarParts(context, clusters),
    ...createRouterParts(context, clusters),
  };
  return {
    model,
    derivations,
    proxyConfig: (proxy) =>
      proxy.type === "router" ? routerConfig(model, proxy, parts) : sidecarConfig(model, proxy, parts),
  };
}

type Parts = {
  readonly clusters: OutboundClusters;
  readonly patches: ReturnType<typeof createEnvoyPatches>;
  readonly extensions: ReturnType<typeof createExtensionSettings>;
} & ReturnType<typeof createSidecarParts> &
  ReturnType<typeof createRouterParts>;

function createSidecarParts(context: CompileContext, clusters: OutboundClusters) {
  const { derivations } = context;
  const inbound = createInbound(context);
  const outboundListeners = createOutboundListeners(context);
  const sidecarClusterNames = derivations.keyed(
    "sidecar clusters",
    (scope: string, workload: string): readonly Named[] => {
      const captured = context.scope(scope).bind === null;
      const shared = [...clusters.names(scope), BLACK_HOLE, ...(captured ? [PASSTHROUGH] : [])];
      const own = inbound.clusters(workload).map(({ name }) => name);
      return [...named(shared, "scope"), ...named(captured ? [...own, INBOUND_PASSTHROUGH] : own, "workload")].toSorted(
        byName,
      );
    },
  );
  const sidecarTableNames = derivations.keyed("sidecar tables", (scope: string): readonly string[] =>
    [...new Set(outboundListeners(scope).flatMap(({ routeTable }) => routeTable ?? []))].toSorted(byText),
  );
  return {
    inbound,
    outboundListeners,
    sidecarClusterNames,
    sidecarTableNames,
    sidecarTables: createSidecarTables(context),
    nameTable: createNameTable(context),
  };
}

function createRouterParts(context: CompileContext, clusters: OutboundClusters) {
  const { derivations } = context;
  const gatewayPlan = createGatewayPlan(context);
  const gatewayTables = createGatewayTables(context, gatewayPlan);
  const sniClusters = createSniClusters(context, clusters);
  const cluster = (scope: string, name: string): Cluster | undefined =>
    clusters.cluster(scope, name) ?? sniClusters.cluster(scope, name);
  /** A gateway gets the clusters that its routes name, not all that it sees. */
  const routerClusterNames = derivations.keyed("router clusters", (scope: string): readonly Named[] => {
    const tables = gatewayTables.names(scope).map((name) => gatewayTables.table(scope, name));
    const chains = gatewayPlan.listeners(scope).flatMap((listener) => listener.chains);
    const names = [
      ...tables.flatMap(clustersOfTable),
      ...chains.flatMap(({ clusters }) => clusters.map(({ cluster }) => cluster)),
      ...gatewayPlan.listeners(scope).flatMap((listener) => askedClusters(listener.security)),
      ...toldClusters(context.telemetry.ofScope(scope)),
    ];
    // A route may name a service or subset that nobody defines: Envoy then answers 503.
    const known = [...new Set(names)].filter((name) => cluster(scope, name) !== undefined);
    return named([...known, BLACK_HOLE].toSorted(byText), "scope");
  });
  const gatewaySecrets = createGatewaySecrets(context, {
    plan: gatewayPlan,
    clusterTls: (scope) => routerClusterNames(scope).map(({ name }) => cluster(scope, name)?.tls),
  });
  return { gatewayPlan, gatewayTables, gatewaySecrets, sniClusters, routerCluster: cluster, routerClusterNames };
}

/** Clusters of the external authorizers and of the rate limit service, as far as they are asked. */
function askedClusters(security: Security | undefined): readonly string[] {
  const provider = security?.authorization?.custom?.provider;
  const counting = (security?.rateLimits ?? []).flatMap(({ global }) => global?.cluster ?? []);
  return provider === undefined ? counting : [provider.cluster, ...counting];
}

function clustersOfTable(table: RouteTable | undefined): readonly string[] {
  const routes = (table?.virtualHosts ?? []).flatMap((host) => host.routes);
  return routes.flatMap(({ action, features }) => [
    ...(action.kind === "forward" ? action.clusters.map(({ cluster }) => cluster) : []),
    ...(features.mirrors ?? []).map(({ cluster }) => cluster),
  ]);
}

function named(names: readonly string[], owner: Named["owner"]): readonly Named[] {
  return names.map((name) => ({ name, owner }));
}

function byName(a: Named, b: Named): number {
  return byText(a.name, b.name);
}

function sidecarConfig(model: Model, proxy: Proxy, parts: Parts): ProxyConfig {
  const scope = scopeKey(model, proxy);
  const workload = workloadKey(model, proxy);
  return {
    proxy,
    scope: keyHash(scope),
    workload: keyHash(workload),
    clusterNames: () => parts.sidecarClusterNames(scope, workload),
    cluster(name): Cluster | undefined {
      if (!name.startsWith("inbound|"))
        return SPECIAL_CLUSTERS[name] ?? withoutCredential(parts.clusters.cluster(scope, name));
      return parts.inbound.clusters(workload).find((cluster) => cluster.name === name);
    },
    endpoints: (name) => endpointsOf(parts, scope, name),
    outboundListeners: () => parts.outboundListeners(scope),
    inbound: () => parts.inbound.inbound(workload),
    gatewayListeners: () => [],
    routeTableNames: () => parts.sidecarTableNames(scope),
    routeTable: (name) => parts.sidecarTables.table(scope, name),
    secretNames: () => parts.gatewaySecrets.ofSidecar(scope),
    secret: (name) => parts.gatewaySecrets.secret(scope, name),
    nameTable: () => parts.nameTable(scope),
    patches: () => parts.patches(scope),
    extensions: () => parts.extensions.of(scope),
    pullSecrets: () => parts.extensions.pullSecrets(scope),
  };
}

function routerConfig(model: Model, proxy: Proxy, parts: Parts): ProxyConfig {
  const scope = scopeKey(model, proxy);
  return {
    proxy,
    scope: keyHash(scope),
    workload: keyHash(scope),
    clusterNames: () => parts.routerClusterNames(scope),
    cluster: (name) => SPECIAL_CLUSTERS[name] ?? parts.routerCluster(scope, name),
    endpoints: (name) => endpointsOf(parts, scope, name) ?? parts.sniClusters.endpoints(scope, name),
    outboundListeners: () => [],
    inbound: () => undefined,
    gatewayListeners: () => parts.gatewayPlan.listeners(scope),
    routeTableNames: () => parts.gatewayTables.names(scope),
    routeTable: (name) => parts.gatewayTables.table(scope, name),
    secretNames: () => parts.gatewaySecrets.names(scope),
    secret: (name) => parts.gatewaySecrets.secret(scope, name),
    nameTable: () => undefined,
    patches: () => parts.patches(scope),
    extensions: () => parts.extensions.of(scope),
    pullSecrets: () => parts.extensions.pullSecrets(scope),
  };
}

/**
 * A Secret that a rule for everybody names goes to gateways alone, as in Istio: a sidecar's TLS then goes by the files that the
 * rule names, and the system's roots.
 */
function withoutCredential(cluster: Cluster | undefined): Cluster | undefined {
  if (cluster?.tls?.credentialName === undefined || cluster.tls.forSelected === true) return cluster;
  const { credentialName: _, ...tls } = cluster.tls;
  return { ...cluster, tls };
}

/** Endpoints that we serve: of clusters with discovery "eds" only. */
function endpointsOf({ clusters }: Parts, scope: string, name: string): EndpointGroup | undefined {
  return clusters.cluster(scope, name)?.discovery === "eds" ? clusters.endpoints(scope, name) : undefined;
}
