import type { RouteFeature } from "./types.ts";

/** Statistics of the route's own, `vhost.HOST.route.PREFIX.*`. */
export const statPrefix: RouteFeature = {
  key: "statPrefix",
  route: ({ statPrefix: prefix }) => (prefix === undefined ? {} : { stat_prefix: prefix }),
};
