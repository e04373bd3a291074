/**
 * How the proxy ends: let running requests finish, then stop Envoy, then leave with its exit code. Pure; supervise.ts
 * carries out the effects.
 *
 * Invariant: after `exit` there is no further effect; a second signal never waits. (test/agent/drain-state.test.ts)
 */
export type DrainState =
  | { readonly phase: "running"; readonly drained: boolean }
  /** Listeners drain; Envoy still runs until the timer or until no connection is left. */
  | { readonly phase: "draining" }
  /** Asked to end, waiting for its exit. */
  | { readonly phase: "stopping" }
  | { readonly phase: "exited"; readonly code: number };

export type DrainEvent =
  /** SIGTERM or SIGINT. */
  | { readonly type: "terminate" }
  /** POST /drain: a preStop hook of a native sidecar; the application still runs. */
  | { readonly type: "drain-only" }
  /** POST /quitquitquit: a finished Job. */
  | { readonly type: "quit" }
  | { readonly type: "timer" }
  | { readonly type: "connections"; readonly active: number }
  /** Envoy ended; `code` as a shell would say it (128 + signal). */
  | { readonly type: "envoy-exit"; readonly code: number };

export type DrainEffect =
  | { readonly type: "drain-listeners" }
  /** An event `timer` after so many milliseconds. */
  | { readonly type: "timer"; readonly delay: number }
  /** An event `connections`. */
  | { readonly type: "count-connections" }
  | { readonly type: "stop-envoy" }
  | { readonly type: "kill-envoy" }
  | { readonly type: "exit"; readonly code: number }
  | { readonly type: "log"; readonly message: string };

export interface DrainPolicy {
  /** Milliseconds between SIGTERM and Envoy's end. */
  readonly termination: number;
  /** With exitOnZeroConnections: at least so long. */
  readonly minimum: number;
  readonly exitOnZeroConnections: boolean;
}

/** How long Envoy may take to end after SIGTERM before it is killed, and how often connections are counted. */
const STOP_LIMIT = 5_000;
const COUNT_EVERY = 1_000;

type Step = readonly [DrainState, readonly DrainEffect[]];
type LivingEvent = Exclude<DrainEvent, { type: "envoy-exit" }>;

/** One event. */
export function stepDrain(state: DrainState, event: DrainEvent, policy: DrainPolicy): Step {
  if (state.phase === "exited") return [state, []];
  if (event.type === "envoy-exit") return exited(state, event.code);
  switch (state.phase) {
    case "running":
      return running(state, event, policy);
    case "draining":
      return draining(state, event, policy);
    case "stopping":
      // The timer is the limit for a graceful end; a second signal has no patience.
      return event.type === "timer" || event.type === "terminate" ? [state, [{ type: "kill-envoy" }]] : [state, []];
  }
}

function running(state: Extract<DrainState, { phase: "running" }>, event: LivingEvent, policy: DrainPolicy): Step {
  switch (event.type) {
    case "drain-only":
      return state.drained ? [state, []] : [{ phase: "running", drained: true }, [{ type: "drain-listeners" }]];
    case "quit":
      return stop("asked to quit");
    case "terminate": {
      if (state.drained) return stop("already drained");
      const delay = policy.exitOnZeroConnections ? policy.minimum : policy.termination;
      return [
        { phase: "draining" },
        [
          { type: "log", message: `draining: inbound listeners close gracefully, at least ${delay} ms` },
          { type: "drain-listeners" },
          { type: "timer", delay },
        ],
      ];
    }
    case "timer":
    case "connections":
      return [state, []];
  }
}

function draining(state: DrainState, event: LivingEvent, policy: DrainPolicy): Step {
  switch (event.type) {
    case "terminate":
    case "quit":
      return stop("second request to end");
    case "timer":
      return policy.exitOnZeroConnections ? [state, [{ type: "count-connections" }]] : stop("drained");
    case "connections":
      if (event.active === 0) return stop("no connection left");
      return [state, [{ type: "timer", delay: COUNT_EVERY }]];
    case "drain-only":
      return [state, []];
  }
}

function stop(reason: string): Step {
  return [
    { phase: "stopping" },
    [
      { type: "log", message: `stopping Envoy: ${reason}` },
      { type: "stop-envoy" },
      { type: "timer", delay: STOP_LIMIT },
    ],
  ];
}

/** An end that we asked for is clean whatever signal it took; any other is Envoy's own code, and never success. */
function exited(state: DrainState, code: number): Step {
  const wanted = state.phase === "stopping";
  const own = wanted ? 0 : code === 0 ? 1 : code;
  return [
    { phase: "exited", code: own },
    [
      { type: "log", message: wanted ? "Envoy ended" : `Envoy ended by itself with code ${code}` },
      { type: "exit", code: own },
    ],
  ];
}
