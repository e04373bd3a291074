import type { Messages } from "../wire/codec.ts";
import { changeHeaders, type HeaderChanges } from "./header-change.ts";
import { redirectTarget } from "./redirect.ts";
import type { SimulatedRequest } from "./request.ts";
import { rewritten } from "./rewrite.ts";
import { type ChosenRoute, chooseRoute } from "./route.ts";
import { isGrpc } from "./route-match.ts";

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

/** What a proxy does with a request, faults and policies apart. `status` is the HTTP status that the client reads. */
export type Outcome =
  | { readonly kind: "forward"; readonly targets: readonly Target[] }
  | { readonly kind: "redirect"; readonly status: number; readonly location: string }
  | { readonly kind: "direct"; readonly status: number; readonly body: string }
  /** No route: 404, flag NR. */
  | { readonly kind: "none"; readonly status: number };

export interface Walk {
  readonly chosen: ChosenRoute;
  readonly outcome: Outcome;
}

/** The way of one request through a route table, up to the clusters it may go to. Pure: what Envoy draws by chance is a share here. */
export function walkRoutes(table: RouteConfiguration, request: SimulatedRequest): Walk {
  const chosen = chooseRoute(table, request);
  const outcome = outcomeOf(table, chosen, request);
  return { chosen, outcome: isGrpc(request) ? toGrpcClient(outcome) : outcome };
}

/** What Envoy itself answers to a gRPC client is 200 with no body; the trouble stands in `grpc-status`. */
function toGrpcClient(outcome: Outcome): Outcome {
  if (outcome.kind === "forward") return outcome;
  return outcome.kind === "direct" ? { ...outcome, status: 200, body: "" } : { ...outcome, status: 200 };
}

const NO_ROUTE: Outcome = { kind: "none", status: 404 };

function outcomeOf(table: RouteConfiguration, chosen: ChosenRoute, request: SimulatedRequest): Outcome {
  const { host, route } = chosen;
  if (host === undefined) return NO_ROUTE;
  // asked before any route is looked at
  if (host.require_tls === "ALL" && request.scheme === "http")
    return { kind: "redirect", status: 301, location: `https://${request.authority}${request.path}` };
  if (route === undefined) return NO_ROUTE;
  if (route.redirect !== undefined) return { kind: "redirect", ...redirectTarget(route, route.redirect, request) };
  if (route.direct_response !== undefined) {
    const { status = 200, body } = route.direct_response;
    return { kind: "direct", status, body: body?.inline_string ?? "" };
  }
  if (route.route === undefined) return NO_ROUTE;
  const levels = [route, host, table];
  const inOrder = table.most_specific_header_mutations_wins === true ? levels.toReversed() : levels;
  return { kind: "forward", targets: targetsOf(route, route.route, { request, levels: inOrder }) };
}

interface Leaving {
  readonly request: SimulatedRequest;
  /** Levels of header changes in the order in which they are made; a weighted cluster's own come before them. */
  readonly levels: readonly HeaderChanges[];
}

function targetsOf(route: Route, action: RouteAction, leaving: Leaving): readonly Target[] {
  const weighted = action.weighted_clusters?.clusters;
  if (weighted === undefined)
    return [{ cluster: action.cluster ?? "", share: 1, request: leave(route, action, leaving) }];
  const total = weighted.reduce((sum, { weight = 0 }) => sum + weight, 0);
  return weighted
    .filter(({ weight = 0 }) => weight > 0)
    .map((one) => {
      const own = changeHeaders(leaving.request, one);
      const authority = one.host_rewrite_literal ?? own.authority;
      const request = leave(route, action, { ...leaving, request: { ...own, authority } });
      return { cluster: one.name ?? "", share: (one.weight ?? 0) / total, request };
    });
}

function leave(route: Route, action: RouteAction, { request, levels }: Leaving): SimulatedRequest {
  return rewritten(levels.reduce(changeHeaders, request), route, action);
}
