/**
 * How the proxy lives and ends. An Envoy that crashed is started anew after a delay that grows, with the certificate that
 * the agent still holds; one that keeps crashing ends the agent, so that the kubelet sees it. The end: let running requests
 * finish, then stop Envoy, then leave with its exit code. Pure; supervisor.ts carries out the effects.
 *
 * Invariant: after `exit` there is no further effect; a second signal never waits. (test/agent/drain-state.test.ts)
 */
export type DrainState =
  /** `crashes` in a row, none of them followed by a steady minute. */
  | { readonly phase: "running"; readonly drained: boolean; readonly crashes: number }
  /** Envoy is gone; the timer starts the next one. */
  | { readonly phase: "restarting"; readonly drained: boolean; readonly crashes: number }
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
  /** A new process; one that cannot be started is an event `envoy-exit`. */
  | { readonly type: "start-envoy" }
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
  /** Milliseconds before each new Envoy after a crash; one crash more ends the agent. */
  readonly restartAfter: readonly number[];
}

/** Quick after the first crash; about ten seconds of tries in all. */
export const RESTART_AFTER: readonly number[] = [100, 500, 1_000, 2_000, 5_000];

/** How long Envoy may take to end after SIGTERM before it is killed, and how often connections are counted. */
const STOP_LIMIT = 5_000;
const COUNT_EVERY = 1_000;
/** An Envoy that lived so long has not crashed in a row. */
const STEADY = 60_000;

type Step = readonly [DrainState, readonly DrainEffect[]];
type LivingEvent = Exclude<DrainEvent, { type: "envoy-exit" }>;

/** One event. */
export function stepDrain(state: DrainState, event: DrainEvent, policy: DrainPolicy): Step {
  if (state.phase === "exited") return [state, []];
  if (event.type === "envoy-exit")
    return state.phase === "running" ? crashed(state, event.code, policy) : exited(state, event.code);
  switch (state.phase) {
    case "running":
      return running(state, event, policy);
    case "restarting":
      return restarting(state, event);
    case "draining":
      return draining(state, event, policy);
    case "stopping":
      // The timer is the limit for a graceful end; a second signal has no patience.
      return event.type === "timer" || event.type === "terminate" ? [state, [{ type: "kill-envoy" }]] : [state, []];
  }
}

type Running = Extract<DrainState, { phase: "running" }>;
type Restarting = Extract<DrainState, { phase: "restarting" }>;

/** The state of a proxy whose Envoy has just been started for the first time. */
export const started: DrainState = { phase: "running", drained: false, crashes: 0 };

function crashed({ drained, crashes }: Running, code: number, { restartAfter }: DrainPolicy): Step {
  const delay = restartAfter[crashes];
  const words = `Envoy ended by itself with code ${code}`;
  if (delay === undefined) {
    const message = `${words}, ${crashes + 1} times in a row: giving up`;
    return [
      { phase: "exited", code: failure(code) },
      [
        { type: "log", message },
        { type: "exit", code: failure(code) },
      ],
    ];
  }
  return [
    { phase: "restarting", drained, crashes: crashes + 1 },
    [
      { type: "log", message: `${words}; starting it again in ${delay} ms` },
      { type: "timer", delay },
    ],
  ];
}

function restarting(state: Restarting, event: LivingEvent): Step {
  const { drained, crashes } = state;
  switch (event.type) {
    case "timer":
      return [{ phase: "running", drained, crashes }, [{ type: "start-envoy" }, { type: "timer", delay: STEADY }]];
    case "terminate":
    case "quit":
      return [{ phase: "exited", code: 0 }, [{ type: "exit", code: 0 }]];
    case "drain-only":
      return [{ ...state, drained: true }, []];
    case "connections":
      return [state, []];
  }
}

/** An end that nobody asked for is never success. */
function failure(code: number): number {
  return code === 0 ? 1 : code;
}

function running(state: Running, event: LivingEvent, policy: DrainPolicy): Step {
  switch (event.type) {
    case "drain-only":
      return state.drained ? [state, []] : [{ ...state, drained: true }, [{ type: "drain-listeners" }]];
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
      return [{ ...state, crashes: 0 }, []];
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
      return [
        state,
        [
          { type: "log", message: `waiting for ${event.active} connections` },
          { type: "timer", delay: COUNT_EVERY },
        ],
      ];
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

/** An end that we asked for is clean whatever signal it took; any other is Envoy's own code. */
function exited(state: DrainState, code: number): Step {
  const wanted = state.phase === "stopping";
  const own = wanted ? 0 : failure(code);
  return [
    { phase: "exited", code: own },
    [
      { type: "log", message: wanted ? "Envoy ended" : `Envoy ended by itself with code ${code}` },
      { type: "exit", code: own },
    ],
  ];
}
