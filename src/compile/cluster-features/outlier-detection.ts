import { compact } from "../../base/compact.ts";
import { durationMs } from "../../base/duration.ts";
import type { ClusterFeature } from "./types.ts";

/**
 * A replica of the rate limit service that cannot be reached is left out at once: requests wait for its answer, and which replica is
 * asked makes no difference.
 */
const LEFT_OUT = {
  outlierDetection: {
    splitLocalErrors: true,
    consecutiveLocalFailures: 1,
    intervalMs: 1_000,
    baseEjectionTimeMs: 1_000,
    maxEjectionPercent: 50,
  },
} as const;

/** `outlierDetection`; none where the rule asks for none. */
export const outlierDetection: ClusterFeature = {
  of(model, { service, policy: { outlierDetection: asked } }) {
    if (asked === undefined) return service.hostname === model.rateLimits.service() ? LEFT_OUT : {};
    const split = asked.splitExternalLocalOriginErrors === true;
    return {
      outlierDetection: compact({
        errorCodes: sortedOnce(asked.outlierDetectionHttpErrorCodes),
        consecutive5xx: asked.consecutive5xxErrors ?? undefined,
        consecutiveGatewayErrors: asked.consecutiveGatewayErrors ?? undefined,
        consecutiveLocalFailures: split ? (asked.consecutiveLocalOriginFailures ?? undefined) : undefined,
        splitLocalErrors: split ? true : undefined,
        intervalMs: asked.interval === undefined ? undefined : durationMs(asked.interval),
        baseEjectionTimeMs: asked.baseEjectionTime === undefined ? undefined : durationMs(asked.baseEjectionTime),
        // 0 is what an absent number looks like to a client that writes all fields
        maxEjectionPercent: asked.maxEjectionPercent === 0 ? undefined : asked.maxEjectionPercent,
        minHealthPercent: asked.minHealthPercent,
      }),
    };
  },
};

/** undefined: none. */
function sortedOnce(codes: readonly number[] = []): readonly number[] | undefined {
  return codes.length === 0 ? undefined : [...new Set(codes)].toSorted((a, b) => a - b);
}
