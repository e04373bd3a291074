import type { RouteFeatures, TargetFeatures } from "../../ir/route-features.ts";
import type { Messages } from "../../wire/codec.ts";

export type EnvoyRoute = Messages["envoy.config.route.v3.Route"];
export type EnvoyForward = Messages["envoy.config.route.v3.RouteAction"];
export type EnvoyTarget = Messages["envoy.config.route.v3.WeightedCluster.ClusterWeight"];

/**
 * How one key of ir.RouteFeatures is said to Envoy's router: one file, one line in order.ts. No two write the same field.
 * What an HTTP filter does instead is said by its file in filters/ (`perRoute`).
 */
export interface RouteFeature {
  readonly key: keyof RouteFeatures;
  /** Fields of the route, whatever its action. */
  route?(features: RouteFeatures): Partial<EnvoyRoute>;
  /** Fields of the action of a route that forwards. */
  forward?(features: RouteFeatures): Partial<EnvoyForward>;
  /** Fields of one of several targets. */
  target?(features: TargetFeatures): Partial<EnvoyTarget>;
}
