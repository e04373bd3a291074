import type { Cluster } from "../../ir/cluster.ts";
import type { Model } from "../../model/model.ts";
import { connectionPool } from "./connection-pool.ts";
import { loadBalancer } from "./load-balancer.ts";
import { locality } from "./locality.ts";
import { outlierDetection } from "./outlier-detection.ts";
import { protocol } from "./protocol.ts";
import { proxyProtocol } from "./proxy-protocol.ts";
import { sessions } from "./sessions.ts";
import { statName } from "./stat-name.ts";
import { tls } from "./tls.ts";
import type { ClusterFeature, ClusterSource } from "./types.ts";

/** What DestinationRules and the mesh's configuration say about a cluster; the order is of no matter. */
export const CLUSTER_FEATURES: readonly ClusterFeature[] = [
  protocol,
  connectionPool,
  loadBalancer,
  locality,
  outlierDetection,
  tls,
  proxyProtocol,
  sessions,
  statName,
];

export function clusterFeatures(model: Model, source: ClusterSource): Partial<Cluster> {
  return Object.assign({}, ...CLUSTER_FEATURES.map((feature) => feature.of(model, source))) as Partial<Cluster>;
}
