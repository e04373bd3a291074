import type { RouteFeatures } from "../../ir/route-features.ts";
import type { Protocol } from "../../ir/service.ts";
import type { TypedAny } from "../../wire/codec.ts";
import type { ChainContext, HttpFilterConfig } from "../types.ts";

/** A cluster that a route forwards to. */
export interface RouteTarget {
  readonly cluster: string;
  /** undefined: a cluster that this proxy does not have. */
  readonly protocol: Protocol | undefined;
}

/** An HTTP filter of the mesh: one file, one line in order.ts. */
export interface HttpFilter {
  /** Its name in Envoy's configuration; tools and EnvoyFilter objects know it by this name. */
  readonly name: string;
  /** The key of ir.RouteFeatures that it reads, when routes ask for it. */
  readonly key?: keyof RouteFeatures;
  appliesTo(chain: ChainContext): boolean;
  /** One, or several in their order. */
  filter(chain: ChainContext): HttpFilterConfig | readonly HttpFilterConfig[];
  /** What a route says to it (it turns the filter on where it is off by default); undefined: nothing. */
  perRoute?(features: RouteFeatures): TypedAny | undefined;
  /** What a route says to it for the sake of the cluster it forwards to; undefined: nothing. */
  perTarget?(target: RouteTarget): TypedAny | undefined;
}
