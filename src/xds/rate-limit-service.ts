import type { GlobalLimits } from "../ir/rate-limit.ts";
import { type Messages, typed } from "../wire/codec.ts";
import { seconds } from "./duration.ts";

/** How filters reach the service that counts. */
export function rateLimitService({
  cluster,
  host,
  timeoutMs,
}: GlobalLimits): Messages["envoy.config.ratelimit.v3.RateLimitServiceConfig"] {
  return {
    grpc_service: {
      envoy_grpc: { cluster_name: cluster, authority: host },
      retry_policy: retries(timeoutMs),
    },
    transport_api_version: "V3",
  };
}

/**
 * A replica that went away is no reason to let a request pass: another is asked. One that counted twice makes no limit wider. Envoy
 * takes the longest pause for the longest try too, so it has to be what a request waits at all.
 */
function retries(timeoutMs: number): Messages["envoy.config.core.v3.RetryPolicy"] {
  return {
    retry_on: "connect-failure,reset,refused-stream,unavailable",
    num_retries: 8,
    retry_host_predicate: [
      {
        name: "envoy.retry_host_predicates.previous_hosts",
        typed_config: typed("envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate", {}),
      },
    ],
    host_selection_retry_max_attempts: "3",
    retry_back_off: { base_interval: seconds(PAUSE_MS), max_interval: seconds(Math.max(PAUSE_MS, timeoutMs)) },
  };
}

/** Before the first retry, about; the second waits up to twice as long. */
const PAUSE_MS = 2;
