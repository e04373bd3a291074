import type { Messages } from "../wire/codec.ts";
import { changeHeaders, type HeaderChanges } from "./header-change.ts";
import { redirectTarget } from "./redirect.ts";
import type { SimulatedRequest } from "./request.ts";
import { rewritten } from "./rewrite.ts";
import { type ChosenRoute, chooseRoute } from "./route.ts";

type RouteConfiguration = Messages["envoy.config.route.v3.RouteConfiguration"];
type Route = Messages["envoy.config.route.v3.Route"];
type RouteAction = Messages["envoy.config.route.v3.RouteAction"];

/** One cluster that may get the request, how often, and the request as it leaves. */
export interface Target {
  readonly cluster: string;
  /** 0 to 1. */
  readonly share: number;
  readonly request: SimulatedRequest;
}

/** What a proxy does with a request, faults and policies apart. */
export type Outcome =
  | { readonly kind: "forward"; readonly targets: readonly Target[] }
  | { readonly kind: "redirect"; readonly status: number; readonly location: string }
  | { readonly kind: "direct"; readonly status: number; readonly body: string }
  /** No route: 404, flag NR. */
  | { readonly kind: "none" };

export interface Walk {
  readonly chosen: ChosenRoute;
  readonly outcome: Outcome;
}

/** The way of one request through a route table, up to the clusters it may go to. Pure: what Envoy draws by chance is a share here. */
export function walkRoutes(table: RouteConfiguration, request: SimulatedRequest): Walk {
  const chosen = chooseRoute(table, request);
  return { chosen, outcome: outcomeOf(table, chosen, request) };
}

function outcomeOf(table: RouteConfiguration, chosen: ChosenRoute, request: SimulatedRequest): Outcome {
  const { host, route } = chosen;
  if (host === undefined) return { kind: "none" };
  // asked before any route is looked at
  if (host.require_tls === "ALL" && request.scheme === "http")
    return { kind: "redirect", status: 301, location: `https://${request.authority}${request.path}` };
  if (route === undefined) return { kind: "none" };
  if (route.redirect !== undefined) return { kind: "redirect", ...redirectTarget(route, route.redirect, request) };
  if (route.direct_response !== undefined) {
    const { status = 200, body } = route.direct_response;
    return { kind: "direct", status, body: body?.inline_string ?? "" };
  }
  if (route.route === undefined) return { kind: "none" };
  const levels = [route, host, table];
  // least specific last wins, unless the table says otherwise
  return { kind: "forward", targets: targetsOf(route, route.route, { request, levels: ordered(table, levels) }) };
}

interface Leaving {
  readonly request: SimulatedRequest;
  readonly levels: { readonly all: readonly HeaderChanges[]; readonly reversed: boolean };
}

function ordered(table: RouteConfiguration, levels: readonly HeaderChanges[]): Leaving["levels"] {
  return { all: levels, reversed: table.most_specific_header_mutations_wins === true };
}

function targetsOf(route: Route, action: RouteAction, leaving: Leaving): readonly Target[] {
  const weighted = action.weighted_clusters?.clusters;
  if (weighted === undefined)
    return [{ cluster: action.cluster ?? "", share: 1, request: leave(route, action, leaving, {}) }];
  const total = weighted.reduce((sum, { weight = 0 }) => sum + weight, 0);
  return weighted
    .filter(({ weight = 0 }) => weight > 0)
    .map((one) => ({
      cluster: one.name ?? "",
      share: (one.weight ?? 0) / total,
      request: leave(route, action, leaving, one),
    }));
}

function leave(
  route: Route,
  action: RouteAction,
  { request, levels }: Leaving,
  target: HeaderChanges & { readonly host_rewrite_literal?: string },
): SimulatedRequest {
  const specificFirst = [target, ...levels.all];
  const changed = (levels.reversed ? specificFirst.toReversed() : specificFirst).reduce(changeHeaders, request);
  return rewritten(changed, route, { ...action, ...hostOf(target) });
}

function hostOf(target: { readonly host_rewrite_literal?: string }): Partial<RouteAction> {
  return target.host_rewrite_literal === undefined ? {} : { host_rewrite_literal: target.host_rewrite_literal };
}
