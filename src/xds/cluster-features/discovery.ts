import type { Cluster } from "../../ir/cluster.ts";
import { typed } from "../../wire/codec.ts";
import { buildEndpoints } from "../endpoints.ts";
import { DNS_CACHE } from "../dns-cache.ts";
import { seconds } from "../duration.ts";
import type { EnvoyCluster, XdsOptions } from "../types.ts";
import type { ClusterFeature } from "./types.ts";

/** How Envoy finds the endpoints. */
export const discovery: ClusterFeature = { fields: source };

function source(cluster: Cluster, options: XdsOptions): Partial<EnvoyCluster> {
  const assignment = { load_assignment: buildEndpoints({ clusterName: cluster.name, endpoints: cluster.endpoints }) };
  switch (cluster.discovery) {
    case "eds":
      return {
        type: "EDS",
        eds_cluster_config: {
          service_name: cluster.name,
          eds_config: { ads: {}, resource_api_version: "V3", initial_fetch_timeout: "0s" },
        },
      };
    case "original-dst":
      return {
        type: "ORIGINAL_DST",
        ...(cluster.originalPort === undefined
          ? {}
          : { original_dst_lb_config: { upstream_port_override: cluster.originalPort } }),
      };
    case "strict-dns":
      return { ...byDns(false, options), ...assignment };
    case "logical-dns":
      return { ...byDns(true, options), ...assignment };
    case "dynamic-dns":
      return {
        cluster_type: {
          name: "envoy.clusters.dynamic_forward_proxy",
          typed_config: typed("envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig", {
            dns_cache_config: DNS_CACHE,
            // Envoy asks for this where it cannot see that TLS names the host by itself: bytes, and plaintext
            allow_insecure_cluster_options: true,
          }),
        },
      };
    case "static":
    case "none":
      return cluster.endpoints.length === 0 ? { type: "STATIC" } : { type: "STATIC", ...assignment };
  }
}

/** Endpoints by DNS: each address one of them, or (logical) all of them one endpoint, for names with changing answers. */
function byDns(logical: boolean, { dnsRefreshMs = 60_000 }: XdsOptions): EnvoyCluster {
  return {
    cluster_type: {
      name: "envoy.cluster.dns",
      typed_config: typed("envoy.extensions.clusters.dns.v3.DnsCluster", {
        dns_refresh_rate: seconds(dnsRefreshMs),
        respect_dns_ttl: true,
        dns_lookup_family: "V4_PREFERRED",
        all_addresses_in_single_endpoint: logical,
      }),
    },
  };
}
