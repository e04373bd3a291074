import { typed } from "../../wire/codec.ts";
import { filterRules } from "../rbac/filter-rules.ts";
import type { MeshNetworkFilter } from "./types.ts";

/** DENY policies for connections: one that matches is closed. */
export const rbacDeny: MeshNetworkFilter = {
  name: "envoy.filters.network.rbac",
  speaks: "tcp",
  appliesTo: ({ security }) => security?.authorization?.deny !== undefined,
  filter: ({ security }) => ({
    name: "envoy.filters.network.rbac",
    typed_config: typed("envoy.extensions.filters.network.rbac.v3.RBAC", {
      stat_prefix: "tcp.",
      ...filterRules(security?.authorization?.deny ?? {}, { action: "DENY", speaks: "tcp" }),
    }),
  }),
};
