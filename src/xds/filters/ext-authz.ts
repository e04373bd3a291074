import { typed } from "../../wire/codec.ts";
import { httpAuthorizer } from "../rbac/authorizer.ts";
import { markedFor } from "../rbac/filter-rules.ts";
import type { HttpFilter } from "./types.ts";

/** CUSTOM policies: asks the external authorizer about the requests that rbac-custom.ts marked, and about no others. */
export const extAuthz: HttpFilter = {
  name: "envoy.filters.http.ext_authz",
  appliesTo: ({ security }) => {
    const custom = security?.authorization?.custom;
    return custom?.enforced !== undefined && custom.provider !== undefined;
  },
  filter: ({ security }) => {
    const custom = security?.authorization?.custom;
    return {
      name: "envoy.filters.http.ext_authz",
      typed_config: typed("envoy.extensions.filters.http.ext_authz.v3.ExtAuthz", {
        ...(custom?.provider && httpAuthorizer(custom.provider)),
        ...(custom && { filter_enabled_metadata: markedFor(custom, "envoy.filters.http.rbac") }),
      }),
    };
  },
};
