import type { GlobalLimit, GlobalLimits, RateLimits } from "../../ir/rate-limit.ts";
import { LIMIT_ENTRY } from "../../base/limit-entry.ts";
import { type Messages, typed } from "../../wire/codec.ts";
import { seconds } from "../duration.ts";
import { limitEntries, statPrefix } from "../rate-limit-actions.ts";
import { rateLimitService } from "../rate-limit-service.ts";
import type { ChainContext, NetworkFilter } from "../types.ts";
import { isGated } from "./connection-gate.ts";
import type { MeshNetworkFilter } from "./types.ts";

type Descriptor = Messages["envoy.extensions.common.ratelimit.v3.RateLimitDescriptor"];

const NAME = "envoy.filters.network.ratelimit";

/**
 * Connections where bytes are passed on, counted by the rate limit service for all proxies: by limits that ask nothing of a
 * request, as one of whatever else falls under the limit. The service is asked before the client has shown who it is, so that
 * only its address may tell connections apart. Where who calls decides at the handshake whether the server may speak, there are no
 * such limits: the server would be dialled when the service has answered, perhaps before the handshake.
 */
export const rateLimit: MeshNetworkFilter = {
  name: NAME,
  speaks: "tcp",
  appliesTo: asksAboutConnections,
  filter: ({ security }) => (security?.rateLimits ?? []).flatMap(filterOf),
};

/** Whether the service is asked about each connection before the proxy goes on with it. */
export function asksAboutConnections(chain: ChainContext): boolean {
  return !isGated(chain) && (chain.security?.rateLimits ?? []).some((limits) => filterOf(limits).length > 0);
}

function filterOf({ policy, enforcedPercent, global }: RateLimits): readonly NetworkFilter[] {
  const limits = (global?.limits ?? []).filter(countsConnections);
  // the filter cannot count without refusing
  if (global === undefined || limits.length === 0 || enforcedPercent < 100) return [];
  return [{ name: NAME, typed_config: typed("envoy.extensions.filters.network.ratelimit.v3.RateLimit", config()) }];

  function config(): Messages["envoy.extensions.filters.network.ratelimit.v3.RateLimit"] {
    const { timeoutMs, failureModeDeny } = global as GlobalLimits;
    return {
      stat_prefix: statPrefix(policy),
      domain: policy,
      descriptors: limits.map(descriptor),
      timeout: seconds(timeoutMs),
      failure_mode_deny: failureModeDeny,
      rate_limit_service: rateLimitService(global as GlobalLimits),
    };
  }
}

function countsConnections({ match, keys }: GlobalLimit): boolean {
  return match.length === 0 && keys.every(({ kind }) => kind === "remote-address");
}

/** Envoy hands on the entries and not the limit, so that it is one of them. */
function descriptor(limit: GlobalLimit): Descriptor {
  const entries = limitEntries(limit).map((entry) => ({ value: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", ...entry }));
  return { entries: [...entries, { key: LIMIT_ENTRY, value: `${limit.requestsPerUnit} ${limit.unit}` }] };
}
