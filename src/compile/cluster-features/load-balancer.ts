import { durationMs } from "../../base/duration.ts";
import type { LoadBalancer, Warmup } from "../../ir/cluster.ts";
import type { PortPolicy } from "../traffic-policy.ts";
import type { ClusterFeature } from "./types.ts";

/** `loadBalancer`: simple or by hash, with warm-up. What is hashed stands on the routes (route-features/hash.ts). */
export const loadBalancer: ClusterFeature = { of: (_, { policy }) => ({ loadBalancer: loadBalancerOf(policy) }) };

type Spec = NonNullable<PortPolicy["loadBalancer"]>;

const RING_SIZE = 1024;

/** The load balancer of a policy: by hash when it hashes, else the simple one, LEAST_REQUEST by default. */
function loadBalancerOf({ loadBalancer: spec = {} }: PortPolicy): LoadBalancer {
  const { consistentHash: hash, simple } = spec;
  if (hash !== undefined) {
    if (hash.maglev === undefined)
      return {
        kind: "RING_HASH",
        minimumRingSize: hash.ringHash?.minimumRingSize ?? hash.minimumRingSize ?? RING_SIZE,
      };
    const { tableSize } = hash.maglev;
    return { kind: "MAGLEV", ...(tableSize === undefined ? {} : { tableSize }) };
  }
  if (simple === "RANDOM" || simple === "PASSTHROUGH") return { kind: simple };
  const warmup = warmupOf(spec);
  const kind = simple === "ROUND_ROBIN" ? "ROUND_ROBIN" : "LEAST_REQUEST";
  return warmup === undefined ? { kind } : { kind, warmup };
}

function warmupOf({ warmup, warmupDurationSecs }: Spec): Warmup | undefined {
  const text = warmup?.duration ?? warmupDurationSecs;
  const ms = text === undefined ? undefined : durationMs(text);
  if (ms === undefined || ms === 0) return undefined;
  return { durationMs: ms, minimumPercent: warmup?.minimumPercent ?? 10, aggression: warmup?.aggression ?? 1 };
}
