import { LIMIT_ENTRY } from "../../base/limit-entry.ts";
import type { GlobalLimit } from "../../ir/rate-limit.ts";
import { type Messages, typed } from "../../wire/codec.ts";
import { connectionLimits } from "../connection-limits.ts";
import { seconds } from "../duration.ts";
import { limitEntries, statPrefix } from "../rate-limit-actions.ts";
import { rateLimitService } from "../rate-limit-service.ts";
import type { MeshNetworkFilter } from "./types.ts";

type Descriptor = Messages["envoy.extensions.common.ratelimit.v3.RateLimitDescriptor"];

const NAME = "envoy.filters.network.ratelimit";

/** Connections where bytes are passed on, counted by the rate limit service for all proxies, as one of whatever else falls under a limit. */
export const rateLimit: MeshNetworkFilter = {
  name: NAME,
  speaks: "tcp",
  appliesTo: (chain) => connectionLimits(chain).length > 0,
  filter: (chain) =>
    connectionLimits(chain).map(({ policy, global, limits }) => ({
      name: NAME,
      typed_config: typed("envoy.extensions.filters.network.ratelimit.v3.RateLimit", {
        stat_prefix: statPrefix(policy),
        domain: policy,
        descriptors: limits.map(descriptor),
        timeout: seconds(global.timeoutMs),
        failure_mode_deny: global.failureModeDeny,
        rate_limit_service: rateLimitService(global),
      }),
    })),
};

/** Envoy hands on the entries and not the limit, so that it is one of them. */
function descriptor(limit: GlobalLimit): Descriptor {
  const entries = limitEntries(limit).map((entry) => ({ value: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", ...entry }));
  return { entries: [...entries, { key: LIMIT_ENTRY, value: `${limit.requestsPerUnit} ${limit.unit}` }] };
}
