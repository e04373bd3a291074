import { compact } from "../../base/compact.ts";
import type { RetryPolicy } from "../../ir/route-features.ts";
import { typed } from "../../wire/codec.ts";
import { seconds } from "../duration.ts";
import type { EnvoyForward, RouteFeature } from "./types.ts";

/** How often a host is chosen anew when the one chosen was already tried. */
const HOST_ATTEMPTS = 5;
/** After this many tries the load of priorities is computed anew, without those already tried. */
const UPDATE_FREQUENCY = 2;

/** Retries go to another host than the one that failed, where there is one and nothing says otherwise. */
export const retries: RouteFeature = {
  key: "retries",
  forward: ({ retries: policy }) => (policy === undefined ? {} : { retry_policy: retryPolicy(policy) }),
};

function retryPolicy(policy: RetryPolicy): NonNullable<EnvoyForward["retry_policy"]> {
  return compact({
    retry_on: policy.on,
    num_retries: policy.attempts,
    per_try_timeout: policy.perTryTimeoutMs === undefined ? undefined : seconds(policy.perTryTimeoutMs),
    retry_host_predicate: policy.otherHost ? [PREVIOUS_HOSTS] : undefined,
    retry_priority: policy.otherPriority === true ? PREVIOUS_PRIORITIES : undefined,
    host_selection_retry_max_attempts: HOST_ATTEMPTS,
    retriable_status_codes: policy.retriableStatusCodes.length === 0 ? undefined : policy.retriableStatusCodes,
    retry_back_off: policy.backoffMs === undefined ? undefined : { base_interval: seconds(policy.backoffMs) },
  });
}

const PREVIOUS_HOSTS = {
  name: "envoy.retry_host_predicates.previous_hosts",
  typed_config: typed("envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate", {}),
};

const PREVIOUS_PRIORITIES = {
  name: "envoy.retry_priorities.previous_priorities",
  typed_config: typed("envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig", {
    update_frequency: UPDATE_FREQUENCY,
  }),
};
