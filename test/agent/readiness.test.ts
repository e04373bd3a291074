import { expect, test } from "vitest";
import { notConfigured, READINESS_FILTER, stepReadiness } from "../../src/agent/readiness.ts";

const stats = (cds: number, lds: number, state: number, workers: number): string =>
  [
    `cluster_manager.cds.update_success: ${cds}`,
    `listener_manager.lds.update_success: ${lds}`,
    `listener_manager.workers_started: ${workers}`,
    `server.state: ${state}`,
    "",
  ].join("\n");

test.each([
  [stats(0, 0, 2, 0), "no clusters and listeners from meshd yet"],
  [stats(1, 0, 2, 0), "no listeners from meshd yet"],
  [stats(1, 1, 2, 0), "Envoy is not live: server.state 2"],
  [stats(1, 1, 0, 0), "Envoy's workers have not started"],
  ["", "no clusters and listeners from meshd yet"],
])("not ready (%#): %s", (text, reason) => {
  expect(stepReadiness(notConfigured, text)).toEqual([{ configured: false }, { ready: false, reason }]);
});

test("ready once configuration arrived and the server lives; later only its life counts", () => {
  const [state, first] = stepReadiness(notConfigured, stats(1, 2, 0, 1));
  expect([state, first]).toEqual([{ configured: true }, { ready: true }]);
  expect(stepReadiness(state, "server.state: 0\n")[1]).toEqual({ ready: true });
  expect(stepReadiness(state, "server.state: 1\n")[1]).toEqual({
    ready: false,
    reason: "Envoy is not live: server.state 1",
  });
});

test("the filter names exactly the four statistics", () => {
  const filter = new RegExp(READINESS_FILTER);
  const names = stats(0, 0, 0, 0)
    .trim()
    .split("\n")
    .map((line) => line.split(":")[0] ?? "");
  expect(names.every((name) => filter.test(name))).toBe(true);
  expect(filter.test("cluster_manager.cds.update_success_x")).toBe(false);
});
