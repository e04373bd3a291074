import { setTimeout as sleep } from "node:timers/promises";
import type { Probe } from "../shapes.ts";

/** How often a probe that has never succeeded is asked: its period would make every start slow for nothing. */
const EAGER_MS = 100;

export interface ProberEvents {
  /** The threshold of successes was reached. */
  readonly onSuccess: () => void;
  /** The threshold of failures was reached; `message` is the last one's. */
  readonly onFailure: (message: string) => void;
}

export interface ProberOptions extends ProberEvents {
  readonly probe: Probe;
  /** Ask fast until the first success. Failures still count by the period, so the threshold keeps its meaning in time. */
  readonly eager: boolean;
  readonly ask: () => Promise<string | undefined>;
  readonly signal: AbortSignal;
}

/** Asks until the signal aborts. */
export async function runProber(options: ProberOptions): Promise<void> {
  const { probe, signal } = options;
  const periodMs = (probe.periodSeconds ?? 10) * 1000;
  let eager = options.eager;
  let successes = 0;
  let failures = 0;
  let countedAt = -Infinity;
  if (!(await pause((probe.initialDelaySeconds ?? 0) * 1000, signal))) return;
  while (!signal.aborted) {
    const message = await options.ask();
    if (signal.aborted) return;
    if (message === undefined) {
      failures = 0;
      eager = false;
      if (++successes === (probe.successThreshold ?? 1)) options.onSuccess();
    } else {
      successes = 0;
      const now = performance.now();
      if (now - countedAt >= periodMs * 0.9) {
        countedAt = now;
        if (++failures >= (probe.failureThreshold ?? 3)) options.onFailure(message);
      }
    }
    if (!(await pause(eager ? Math.min(EAGER_MS, periodMs) : periodMs, signal))) return;
  }
}

/** False when the signal aborted meanwhile. */
export async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => undefined);
  return !signal.aborted;
}
