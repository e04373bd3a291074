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
  const count = createCounter(options, periodMs);
  let eager = options.eager;
  if (!(await pause((probe.initialDelaySeconds ?? 0) * 1000, signal))) return;
  while (!signal.aborted) {
    const message = await options.ask();
    if (signal.aborted) return;
    if (message === undefined) eager = false;
    count(message);
    if (!(await pause(eager ? Math.min(EAGER_MS, periodMs) : periodMs, signal))) return;
  }
}

/** Takes results and tells when a threshold is reached. Failures within one period count once. */
function createCounter(options: ProberOptions, periodMs: number): (message: string | undefined) => void {
  const { successThreshold = 1, failureThreshold = 3 } = options.probe;
  let successes = 0;
  let failures = 0;
  let countedAt = -Infinity;
  return (message) => {
    if (message === undefined) {
      failures = 0;
      if (++successes === successThreshold) options.onSuccess();
      return;
    }
    successes = 0;
    const now = performance.now();
    if (now - countedAt < periodMs * 0.9) return;
    countedAt = now;
    if (++failures >= failureThreshold) options.onFailure(message);
  };
}

/** False when the signal aborted meanwhile. */
export async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => undefined);
  return !signal.aborted;
}
