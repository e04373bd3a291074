import type { RouteFeatures } from "../../ir/route-features.ts";
import type { TypedAny } from "../../wire/codec.ts";
import type { ChainContext, HttpFilterConfig } from "../types.ts";
import { alpn } from "./alpn.ts";
import { cors } from "./cors.ts";
import { dynamicDns } from "./dynamic-dns.ts";
import { extAuthz } from "./ext-authz.ts";
import { extensionsAuthn } from "./extensions-authn.ts";
import { extensionsAuthz } from "./extensions-authz.ts";
import { extensionsLast } from "./extensions-last.ts";
import { extensionsStats } from "./extensions-stats.ts";
import { fault } from "./fault.ts";
import { grpcStats } from "./grpc-stats.ts";
import { grpcWeb } from "./grpc-web.ts";
import { jwtAuthn } from "./jwt-authn.ts";
import { localRateLimit } from "./local-rate-limit.ts";
import { metricValues } from "./metric-values.ts";
import { rateLimit } from "./rate-limit.ts";
import { rbacAllow } from "./rbac-allow.ts";
import { rbacAudit } from "./rbac-audit.ts";
import { rbacCustom } from "./rbac-custom.ts";
import { rbacDeny } from "./rbac-deny.ts";
import { router } from "./router.ts";
import { sessions } from "./sessions.ts";
import { tap } from "./tap.ts";
import type { HttpFilter, RouteTarget } from "./types.ts";

/** The HTTP filters in the order in which a request passes them, each with the reason for its place. */
export const HTTP_FILTERS: readonly HttpFilter[] = [
  tap, // first: what others refuse is to be seen too
  metricValues, // before all that may refuse: refused requests are counted too, with their labels
  rbacCustom, // before extAuthz, which asks only about what it marked
  extAuthz, // before tokens and rules of the mesh: CUSTOM comes before DENY, and may put a token into the request
  extensionsAuthn, // before the mesh asks who calls
  jwtAuthn, // before the rules, which read its claims, and before alpn, since at gateways it chooses the route anew
  extensionsAuthz, // they see the claims of tokens, and may add what rules ask for
  rbacAudit, // before what refuses: refused requests are noted too
  rbacDeny, // before rbacAllow: DENY wins
  rbacAllow, // before fault: who may not call learns nothing of the mesh
  localRateLimit, // after the rules: refused requests take no token; before rateLimit, which costs a call
  rateLimit, // before fault: an injected abort counts as well
  extensionsStats, // only what may pass is counted
  extensionsLast, // before alpn: they may choose the route anew
  alpn, // before all that may clear the route cache: it goes by the route that was chosen
  fault, // before cors: an injected abort answers preflights too
  cors, // answers preflights itself, after every filter that may refuse
  grpcStats, // after cors, which answers what is no call; before grpcWeb: it sees what the client sends and gets
  grpcWeb, // after cors: preflights are no calls; before the router, which is to see plain gRPC
  sessions, // after all that may answer instead of the endpoint
  dynamicDns, // nothing is looked up for a request that was refused
  router, // last: it ends the chain
];

/** The HTTP filters of one chain. */
export function httpFilters(chain: ChainContext): readonly HttpFilterConfig[] {
  return HTTP_FILTERS.filter((filter) => filter.appliesTo(chain)).flatMap((filter) => filter.filter(chain));
}

/** `typed_per_filter_config` of a route for what it asks of the filters itself; undefined when it asks nothing. */
export function perRouteConfig(features: RouteFeatures): Readonly<Record<string, TypedAny>> | undefined {
  const said = HTTP_FILTERS.flatMap((filter) => {
    const config = filter.perRoute?.(features);
    return config === undefined ? [] : [[filter.name, config] as const];
  });
  return said.length === 0 ? undefined : Object.fromEntries(said);
}

/** `typed_per_filter_config` of a route or a weighted cluster that forwards to `target`; undefined when there is none. */
export function perTargetConfig(target: RouteTarget): Readonly<Record<string, TypedAny>> | undefined {
  const said = HTTP_FILTERS.flatMap((filter) => {
    const config = filter.perTarget?.(target);
    return config === undefined ? [] : [[filter.name, config] as const];
  });
  return said.length === 0 ? undefined : Object.fromEntries(said);
}
