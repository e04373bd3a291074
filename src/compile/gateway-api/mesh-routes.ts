import type { SniChain } from "../../ir/listener.ts";
import type { HttpRoute, WeightedCluster } from "../../ir/route.ts";
import type { ApiRoute, RouteKind } from "../../model/gateway-api-types.ts";
import type { MeshService } from "../../ir/service.ts";
import type { Model } from "../../model/model.ts";
import type { RouteSite } from "../route-site.ts";
import { tcpFeatures } from "../tcp-features.ts";
import { backendClusters, NOWHERE, provenanceOf } from "./backends.ts";
import { apiHttpRoutes } from "./http-routes.ts";

type Called = Pick<MeshService, "from" | "namespace">;
type Site = Pick<RouteSite, "namespace" | "port">;

/** Whether any route of Gateway API is about calls to a service, whoever calls. */
export function hasMeshRoutes(model: Model, { from }: Called): boolean {
  return model.gatewayApi.ofMesh(keyOf(from)).length > 0;
}

/** Where HTTP calls of this port go; undefined when no route is about them. */
export function meshHttpRoutes(model: Model, service: Called, site: RouteSite): readonly HttpRoute[] | undefined {
  const routes = routesFor(model, service, site, ["HTTPRoute", "GRPCRoute"]);
  return routes.length === 0 ? undefined : apiHttpRoutes(model, routes, site);
}

/** Where connections to this port go, by the oldest route; undefined when none is about them. */
export function meshTcpClusters(model: Model, service: Called, site: Site): readonly WeightedCluster[] | undefined {
  const [first] = routesFor(model, service, site, ["TCPRoute"]);
  if (first === undefined) return undefined;
  const clusters = backendClusters(model, first, { index: 0, filters: [] });
  return clusters.length > 0 ? clusters : [{ cluster: NOWHERE, weight: 1, provenance: provenanceOf(first, 0) }];
}

/** TLS to this port passed on unopened by the name it asks for: a chain for each route, the older route has a name first. */
export function meshTlsChains(
  model: Model,
  service: Called,
  site: Site & Pick<RouteSite, "labels">,
): readonly SniChain[] {
  const taken = new Set<string>();
  return routesFor(model, service, site, ["TLSRoute"]).flatMap((route): readonly SniChain[] => {
    const serverNames = route.hostnames.filter((name) => !taken.has(name));
    for (const name of serverNames) taken.add(name);
    if (serverNames.length === 0) return [];
    const provenance = provenanceOf(route, 0);
    const backends = backendClusters(model, route, { index: 0, filters: [] });
    const clusters = backends.length > 0 ? backends : [{ cluster: NOWHERE, weight: 1, provenance }];
    const tcp = tcpFeatures(model, site, clusters);
    return [{ serverNames, clusters, ...(tcp === undefined ? {} : { tcp }), provenance }];
  });
}

/**
 * Routes of the service's own namespace hold for all callers; routes of the caller's namespace hold for its calls alone, and
 * instead of those.
 */
function routesFor(
  model: Model,
  { from, namespace }: Called,
  site: Site,
  kinds: readonly RouteKind[],
): readonly ApiRoute[] {
  const all = model.gatewayApi
    .ofMesh(keyOf(from))
    .filter(({ route, port }) => kinds.includes(route.kind) && (port ?? site.port) === site.port)
    .map(({ route }) => route);
  const inNamespace = (owner: string): readonly ApiRoute[] => all.filter(({ ref }) => ref.namespace === owner);
  const own = inNamespace(site.namespace);
  return own.length > 0 ? own : inNamespace(namespace);
}

function keyOf({ kind, namespace, name }: Called["from"]): string {
  return `${kind}/${namespace}/${name}`;
}
