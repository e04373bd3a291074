import type { GlobalLimits, RateLimits } from "../../ir/rate-limit.ts";
import { type TypedAny, typed } from "../../wire/codec.ts";
import { seconds } from "../duration.ts";
import { statusName } from "../http-status.ts";
import { limitActions, share, statPrefix } from "../rate-limit-actions.ts";
import { rateLimitService } from "../rate-limit-service.ts";
import type { HttpFilterConfig } from "../types.ts";
import type { HttpFilter } from "./types.ts";

const NAME = "envoy.filters.http.ratelimit";

/**
 * Limits that the rate limit service counts for all proxies. Each descriptor carries its limit: the service needs no
 * configuration, and what a proxy asks and what it asks it by change together.
 */
export const rateLimit: HttpFilter = {
  name: NAME,
  appliesTo: ({ security }) => security?.rateLimits?.some(({ global }) => global !== undefined) === true,
  filter: ({ security }): readonly HttpFilterConfig[] =>
    (security?.rateLimits ?? []).flatMap((limits) =>
      limits.global === undefined ? [] : [{ name: NAME, typed_config: config(limits, limits.global) }],
    ),
};

function config(limits: RateLimits, global: GlobalLimits): TypedAny {
  const { policy, status, enforcedPercent, headers } = limits;
  const code = statusName(status);
  return typed("envoy.extensions.filters.http.ratelimit.v3.RateLimit", {
    domain: policy,
    stat_prefix: statPrefix(policy),
    timeout: seconds(global.timeoutMs),
    failure_mode_deny: global.failureModeDeny,
    rate_limit_service: rateLimitService(global),
    ...(code === undefined ? {} : { rate_limited_status: { code } }),
    filter_enforced: share("rate_limit_enforced", enforcedPercent),
    rate_limits: global.limits.map((limit) => ({
      actions: limitActions(limit),
      limit: { rate_limit: { requests_per_unit: limit.requestsPerUnit, unit: limit.unit } },
    })),
    rate_limited_as_resource_exhausted: true,
    enable_x_ratelimit_headers: headers ? "DRAFT_VERSION_03" : "OFF",
    enable_retry_after_header: true,
  });
}
