import type { Messages } from "../wire/codec.ts";
import type { SimulatedRequest } from "./request.ts";
import { routeCheck } from "./route-match.ts";
import type { Rejected } from "./verdict.ts";
import { chooseHost } from "./virtual-host.ts";

type RouteConfiguration = Messages["envoy.config.route.v3.RouteConfiguration"];
type VirtualHost = Messages["envoy.config.route.v3.VirtualHost"];
type Route = Messages["envoy.config.route.v3.Route"];

/** The way of one request through a route table: what was chosen at each step, and what was looked at before it. */
export interface ChosenRoute {
  readonly host: VirtualHost | undefined;
  readonly domain: string | undefined;
  /** undefined: Envoy answers 404 with the flag NR. */
  readonly route: Route | undefined;
  readonly hostsRejected: readonly Rejected[];
  readonly routesRejected: readonly Rejected[];
}

/** The first route of the request's virtual host that holds, as Envoy's router takes it. */
export function chooseRoute(table: RouteConfiguration, request: SimulatedRequest): ChosenRoute {
  const { host, domain, rejected } = chooseHost(table, request);
  const routesRejected: Rejected[] = [];
  const chosen = { host, domain, hostsRejected: rejected, routesRejected };
  for (const [index, route] of (host?.routes ?? []).entries()) {
    const miss = routeCheck(route.match ?? {}, request);
    if (miss === undefined) return { ...chosen, route };
    routesRejected.push({ name: route.name ?? `#${index}`, miss });
  }
  return { ...chosen, route: undefined };
}
