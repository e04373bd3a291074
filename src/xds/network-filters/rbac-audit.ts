import { typed } from "../../wire/codec.ts";
import { auditRules } from "../rbac/filter-rules.ts";
import type { MeshNetworkFilter } from "./types.ts";

/** AUDIT policies for connections: they are marked for access logs, none is refused. */
export const rbacAudit: MeshNetworkFilter = {
  name: "envoy.filters.network.rbac",
  speaks: "tcp",
  appliesTo: ({ security }) => security?.authorization?.audit !== undefined,
  filter: ({ security }) => ({
    name: "envoy.filters.network.rbac",
    typed_config: typed("envoy.extensions.filters.network.rbac.v3.RBAC", {
      stat_prefix: "tcp.",
      ...auditRules(security?.authorization?.audit ?? {}, "tcp"),
    }),
  }),
};
