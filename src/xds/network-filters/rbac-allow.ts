import { typed } from "../../wire/codec.ts";
import { filterRules } from "../rbac/filter-rules.ts";
import type { MeshNetworkFilter } from "./types.ts";

/** ALLOW policies for connections: where there is one, a connection that none matches is closed. */
export const rbacAllow: MeshNetworkFilter = {
  name: "envoy.filters.network.rbac",
  speaks: "tcp",
  appliesTo: ({ security }) => security?.authorization?.allow !== undefined,
  filter: ({ security }) => ({
    name: "envoy.filters.network.rbac",
    typed_config: typed("envoy.extensions.filters.network.rbac.v3.RBAC", {
      stat_prefix: "tcp.",
      ...filterRules(security?.authorization?.allow ?? {}, { action: "ALLOW", speaks: "tcp" }),
    }),
  }),
};
