import { createExposition } from "../agent/exposition.ts";
import type { LimiterEvents } from "./limiter.ts";

/** What the service measures of itself. */
export interface RateLimitMetrics extends LimiterEvents {
  /** Prometheus text. */
  text(): string;
}

/** `keys`: how many counts it holds; `replicas`: how many it counts with. */
export function createRateLimitMetrics(read: {
  readonly keys: () => number;
  readonly replicas: () => number;
}): RateLimitMetrics {
  const all = createExposition();
  const prefix = "meshctl_ratelimit";
  const passed = all.counter(`${prefix}_within_limit_total`, "Requests counted that were within the limit.", "limit");
  const over = all.counter(`${prefix}_over_limit_total`, "Requests counted that were over the limit.", "limit");
  const forwarded = all.counter(
    `${prefix}_forwarded_total`,
    "Requests that another replica was asked about.",
    "outcome",
  );
  all.gauge(`${prefix}_keys`, "Values that are being counted.", {}, read.keys);
  all.gauge(`${prefix}_replicas`, "Replicas that count, this one included.", {}, read.replicas);
  return {
    onCounted: (label, outcome) => (outcome === "ok" ? passed : over).inc(label),
    onForwarded: (outcome) => forwarded.inc(outcome),
    text: () => all.text(),
  };
}
