import { typed } from "../../wire/codec.ts";
import { filterRules } from "../rbac/filter-rules.ts";
import type { HttpFilter } from "./types.ts";

/** ALLOW policies: where there is one, a request that none matches is answered with 403. */
export const rbacAllow: HttpFilter = {
  name: "envoy.filters.http.rbac",
  appliesTo: ({ security }) => security?.authorization?.allow !== undefined,
  filter: ({ security }) => ({
    name: "envoy.filters.http.rbac",
    typed_config: typed("envoy.extensions.filters.http.rbac.v3.RBAC", {
      ...filterRules(security?.authorization?.allow ?? {}, { action: "ALLOW", speaks: "http" }),
      track_per_rule_stats: true,
    }),
  }),
};
