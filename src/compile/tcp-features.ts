import { compact } from "../base/compact.ts";
import { durationMs } from "../base/duration.ts";
import type { TcpFeatures } from "../ir/listener.ts";
import type { WeightedCluster } from "../ir/route.ts";
import type { Caller } from "../model/destination-rules.ts";
import type { Model } from "../model/model.ts";
import { policyOf } from "./hash-keys.ts";

/**
 * How a chain to these clusters passes bytes on: by the policy of the first, as in Istio, for a chain has one way for all.
 * Undefined when nothing is asked.
 */
export function tcpFeatures(
  model: Model,
  caller: Caller,
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
  });
  return Object.keys(made).length === 0 ? undefined : made;
}
