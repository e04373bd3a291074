import type { Condition } from "./shapes.ts";

/** Kubernetes' form of a time: whole seconds. */
export function stamp(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

/** Conditions with the time at which their status last changed, kept from `before` while it stays. */
export function transitionTimes(
  conditions: readonly Condition[],
  before: readonly Condition[],
  now: Date,
): readonly Condition[] {
  return conditions.map((condition) => {
    const old = before.find((entry) => entry.type === condition.type);
    const kept = old?.status === condition.status ? old.lastTransitionTime : undefined;
    return { ...condition, lastTransitionTime: kept ?? stamp(now) };
  });
}
