import { headerChanges } from "../header-changes.ts";
import type { RouteFeature } from "./types.ts";

/** `headers` of the rule; those of a destination stand with the destination. */
export const headers: RouteFeature<"headers"> = {
  key: "headers",
  fields: ["headers"],
  of: (_, { rule }) => headerChanges(rule.headers),
};
