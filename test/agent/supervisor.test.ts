import { expect, test } from "vitest";
import { countConnections, createSupervisor } from "../../src/agent/supervisor.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { waitFor } from "../support/wait.ts";

const STATS = `listener.0.0.0.0_15006.downstream_cx_active: 3
listener.0.0.0.0_15006.worker_0.downstream_cx_active: 3
listener.0.0.0.0_15021.downstream_cx_active: 1
listener.0.0.0.0_15090.downstream_cx_active: 1
listener.admin.downstream_cx_active: 1
listener.admin.main_thread.downstream_cx_active: 1
listener.[__]_15006.downstream_cx_active: 2
http.inbound.downstream_cx_active: 9
`;

test("only connections of the application count", () => {
  expect(countConnections(STATS, [15021, 15090])).toBe(5);
  expect(countConnections("", [])).toBe(0);
});

function standIn(role: "sidecar" | "router", stats: () => string) {
  const calls: string[] = [];
  let end: (code: number) => void = () => undefined;
  const exited = new Promise<number>((resolve) => {
    end = resolve;
  });
  const supervisor = createSupervisor({
    spawn: () =>
      Promise.resolve({
        pid: 1,
        exited,
        signal: (name) => {
          calls.push(name);
          end(name === "SIGTERM" ? 0 : 137);
        },
      }),
    admin: {
      call: (method, path) => {
        calls.push(`${method} ${path}`);
        return Promise.resolve(path.startsWith("/stats") ? stats() : "OK");
      },
    },
    policy: { termination: 1, minimum: 1, exitOnZeroConnections: role === "router", restartAfter: [] },
    role,
    ownPorts: [15021, 15090],
    log: silentLogger,
  });
  return { supervisor, calls, end: (code: number) => end(code) };
}

test("a sidecar drains its inbound listeners, then stops Envoy", async () => {
  const { supervisor, calls } = standIn("sidecar", () => "");
  await supervisor.start();
  supervisor.send({ type: "terminate" });
  expect(await supervisor.done).toBe(0);
  expect(calls).toEqual(["POST /drain_listeners?inboundonly&graceful", "SIGTERM"]);
});

test("a gateway drains all listeners and waits for the last connection", async () => {
  const counts = [3, 0];
  const { supervisor, calls } = standIn(
    "router",
    () => `listener.0.0.0.0_80.downstream_cx_active: ${counts.shift()}\n`,
  );
  await supervisor.start();
  supervisor.send({ type: "terminate" });
  expect(await supervisor.done).toBe(0);
  expect(calls).toEqual([
    "POST /drain_listeners?graceful",
    "GET /stats?filter=downstream_cx_active",
    "GET /stats?filter=downstream_cx_active",
    "SIGTERM",
  ]);
});

test("an Envoy that dies is replaced; one that cannot be started ends the agent after the last try", async () => {
  const ends: ((code: number) => void)[] = [];
  const supervisor = createSupervisor({
    spawn: () => {
      if (ends.length === 2) return Promise.reject(new Error("no such file"));
      const exited = new Promise<number>((resolve) => void ends.push(resolve));
      return Promise.resolve({ pid: ends.length, exited, signal: () => ends.at(-1)?.(143) });
    },
    admin: { call: () => Promise.resolve("") },
    policy: { termination: 1, minimum: 1, exitOnZeroConnections: false, restartAfter: [1, 1, 1] },
    role: "sidecar",
    ownPorts: [],
    log: silentLogger,
  });
  await supervisor.start();
  ends[0]?.(139);
  await waitFor(() => ends.length === 2, { what: "a second Envoy" });
  ends[1]?.(139);
  expect(await supervisor.done).toBe(127);
});
