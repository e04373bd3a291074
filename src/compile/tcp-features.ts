import { compact } from "../base/compact.ts";
import { durationMs } from "../base/duration.ts";
import type { TcpFeatures } from "../ir/listener.ts";
import type { WeightedCluster } from "../ir/route.ts";
import type { Model } from "../model/model.ts";
import { policyOf, type SeeingCaller } from "./hash-keys.ts";
import { parseOutboundCluster } from "./names.ts";

/**
 * How a chain to these clusters passes bytes on: by the policy of the first, as in Istio, for a chain has one way for all.
 * Undefined when nothing is asked.
 */
export function tcpFeatures(
  model: Model,
  caller: SeeingCaller,
  clusters: readonly Pick<WeightedCluster, "cluster">[],
): TcpFeatures | undefined {
  const [first] = clusters;
  if (first === undefined) return undefined;
  const { loadBalancer, connectionPool, tunnel } = policyOf(model, caller, first.cluster);
  const { idleTimeout, maxConnectionDuration } = connectionPool?.tcp ?? {};
  const made: TcpFeatures = compact({
    hashSourceIp: loadBalancer?.consistentHash?.useSourceIp === true ? true : undefined,
    idleTimeoutMs: idleTimeout === undefined ? undefined : durationMs(idleTimeout),
    maxConnectionDurationMs: maxConnectionDuration === undefined ? undefined : durationMs(maxConnectionDuration),
    tunnel: tunnel && {
      target: `${tunnel.targetHost}:${tunnel.targetPort}`,
      post: tunnel.protocol?.toUpperCase() === "POST",
    },
    byServerName: namedByClient(model, caller, first.cluster),
  });
  return Object.keys(made).length === 0 ? undefined : made;
}

/** For a wildcard entry of resolution DYNAMIC_DNS the TLS client says which host is meant. */
function namedByClient(model: Model, caller: SeeingCaller, cluster: string): TcpFeatures["byServerName"] {
  const parsed = parseOutboundCluster(cluster);
  if (parsed === undefined) return undefined;
  const isDynamic = model.sight.visible(caller, parsed.host)?.resolution === "dynamic-dns";
  return isDynamic ? { port: parsed.port } : undefined;
}
