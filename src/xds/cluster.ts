import type { Cluster } from "../ir/cluster.ts";
import { clusterFields } from "./cluster-features/order.ts";
import { sinceTrust } from "./trust-since.ts";
import type { EnvoyCluster, XdsOptions } from "./types.ts";

/**
 * One Envoy cluster. Every field of ir.Cluster is read by one file of cluster-features. One cluster serves HTTP/1, HTTP/2 and
 * TCP of a service port: which HTTP it speaks follows the port's protocol, which ALPN it offers is decided per request
 * (filters/alpn.ts).
 */
export function buildCluster(cluster: Cluster, options: XdsOptions): EnvoyCluster {
  const built = {
    name: cluster.name,
    // stats are named by the cluster; the mark shows where its name ends
    alt_stat_name: `${cluster.statName ?? cluster.name};`,
    ...clusterFields(cluster, options),
  };
  const isMesh = cluster.tls?.mode === "auto" || cluster.tls?.mode === "istio-mutual";
  return isMesh ? sinceTrust(built, options) : built;
}
