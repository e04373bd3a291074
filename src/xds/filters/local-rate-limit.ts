import type { LocalLimit, RateLimits } from "../../ir/rate-limit.ts";
import { type Messages, typed } from "../../wire/codec.ts";
import { seconds } from "../duration.ts";
import { statusName } from "../http-status.ts";
import { limitActions, limitEntries } from "../rate-limit-actions.ts";
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
export function localRateLimitConfig({ policy, local, status, enforcedPercent, headers }: RateLimits): Config {
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

/** `ratelimit.shop.cart`: metrics are `ratelimit_shop_cart_http_local_rate_limit_rate_limited`. */
export function statPrefix(policy: string): string {
  return `ratelimit.${policy.replace("/", ".")}`;
}

export function tokenBucket(limit: LocalLimit): Messages["envoy.type.v3.TokenBucket"] {
  return {
    max_tokens: limit.maxTokens,
    tokens_per_fill: limit.tokensPerFill,
    fill_interval: seconds(limit.fillIntervalMs),
  };
}

/** A percentage that nothing overrides at run time; Envoy wants a name for it. */
export function share(key: string, percent: number): Messages["envoy.config.core.v3.RuntimeFractionalPercent"] {
  return { default_value: { numerator: percent, denominator: "HUNDRED" }, runtime_key: key };
}
