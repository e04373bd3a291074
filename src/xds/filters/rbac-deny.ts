import { typed } from "../../wire/codec.ts";
import { filterRules } from "../rbac/filter-rules.ts";
import type { HttpFilter } from "./types.ts";

/** DENY policies: a matching request is answered with 403 and `RBAC: access denied`. */
export const rbacDeny: HttpFilter = {
  name: "envoy.filters.http.rbac",
  appliesTo: ({ security }) => security?.authorization?.deny !== undefined,
  filter: ({ security }) => ({
    name: "envoy.filters.http.rbac",
    typed_config: typed("envoy.extensions.filters.http.rbac.v3.RBAC", {
      ...filterRules(security?.authorization?.deny ?? {}, { action: "DENY", speaks: "http" }),
      track_per_rule_stats: true,
    }),
  }),
};
