import { typed } from "../../wire/codec.ts";
import { customRules } from "../rbac/filter-rules.ts";
import type { HttpFilter } from "./types.ts";

/** CUSTOM policies: marks the requests that the external authorizer (ext-authz.ts) is asked about. */
export const rbacCustom: HttpFilter = {
  name: "envoy.filters.http.rbac",
  appliesTo: ({ security }) => security?.authorization?.custom?.enforced !== undefined,
  filter: ({ security }) => {
    const custom = security?.authorization?.custom;
    return {
      name: "envoy.filters.http.rbac",
      typed_config: typed("envoy.extensions.filters.http.rbac.v3.RBAC", (custom && customRules(custom, "http")) ?? {}),
    };
  },
};
