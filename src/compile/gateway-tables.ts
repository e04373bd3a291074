import type { HttpRoute, RouteTable, VirtualHost } from "../ir/route.ts";
import { refOf } from "../resources/object.ts";
import type { CompileContext } from "./context.ts";
import { routesOfListener } from "./gateway-api/chains.ts";
import { apiHttpRoutes } from "./gateway-api/http-routes.ts";
import { siteOf } from "./gateway-chains.ts";
import { quicPort } from "./gateway-http3.ts";
import type { GatewayPlan } from "./gateways.ts";
import type { PlacedServer } from "./placed-server.ts";
import { matchesAll } from "./http-match.ts";
import { httpRoutes } from "./http-routes.ts";
import { ingressHosts, ingressRoutes } from "./ingress/routes.ts";

/** Route tables of gateways. */
export interface GatewayTables {
  names(scope: string): readonly string[];
  table(scope: string, name: string): RouteTable | undefined;
}

/** A host as it is gathered from servers and VirtualServices. */
interface Gathered {
  readonly port: number;
  readonly routes: HttpRoute[];
  /** VirtualServices already in it: two servers may both take one. */
  readonly taken: Set<unknown>;
  requireTls: boolean;
}

export function createGatewayTables(context: CompileContext, plan: GatewayPlan): GatewayTables {
  const { derivations } = context;
  return {
    names: derivations.keyed("gateway table names", (scope: string) =>
      [...new Set(plan.servers(scope).flatMap(({ table }) => table ?? []))].toSorted(),
    ),
    table: derivations.keyed("gateway table", (scope: string, name: string): RouteTable | undefined => {
      const servers = plan.servers(scope).filter(({ table }) => table === name);
      const [first] = servers;
      if (first === undefined) return undefined;
      const gathered = new Map<string, Gathered>();
      for (const server of servers) gather(context, scope, server, gathered);
      const virtualHosts = [...gathered]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([host, parts]) => hostOf(host, parts));
      const empty: VirtualHost = {
        name: `blackhole:${first.server.port.number}`,
        domains: ["*"],
        routes: [],
        requireTls: false,
      };
      const http3 = servers.find((server) => quicPort(context.model, context.scope(scope), server) !== undefined);
      return {
        name,
        portInDomains: false,
        virtualHosts: virtualHosts.length === 0 ? [empty] : virtualHosts,
        ...(http3 === undefined ? {} : { http3Port: http3.server.port.number }),
      };
    }),
  };
}

/** Adds what a server and its VirtualServices serve, the older VirtualService's routes first. */
function gather(
  { model, scope: factsOf }: CompileContext,
  scope: string,
  placed: PlacedServer,
  gathered: Map<string, Gathered>,
): void {
  const { gateway, server, api } = placed;
  const redirects = server.tls?.httpsRedirect === true;
  const at = (host: string): Gathered => {
    const known = gathered.get(host) ?? { port: server.port.number, routes: [], taken: new Set(), requireTls: false };
    gathered.set(host, known);
    if (redirects) known.requireTls = true;
    return known;
  };
  if (api !== undefined) {
    const { hostname } = api.listener;
    const routes = routesOfListener(model, api);
    for (const host of new Set([hostname, ...routes.flatMap(({ hostnames }) => hostnames)])) {
      const own = routes.filter(({ hostnames }) => hostnames.includes(host)).map(({ route }) => route);
      at(host).routes.push(...apiHttpRoutes(model, own, { ...siteOf(factsOf(scope), placed), host }));
    }
    return;
  }
  if (placed.ingress === true) {
    for (const host of ingressHosts(model, server.hosts))
      at(host).routes.push(...ingressRoutes(model, { ...siteOf(factsOf(scope), placed), host }));
    return;
  }
  if (redirects) for (const host of server.hosts) at(host.slice(host.indexOf("/") + 1));
  for (const { object, host } of model.virtualServices.ofGatewayServer(gateway, server.hosts)) {
    if (object.spec?.http === undefined) continue;
    const entry = at(host);
    if (entry.taken.has(object)) continue;
    entry.taken.add(object);
    const provenance = { from: refOf(object), path: [], lost: [] };
    entry.routes.push(...httpRoutes(model, { object, provenance }, { ...siteOf(factsOf(scope), placed), host }));
  }
}

/** Routes that take everything come last, so that no VirtualService of a host hides another's. */
function hostOf(host: string, { port, routes, requireTls }: Gathered): VirtualHost {
  const ordered = [
    ...routes.filter(({ match }) => !matchesAll(match)),
    ...routes.filter(({ match }) => matchesAll(match)),
  ];
  return { name: `${host}:${port}`, domains: [host], routes: ordered, requireTls };
}
