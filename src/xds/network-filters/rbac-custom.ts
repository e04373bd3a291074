import { typed } from "../../wire/codec.ts";
import { customRules } from "../rbac/filter-rules.ts";
import type { MeshNetworkFilter } from "./types.ts";

/**
 * CUSTOM policies for connections: marks those that the external authorizer (ext-authz.ts) is asked about. An authorizer that
 * speaks HTTP cannot be asked about bytes; such policies say nothing about them, as in Istio.
 */
export const rbacCustom: MeshNetworkFilter = {
  name: "envoy.filters.network.rbac",
  speaks: "tcp",
  appliesTo: ({ security }) => {
    const custom = security?.authorization?.custom;
    return custom?.enforced !== undefined && custom.provider?.http === undefined;
  },
  filter: ({ security }) => {
    const custom = security?.authorization?.custom;
    return {
      name: "envoy.filters.network.rbac",
      typed_config: typed("envoy.extensions.filters.network.rbac.v3.RBAC", {
        stat_prefix: "tcp.",
        ...(custom && customRules(custom, "tcp")),
      }),
    };
  },
};
