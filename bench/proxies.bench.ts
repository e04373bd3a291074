// 1,000 services of 10 endpoints, and simulated proxies over TLS and delta xDS: meshd's own state, compiler, encoder and server in a
// process of their own (without Kubernetes: objects are put in), the proxies in this one. First 1,000 that see their namespace
// (a Sidecar each), then 100 that see everything. PROXIES=n for fewer.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createFleet, type Fleet } from "./proxies/fleet.ts";
import type { Report, Wish } from "./proxies/server.ts";

const ALL = Number(process.env["PROXIES"] ?? 1000);
const rows: Record<string, unknown>[] = [];

for (const [what, count, scoped] of [
  [`${ALL} proxies that see their namespace`, ALL, true],
  [`${Math.ceil(ALL / 10)} proxies that see everything`, Math.ceil(ALL / 10), false],
] as const)
  await measure(what, count, scoped);
console.table(rows);

async function measure(what: string, count: number, scoped: boolean): Promise<void> {
  const server = fork(fileURLToPath(new URL("./proxies/server.ts", import.meta.url)), [], {
    execArgv: process.execArgv,
  });
  const ask = (wish: Wish): Promise<Report> =>
    new Promise((resolve, reject) => {
      const onExit = (code: number | null): void => reject(new Error(`the server ended with ${code}`));
      server.once("exit", onExit);
      server.once("message", (report: Report) => {
        server.off("exit", onExit);
        resolve(report);
      });
      server.send(wish);
    });
  let { port, roots, cpuMs } = await ask({ type: "start", proxies: count, scoped });
  const fleet = createFleet({ port, roots, count });
  /** Does something and waits until every proxy has confirmed all that follows. */
  const step = async (name: string, action: () => Promise<unknown>, until: () => Promise<number>): Promise<void> => {
    const bytes = fleet.bytes();
    const began = performance.now();
    await action();
    const ended = await until();
    const now = await ask({ type: "report" });
    const spent = now.cpuMs - cpuMs;
    ({ cpuMs } = now);
    rows.push({
      proxies: what,
      step: name,
      ms: Math.round(ended - began),
      "MB sent": ((fleet.bytes() - bytes) / 1e6).toFixed(3),
      "server CPU s": (spent / 1000).toFixed(2),
      "server MB": Math.round(now.memory / 1e6),
    });
  };
  const all = (fleetNow: Fleet) => () => fleetNow.settled();
  await step("connect", async () => fleet.connect(), all(fleet));
  for (let turn = 0; turn < 3; turn += 1) {
    const reached = scoped ? Math.ceil(count / 50) : count;
    await step(
      "one endpoint more or less",
      () => ask({ type: "endpoints", count: 9 + (turn % 2) }),
      () => fleet.pushed(reached),
    );
    await step(
      "one VirtualService",
      () => ask({ type: "weight", weight: 10 + turn }),
      () => fleet.pushed(reached),
    );
  }
  await step("all reconnect", async () => fleet.reconnect(), all(fleet));
  fleet.close();
  server.kill();
}
