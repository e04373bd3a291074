import { compact } from "../../base/compact.ts";
import { durationMs } from "../../base/duration.ts";
import type { ClusterFeature } from "./types.ts";

/** `outlierDetection`; none where the rule asks for none. */
export const outlierDetection: ClusterFeature = {
  of(_, { policy: { outlierDetection: asked } }) {
    if (asked === undefined) return {};
    const codes = asked.outlierDetectionHttpErrorCodes ?? [];
    const split = asked.splitExternalLocalOriginErrors === true;
    return {
      outlierDetection: compact({
        errorCodes: codes.length === 0 ? undefined : [...new Set(codes)].toSorted((a, b) => a - b),
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
