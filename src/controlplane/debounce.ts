/**
 * When to act on a burst of changes: after a short quiet, and at the latest a while after the first. The quiet grows with what
 * acting costs, so that under a storm at most about a third of the time goes into acting.
 */
export interface DebounceState {
  readonly firstAt: number | undefined;
  readonly lastAt: number;
  readonly quietMs: number;
}

export const MIN_QUIET_MS = 10;
const MAX_QUIET_MS = 500;
/** How many quiets the first change waits at most. */
const PATIENCE = 5;

/** Nothing to act on. */
export const idleDebounce: DebounceState = { firstAt: undefined, lastAt: 0, quietMs: MIN_QUIET_MS };

/** A change came in. */
export function noteChange(state: DebounceState, now: number): DebounceState {
  return { ...state, firstAt: state.firstAt ?? now, lastAt: now };
}

/** When to act, given what is known now; undefined when there is nothing to act on. */
export function dueAt(state: DebounceState): number | undefined {
  if (state.firstAt === undefined) return undefined;
  return Math.min(state.lastAt + state.quietMs, state.firstAt + PATIENCE * state.quietMs);
}

/** Acting took `tookMs`: what has come in since is a new burst. */
export function noteActed(state: DebounceState, tookMs: number): DebounceState {
  const quietMs = Math.min(MAX_QUIET_MS, Math.max(MIN_QUIET_MS, 2 * tookMs));
  return { ...state, firstAt: undefined, quietMs };
}
