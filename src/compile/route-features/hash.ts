import { hashKeysOf } from "../hash-keys.ts";
import type { RouteFeature } from "./types.ts";

/** What the DestinationRules of the route's destinations hash by; a route has one list for all of them. */
export const hash: RouteFeature<"hash"> = {
  key: "hash",
  fields: [],
  of(model, { action, site }) {
    if (action.kind !== "forward") return undefined;
    return hashKeysOf(
      model,
      site,
      action.clusters.map(({ cluster }) => cluster),
    );
  },
};
