import type { ClusterFeature } from "./types.ts";

/** The most that a connection to an endpoint may hold in memory, where the proxy's own configuration says it. */
export const buffer: ClusterFeature = {
  fields(_cluster, { proxy }) {
    const bytes = proxy?.connections?.clusterBuffer;
    return bytes === undefined ? {} : { per_connection_buffer_limit_bytes: bytes };
  },
};
