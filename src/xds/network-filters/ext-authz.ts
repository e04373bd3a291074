import { typed } from "../../wire/codec.ts";
import { grpcAuthorizer } from "../rbac/authorizer.ts";
import { markedFor } from "../rbac/filter-rules.ts";
import type { MeshNetworkFilter } from "./types.ts";

/** CUSTOM policies for connections: asks the external authorizer (gRPC) about those that rbac-custom.ts marked. */
export const extAuthz: MeshNetworkFilter = {
  name: "envoy.filters.network.ext_authz",
  speaks: "tcp",
  appliesTo: ({ security }) => {
    const custom = security?.authorization?.custom;
    return custom?.enforced !== undefined && custom.provider !== undefined && custom.provider.http === undefined;
  },
  filter: ({ security }) => {
    const custom = security?.authorization?.custom;
    return {
      name: "envoy.filters.network.ext_authz",
      typed_config: typed("envoy.extensions.filters.network.ext_authz.v3.ExtAuthz", {
        stat_prefix: "tcp.",
        transport_api_version: "V3",
        ...(custom?.provider && { grpc_service: grpcAuthorizer(custom.provider) }),
        ...(custom?.provider?.failOpen === true ? { failure_mode_allow: true } : {}),
        ...(custom && { filter_enabled_metadata: markedFor(custom, "envoy.filters.network.rbac") }),
      }),
    };
  },
};
