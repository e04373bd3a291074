import { sessionOf } from "../sessions.ts";
import type { RouteFeature } from "./types.ts";

/** The session of the first of the route's destinations that keeps one: a route has one for all of them. */
export const session: RouteFeature<"session"> = {
  key: "session",
  fields: [],
  of(model, { action, site }) {
    if (action.kind !== "forward") return undefined;
    return sessionOf(model, site, action.clusters);
  },
};
