import type { RouteFeatures, TargetFeatures } from "../../ir/route-features.ts";
import { hash } from "./hash.ts";
import { headers } from "./headers.ts";
import { mirrors } from "./mirrors.ts";
import { retries } from "./retries.ts";
import { rewrite } from "./rewrite.ts";
import { statPrefix } from "./stat-prefix.ts";
import { timeoutMs } from "./timeout-ms.ts";
import type { EnvoyForward, EnvoyRoute, EnvoyTarget, RouteFeature } from "./types.ts";

/** What Envoy's router does for a route. The order decides only who wins the one field that two may write. */
export const ROUTE_FEATURES: readonly RouteFeature[] = [
  timeoutMs,
  retries,
  rewrite,
  headers, // after rewrite: a Host header that is set is meant more than a rewritten authority
  mirrors,
  hash,
  statPrefix,
];

export function routeFields(features: RouteFeatures): Partial<EnvoyRoute> {
  return Object.assign({}, ...ROUTE_FEATURES.map((feature) => feature.route?.(features))) as Partial<EnvoyRoute>;
}

export function forwardFields(features: RouteFeatures): Partial<EnvoyForward> {
  return Object.assign({}, ...ROUTE_FEATURES.map((feature) => feature.forward?.(features))) as Partial<EnvoyForward>;
}

export function targetFields(features: TargetFeatures = {}): Partial<EnvoyTarget> {
  return Object.assign({}, ...ROUTE_FEATURES.map((feature) => feature.target?.(features))) as Partial<EnvoyTarget>;
}
