import type { Provenance } from "../../ir/provenance.ts";
import type { RouteAction } from "../../ir/route.ts";
import type { RouteFeatures } from "../../ir/route-features.ts";
import type { Model } from "../../model/model.ts";
import type { VirtualService } from "../../model/virtual-services.ts";
import type { HttpMatch, HttpRule } from "../http-match.ts";
import type { RouteSite } from "../route-site.ts";

/** One rule of a VirtualService where it becomes a route. */
export interface RuleSource {
  /** The object whose namespace completes the rule's host names. */
  readonly object: VirtualService;
  readonly rule: HttpRule;
  /** The entry of `match` that this route is for; undefined: the rule has none. */
  readonly match: HttpMatch | undefined;
  readonly action: RouteAction;
  readonly site: RouteSite;
  /** Where a field of the rule comes from: with delegates it may be another object than the route's. */
  readonly origin: (field: keyof HttpRule) => Provenance;
}

/** How one key of RouteFeatures is made: one file, one line in order.ts. */
export interface RouteFeature<K extends keyof RouteFeatures = keyof RouteFeatures> {
  readonly key: K;
  /** Fields of the rule that it reads. */
  readonly fields: readonly (keyof HttpRule)[];
  /** `made`: what the features before it in the list came to. Undefined: the route does not ask for it. */
  of(model: Model, source: RuleSource, made: RouteFeatures): RouteFeatures[K] | undefined;
}
