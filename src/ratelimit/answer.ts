import type { Messages } from "../wire/codec.ts";
import type { Asked } from "./descriptors.ts";
import { windowOf } from "./windows.ts";

export type RateLimitAnswer = Messages["envoy.service.ratelimit.v3.RateLimitResponse"];
export type DescriptorStatus = Messages["envoy.service.ratelimit.v3.RateLimitResponse.DescriptorStatus"];

/** What Envoy is told about one descriptor of which there were `hits` in the current window, this time included. */
export function statusFor({ limit, unit }: Asked, hits: number, now: number): DescriptorStatus {
  const left = windowOf(unit, now).end - now / 1000;
  return {
    code: hits > limit ? "OVER_LIMIT" : "OK",
    current_limit: { requests_per_unit: limit, unit },
    limit_remaining: Math.max(0, limit - hits),
    duration_until_reset: `${Math.max(1, Math.ceil(left))}s`,
  };
}

/** Of a descriptor that nothing limits. */
export const UNLIMITED: DescriptorStatus = { code: "OK" };

/** Over the limit when one of its descriptors is. */
export function answerOf(statuses: readonly DescriptorStatus[]): RateLimitAnswer {
  const isOver = statuses.some(({ code }) => code === "OVER_LIMIT");
  return { overall_code: isOver ? "OVER_LIMIT" : "OK", statuses };
}
