import type { RouteFeature } from "./types.ts";

/** `statPrefix` of the match: statistics of the route's own. */
export const statPrefix: RouteFeature<"statPrefix"> = {
  key: "statPrefix",
  fields: ["match"],
  of: (_, { match }) => (match?.statPrefix === "" ? undefined : match?.statPrefix),
};
