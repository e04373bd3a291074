import type { Cluster } from "../../ir/cluster.ts";
import type { EnvoyCluster, XdsOptions } from "../types.ts";
import { buffer } from "./buffer.ts";
import { connections } from "./connections.ts";
import { discovery } from "./discovery.ts";
import { httpOptions } from "./http-options.ts";
import { loadBalancer } from "./load-balancer.ts";
import { metadata } from "./metadata.ts";
import { outlierDetection } from "./outlier-detection.ts";
import { transport } from "./transport.ts";
import type { ClusterFeature } from "./types.ts";

/** What a cluster is made of; the order is of no matter, since each field has one writer. */
export const CLUSTER_FEATURES: readonly ClusterFeature[] = [
  discovery,
  connections,
  buffer,
  loadBalancer,
  outlierDetection,
  httpOptions,
  transport,
  metadata,
];

export function clusterFields(cluster: Cluster, options: XdsOptions): Partial<EnvoyCluster> {
  return Object.assign({}, ...CLUSTER_FEATURES.map((feature) => feature.fields(cluster, options))) as EnvoyCluster;
}
