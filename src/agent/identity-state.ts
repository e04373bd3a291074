/**
 * When the workload asks for a certificate, with what, and what it does when the answer is no. Pure: the runner in
 * identity.ts gives it events and carries out the effects.
 *
 * Invariant: a failure with the old certificate is tried again at once with the token; only a failure with the token
 * waits. (test/agent/identity-state.test.ts)
 */
export interface IdentityState {
  readonly phase: "idle" | "requesting" | "holding" | "waiting" | "closed";
  readonly credential: "token" | "certificate";
  /** Failures in a row, of the token. */
  readonly failures: number;
  readonly held: Validity | undefined;
  /** Certificates in a row that came from another authority than the one that signs now, as far as we were told. */
  readonly strays: number;
}

/** Milliseconds since the epoch. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** `now` in milliseconds since the epoch, `random` from 0 to 1 for jitter. */
export type IdentityEvent =
  /** `held`: of a certificate of an earlier life, to be renewed at once. */
  | { readonly type: "start"; readonly now: number; readonly held?: Validity }
  /** `isStray`: the authority that signs now, as we were told, has not signed it. */
  | {
      readonly type: "issued";
      readonly validity: Validity;
      readonly isStray: boolean;
      readonly now: number;
      readonly random: number;
    }
  /** We were told of another authority than the one that signed what is held. */
  | { readonly type: "superseded"; readonly random: number }
  | { readonly type: "refused"; readonly error: string; readonly now: number; readonly random: number }
  | { readonly type: "timer"; readonly now: number }
  | { readonly type: "close" };

export type IdentityEffect =
  | { readonly type: "request"; readonly credential: "token" | "certificate" }
  /** In place of the timer that runs. */
  | { readonly type: "timer"; readonly delay: number }
  | { readonly type: "log"; readonly level: "info" | "warn" | "error"; readonly message: string };

/** When to renew: at `graceRatio` of the lifetime left, give or take `graceJitter` of it. */
export interface RenewalPolicy {
  readonly graceRatio: number;
  readonly graceJitter: number;
}

/** After another authority was told of: at any moment within, so that not all workloads ask at once. */
const SPREAD_MS = 5_000;
/** When the authority that answered is not the one we were told of: one of the two is not there yet. */
const STRAY_MS = 5_000;

const FIRST_DELAY = 200;
/** Without a certificate the proxy serves nobody: ask often. With one there is half a lifetime left. */
const MAX_DELAY = { without: 5_000, with: 60_000 } as const;
/** setTimeout's limit is 2^31-1 ms. */
const MAX_TIMER = 2 ** 31 - 1;
/** Even of a certificate that is nearly over when it arrives, at most so often. */
const MIN_RENEWAL = 1_000;

export const initialIdentity: IdentityState = {
  phase: "idle",
  credential: "token",
  failures: 0,
  held: undefined,
  strays: 0,
};

/** One event. */
export function stepIdentity(
  state: IdentityState,
  event: IdentityEvent,
  policy: RenewalPolicy,
): readonly [IdentityState, readonly IdentityEffect[]] {
  if (state.phase === "closed") return [state, []];
  switch (event.type) {
    case "start":
      return event.held !== undefined && event.now < event.held.notAfter
        ? ask(state, "certificate")
        : ask(state, "token");
    case "timer":
      return ask(state, state.held !== undefined && event.now < state.held.notAfter ? "certificate" : "token");
    case "issued":
      return issued(state, event, policy);
    case "refused":
      return refused(state, event);
    case "superseded":
      return superseded(state, event);
    case "close":
      return [{ ...state, phase: "closed" }, []];
  }
}

/** Milliseconds from `now` until the certificate is to be renewed. */
export function renewalDelay(validity: Validity, now: number, random: number, policy: RenewalPolicy): number {
  const lifetime = validity.notAfter - validity.notBefore;
  const ratio = Math.min(1, Math.max(0, policy.graceRatio + (random * 2 - 1) * policy.graceJitter));
  const at = validity.notAfter - lifetime * ratio;
  return Math.min(MAX_TIMER, Math.max(MIN_RENEWAL, at - now));
}

function ask(
  state: IdentityState,
  credential: "token" | "certificate",
): readonly [IdentityState, readonly IdentityEffect[]] {
  return [{ ...state, phase: "requesting", credential }, [{ type: "request", credential }]];
}

function issued(
  state: IdentityState,
  event: Extract<IdentityEvent, { type: "issued" }>,
  policy: RenewalPolicy,
): readonly [IdentityState, readonly IdentityEffect[]] {
  const strays = event.isStray ? state.strays + 1 : 0;
  const usual = renewalDelay(event.validity, event.now, event.random, policy);
  const delay = event.isStray ? Math.min(usual, STRAY_MS * 2 ** Math.min(strays - 1, 16)) : usual;
  const words = state.held === undefined ? "certificate issued" : "certificate renewed";
  return [
    { phase: "holding", credential: state.credential, failures: 0, held: event.validity, strays },
    [
      {
        type: "log",
        level: "info",
        message: `${words}: valid until ${new Date(event.validity.notAfter).toISOString()}, next renewal in ${seconds(delay)}`,
      },
      { type: "timer", delay },
    ],
  ];
}

/** Requests that are under way are judged by what they bring. */
function superseded(
  state: IdentityState,
  { random }: Extract<IdentityEvent, { type: "superseded" }>,
): readonly [IdentityState, readonly IdentityEffect[]] {
  if (state.phase !== "holding") return [state, []];
  const delay = Math.round(random * SPREAD_MS);
  const message = `another authority signs now: next renewal in ${seconds(delay)}`;
  return [
    { ...state, strays: 0 },
    [
      { type: "log", level: "info", message },
      { type: "timer", delay },
    ],
  ];
}

function refused(
  state: IdentityState,
  event: Extract<IdentityEvent, { type: "refused" }>,
): readonly [IdentityState, readonly IdentityEffect[]] {
  if (state.credential === "certificate") {
    const [next, effects] = ask(state, "token");
    const message = `no certificate with the old one: ${event.error}; trying with the service account token`;
    return [next, [{ type: "log", level: "warn", message }, ...effects]];
  }
  const failures = state.failures + 1;
  const alive = state.held !== undefined && event.now < state.held.notAfter;
  const most = alive ? MAX_DELAY.with : MAX_DELAY.without;
  const delay = Math.round(Math.min(most, FIRST_DELAY * 2 ** Math.min(failures - 1, 16)) * (0.75 + event.random / 2));
  const left = alive ? "; the current certificate still serves" : "";
  return [
    { ...state, phase: "waiting", failures },
    [
      {
        type: "log",
        level: alive || failures < 5 ? "warn" : "error",
        message: `no certificate: ${event.error}; attempt ${failures}, next in ${seconds(delay)}${left}`,
      },
      { type: "timer", delay },
    ],
  ];
}

function seconds(milliseconds: number): string {
  return milliseconds < 10_000 ? `${(milliseconds / 1000).toFixed(1)} s` : `${Math.round(milliseconds / 1000)} s`;
}
