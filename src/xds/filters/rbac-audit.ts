import { typed } from "../../wire/codec.ts";
import { auditRules } from "../rbac/filter-rules.ts";
import type { HttpFilter } from "./types.ts";

/** AUDIT policies: matching requests are marked for access logs (`envoy.common:access_log_hint`), none is refused. */
export const rbacAudit: HttpFilter = {
  name: "envoy.filters.http.rbac",
  appliesTo: ({ security }) => security?.authorization?.audit !== undefined,
  filter: ({ security }) => ({
    name: "envoy.filters.http.rbac",
    typed_config: typed(
      "envoy.extensions.filters.http.rbac.v3.RBAC",
      auditRules(security?.authorization?.audit ?? {}, "http"),
    ),
  }),
};
