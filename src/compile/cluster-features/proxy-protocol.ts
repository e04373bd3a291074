import type { ClusterFeature } from "./types.ts";

/** `proxyProtocol`: the server is told the client's address in a header before everything else. */
export const proxyProtocol: ClusterFeature = {
  of: (_, { policy }) =>
    policy.proxyProtocol === undefined ? {} : { proxyProtocol: policy.proxyProtocol.version ?? "V1" },
};
