import { compact } from "../../base/compact.ts";
import type { Cluster, LoadBalancer, Warmup } from "../../ir/cluster.ts";
import type { Messages } from "../../wire/codec.ts";
import { seconds } from "../duration.ts";
import type { EnvoyCluster } from "../types.ts";
import type { ClusterFeature } from "./types.ts";

/**
 * Which endpoint gets a request. With outlier detection the mesh's default is no panic: rather refuse than send to ejected
 * endpoints.
 */
export const loadBalancer: ClusterFeature = {
  fields: (cluster) => compact({ ...policy(cluster), common_lb_config: common(cluster) }),
};

function policy({ discovery, loadBalancer: balancer }: Cluster): Partial<EnvoyCluster> {
  if (discovery === "original-dst" || discovery === "dynamic-dns") return { lb_policy: "CLUSTER_PROVIDED" };
  return byKind(balancer);
}

function byKind(balancer: LoadBalancer): Partial<EnvoyCluster> {
  switch (balancer.kind) {
    case "PASSTHROUGH":
      return { lb_policy: "CLUSTER_PROVIDED" };
    case "RANDOM":
      return { lb_policy: "RANDOM" };
    case "ROUND_ROBIN":
      return compact({ lb_policy: "ROUND_ROBIN" as const, round_robin_lb_config: slowStart(balancer.warmup) });
    case "LEAST_REQUEST":
      return compact({ lb_policy: "LEAST_REQUEST" as const, least_request_lb_config: slowStart(balancer.warmup) });
    case "RING_HASH":
      return { lb_policy: "RING_HASH", ring_hash_lb_config: { minimum_ring_size: balancer.minimumRingSize } };
    case "MAGLEV":
      return compact({
        lb_policy: "MAGLEV" as const,
        maglev_lb_config: balancer.tableSize === undefined ? undefined : { table_size: balancer.tableSize },
      });
  }
}

type SlowStart = Messages["envoy.config.cluster.v3.Cluster.SlowStartConfig"];

function slowStart(warmup: Warmup | undefined): { readonly slow_start_config: SlowStart } | undefined {
  if (warmup === undefined) return undefined;
  return {
    slow_start_config: {
      slow_start_window: seconds(warmup.durationMs),
      aggression: { default_value: warmup.aggression, runtime_key: "" },
      min_weight_percent: { value: warmup.minimumPercent },
    },
  };
}

function common({ outlierDetection, localityWeighted, keepsSessions }: Cluster): EnvoyCluster["common_lb_config"] {
  if (outlierDetection === undefined && localityWeighted !== true && keepsSessions !== true) return undefined;
  return compact({
    healthy_panic_threshold: outlierDetection && { value: outlierDetection.minHealthPercent ?? 0 },
    override_host_status: keepsSessions === true ? SESSION_HOSTS : undefined,
    locality_weighted_lb_config: localityWeighted === true ? {} : undefined,
  });
}

/** A session stays with an endpoint that is going away, but not with one that is not well. */
const SESSION_HOSTS = { statuses: ["UNKNOWN", "HEALTHY", "DRAINING", "DEGRADED"] } as const;
