import type { RateLimits } from "../../ir/rate-limit.ts";
import { type Messages, typed } from "../../wire/codec.ts";
import { statusName } from "../http-status.ts";
import { limitActions, limitEntries, share, statPrefix, tokenBucket } from "../rate-limit-actions.ts";
import type { HttpFilterConfig } from "../types.ts";
import type { HttpFilter } from "./types.ts";

type Config = Messages["envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"];

const NAME = "envoy.filters.http.local_ratelimit";

/** Limits that the proxy counts itself: one filter for each policy, so that each has its own status, share and counters. */
export const localRateLimit: HttpFilter = {
  name: NAME,
  appliesTo: ({ security }) => security?.rateLimits?.some(({ local }) => local.length > 0) === true,
  filter: ({ security }): readonly HttpFilterConfig[] =>
    (security?.rateLimits ?? [])
      .filter(({ local }) => local.length > 0)
      .map((limits) => ({
        name: NAME,
        typed_config: typed(
          "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
          localRateLimitConfig(limits),
        ),
      })),
};

/** A bucket for each limit and value; requests that no limit counts take no token. */
function localRateLimitConfig({ policy, local, status, enforcedPercent, headers }: RateLimits): Config {
  const code = statusName(status);
  return {
    stat_prefix: statPrefix(policy),
    ...(code === undefined ? {} : { status: { code } }),
    filter_enabled: share("local_rate_limit_enabled", 100),
    filter_enforced: share("local_rate_limit_enforced", enforcedPercent),
    rate_limits: local.map((limit) => ({ actions: limitActions(limit) })),
    descriptors: local.map((limit) => ({ entries: limitEntries(limit), token_bucket: tokenBucket(limit) })),
    max_dynamic_descriptors: Math.max(...local.map(({ maxValues }) => maxValues)),
    always_consume_default_token_bucket: false,
    rate_limited_as_resource_exhausted: true,
    enable_x_ratelimit_headers: headers ? "DRAFT_VERSION_03" : "OFF",
    enable_retry_after_header: true,
  };
}
