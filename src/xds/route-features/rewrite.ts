import { compact } from "../../base/compact.ts";
import type { RouteFeature } from "./types.ts";

/** A prefix rewrite replaces what the route's prefix matched; on an exact or regex route Envoy replaces the whole path. */
export const rewrite: RouteFeature = {
  key: "rewrite",
  forward: ({ rewrite: { path, host } = {} }) =>
    compact({
      prefix_rewrite: path?.kind === "prefix" ? path.value : undefined,
      regex_rewrite:
        path?.kind === "regex" ? { pattern: { regex: path.pattern }, substitution: path.substitution } : undefined,
      host_rewrite_literal: host,
    }),
};
