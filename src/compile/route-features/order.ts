import type { Provenance } from "../../ir/provenance.ts";
import type { RouteFeatures } from "../../ir/route-features.ts";
import type { HttpRoute } from "../../ir/route.ts";
import type { Model } from "../../model/model.ts";
import { cors } from "./cors.ts";
import { fault } from "./fault.ts";
import { hash } from "./hash.ts";
import { headers } from "./headers.ts";
import { mirrors } from "./mirrors.ts";
import { retries } from "./retries.ts";
import { rewrite } from "./rewrite.ts";
import { session } from "./session.ts";
import { statPrefix } from "./stat-prefix.ts";
import { timeoutMs } from "./timeout-ms.ts";
import type { RouteFeature, RuleSource } from "./types.ts";

/** What a VirtualService's rule may ask for, in the order in which it is made. */
export const ROUTE_FEATURES: readonly RouteFeature[] = [
  timeoutMs,
  hash, // before retries: a hashed request must not be kept away from its endpoint
  retries,
  rewrite,
  headers,
  cors,
  fault,
  mirrors,
  session,
  statPrefix,
];

/** All features of one route, and where each comes from. */
export function routeFeatures(model: Model, source: RuleSource): Pick<HttpRoute, "features" | "origins"> {
  const features: Partial<Record<keyof RouteFeatures, unknown>> = {};
  const origins: Partial<Record<keyof RouteFeatures, Provenance>> = {};
  for (const feature of ROUTE_FEATURES) {
    const value = feature.of(model, source, features as RouteFeatures);
    if (value === undefined) continue;
    features[feature.key] = value;
    const field = feature.fields.find((name) => source.rule[name] !== undefined);
    if (field !== undefined) origins[feature.key] = source.origin(field);
  }
  return { features: features as RouteFeatures, ...(Object.keys(origins).length === 0 ? {} : { origins }) };
}
