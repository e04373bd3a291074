/**
 * How many bytes all streams together have in the transport. A response is copied into it, so that all proxies coming at once
 * would cost as much memory as their whole configuration; in turns they cost what the network carries away.
 */
export interface PushBudget {
  /** Whether a response may be made now; else `wake` is called when it may, in the order of asking. */
  readonly admit: (wake: () => void) => boolean;
  /** Counts bytes until the returned function is called, or for HOLD_MS: who does not read must not hold up the others. */
  readonly spend: (bytes: number) => () => void;
}

/** Enough to keep a fast network busy, little beside what a control plane holds anyway. */
export const BUDGET_BYTES = 48 * 1024 * 1024;
/** A proxy that reads takes the largest response in a fraction of this. */
const HOLD_MS = 1_000;

/** A response may be made while less than `limit` bytes are in the transport: the last one may go beyond it. */
export function createPushBudget(limit = BUDGET_BYTES): PushBudget {
  let spent = 0;
  const waiting: (() => void)[] = [];
  const free = (bytes: number): void => {
    spent -= bytes;
    if (spent >= limit) return;
    // Whoever is woken may find that nothing is due any more: all are, and those who come too late ask again.
    for (const wake of waiting.splice(0)) wake();
  };
  return {
    admit(wake) {
      if (spent < limit) return true;
      waiting.push(wake);
      return false;
    },
    spend(bytes) {
      spent += bytes;
      let isOpen = true;
      const close = (): void => {
        clearTimeout(timer);
        if (isOpen) free(bytes);
        isOpen = false;
      };
      const timer = setTimeout(close, HOLD_MS);
      return close;
    },
  };
}
