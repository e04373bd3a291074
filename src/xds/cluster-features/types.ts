import type { Cluster } from "../../ir/cluster.ts";
import type { EnvoyCluster, XdsOptions } from "../types.ts";

/** A part of ir.Cluster said to Envoy: one file, one line in order.ts. No two write the same field. */
export interface ClusterFeature {
  fields(cluster: Cluster, options: XdsOptions): Partial<EnvoyCluster>;
}
