import { expect, test } from "vitest";
import { type DrainEvent, type DrainState, RESTART_AFTER, started, stepDrain } from "../../src/agent/drain-state.ts";

const POLICY = { termination: 5_000, minimum: 3_000, exitOnZeroConnections: false, restartAfter: RESTART_AFTER };

/** Effects of each event, logs left out: `timer 5000`, `drain-listeners`, `exit 0`. */
function play(events: readonly DrainEvent[], change: Partial<typeof POLICY> = {}): readonly (readonly string[])[] {
  let state: DrainState = started;
  return events.map((event) => {
    const [next, effects] = stepDrain(state, event, { ...POLICY, ...change });
    state = next;
    return effects.flatMap((effect) => {
      if (effect.type === "log") return [];
      if (effect.type === "timer") return [`timer ${effect.delay}`];
      return [effect.type === "exit" ? `exit ${effect.code}` : effect.type];
    });
  });
}

const terminate = { type: "terminate" } as const;
const timer = { type: "timer" } as const;
const exit = (code: number): DrainEvent => ({ type: "envoy-exit", code });

test("SIGTERM: drain, wait, stop, leave with 0", () => {
  expect(play([terminate, timer, exit(0)])).toEqual([
    ["drain-listeners", "timer 5000"],
    ["stop-envoy", "timer 5000"],
    ["exit 0"],
  ]);
});

test("an end that was asked for is clean even when it took a kill", () => {
  expect(play([terminate, timer, timer, exit(137)]).slice(2)).toEqual([["kill-envoy"], ["exit 0"]]);
});

test("a second signal does not wait, a third kills", () => {
  expect(play([terminate, terminate, terminate]).slice(1)).toEqual([["stop-envoy", "timer 5000"], ["kill-envoy"]]);
});

test("a drained native sidecar stops at once on SIGTERM, and drains once", () => {
  expect(play([{ type: "drain-only" }, { type: "drain-only" }, terminate])).toEqual([
    ["drain-listeners"],
    [],
    ["stop-envoy", "timer 5000"],
  ]);
});

test("a finished Job quits without draining", () => {
  expect(play([{ type: "quit" }, exit(0)])).toEqual([["stop-envoy", "timer 5000"], ["exit 0"]]);
});

test("with exit on zero connections: at least the minimum, then until none is left", () => {
  const connections = (active: number): DrainEvent => ({ type: "connections", active });
  const events = [terminate, timer, connections(3), timer, connections(0), exit(0)];
  expect(play(events, { exitOnZeroConnections: true })).toEqual([
    ["drain-listeners", "timer 3000"],
    ["count-connections"],
    ["timer 1000"],
    ["count-connections"],
    ["stop-envoy", "timer 5000"],
    ["exit 0"],
  ]);
});

test("an Envoy that crashes is started again, later each time; at last its code is the agent's", () => {
  const crash = [exit(139), timer];
  const steps = play([...crash, ...crash, ...crash, ...crash, ...crash, exit(139)]);
  const start = ["start-envoy", "timer 60000"];
  expect(steps).toEqual([
    ...["timer 100", "timer 500", "timer 1000", "timer 2000", "timer 5000"].flatMap((delay) => [[delay], start]),
    ["exit 139"],
  ]);
  expect(play([...crash, ...crash, ...crash, ...crash, ...crash, exit(0)]).at(-1)).toEqual(["exit 1"]);
});

test("a minute without a crash counts as health", () => {
  expect(play([exit(1), timer, timer, exit(1)]).at(-1)).toEqual(["timer 100"]);
});

test("asked to end while no Envoy runs: gone at once, and cleanly", () => {
  expect(play([exit(1), terminate])[1]).toEqual(["exit 0"]);
  expect(play([exit(1), { type: "quit" }])[1]).toEqual(["exit 0"]);
});

test("a drained proxy stays drained over a crash", () => {
  expect(play([{ type: "drain-only" }, exit(1), timer, terminate]).at(-1)).toEqual(["stop-envoy", "timer 5000"]);
  expect(play([exit(1), { type: "drain-only" }, timer, terminate]).at(-1)).toEqual(["stop-envoy", "timer 5000"]);
});

test("an Envoy that dies while draining is not a clean end", () => {
  expect(play([terminate, exit(139)])[1]).toEqual(["exit 139"]);
});
