import { compact } from "../../base/compact.ts";
import { clusterStatName } from "../stat-names.ts";
import type { ClusterFeature } from "./types.ts";

/** `outboundClusterStatName`: the name that a service's cluster has in statistics. */
export const statName: ClusterFeature = {
  of: (model, { service: { hostname: host, name, namespace }, port, subset }) =>
    compact({
      statName: clusterStatName(model, "outboundClusterStatName", {
        service: { host, name, namespace },
        port: port.number,
        portName: port.name,
        targetPort: 0,
        subset,
      }),
    }),
};
