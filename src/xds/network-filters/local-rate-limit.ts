import { typed } from "../../wire/codec.ts";
import { statPrefix, tokenBucket } from "../rate-limit-actions.ts";
import type { MeshNetworkFilter } from "./types.ts";

const NAME = "envoy.filters.network.local_ratelimit";

/** Connections where bytes are passed on: limits of all requests count them. One that finds no token is closed at once. */
export const localRateLimit: MeshNetworkFilter = {
  name: NAME,
  speaks: "tcp",
  appliesTo: (chain) => connectionLimits(chain).length > 0,
  filter: (chain) =>
    connectionLimits(chain).map(({ policy, limit }) => ({
      name: NAME,
      typed_config: typed("envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit", {
        stat_prefix: `${statPrefix(policy)}.${limit.name}`,
        token_bucket: tokenBucket(limit),
      }),
    })),
};

/** Enforced limits that ask nothing of a request. */
function connectionLimits({ security }: Parameters<MeshNetworkFilter["appliesTo"]>[0]) {
  return (security?.rateLimits ?? [])
    .filter(({ enforcedPercent }) => enforcedPercent === 100)
    .flatMap(({ policy, local }) =>
      local.filter(({ match, keys }) => match.length === 0 && keys.length === 0).map((limit) => ({ policy, limit })),
    );
}
