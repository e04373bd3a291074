import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { walkRoutes } from "../../../src/simulate/outcome.ts";
import { testEnvoy } from "../../support/envoy/binary.ts";
import { coverage } from "../../support/simulate/coverage.ts";
import { dice } from "../../support/simulate/dice.ts";
import { difference } from "../../support/simulate/difference.ts";
import { generatedTable, nearbyRequest } from "../../support/simulate/random-meshes.ts";
import { randomRequest } from "../../support/simulate/random-requests.ts";
import { randomTable } from "../../support/simulate/random-tables.ts";
import { startRoutingEnvoy, type TableUnderTest } from "../../support/simulate/routing-envoy.ts";

// 10,000 random requests through 200 random route tables of a real Envoy: the simulator says the same route, the same cluster and the
// same request behind it.
const TABLES = 200;
const REQUESTS = 10_000;
const SEED = Number(process.env["SIMULATE_SEED"] ?? 20_261_121);

const envoy = await testEnvoy();
const folder = mkdtempSync(join(tmpdir(), "meshctl-simulate-"));
const roll = dice(SEED);
const tables: readonly TableUnderTest[] = Array.from({ length: TABLES }, (_, index) => ({
  table: randomTable(roll, `t${index}`),
  scheme: index % 4 === 0 ? ("https" as const) : ("http" as const),
}));
// 2,000 more through tables that our own generator makes of random VirtualServices
const GENERATED = 60;
const GENERATED_REQUESTS = 2_000;
const generated: readonly TableUnderTest[] = Array.from({ length: GENERATED }, () => ({
  ...generatedTable(roll),
  scheme: "http",
}));
const running = await startRoutingEnvoy(envoy, folder, [...tables, ...generated]);
afterAll(async () => {
  await running.stop();
  rmSync(folder, { recursive: true });
});

test("the simulator goes the way of a real Envoy", { timeout: 120_000 }, async () => {
  const cover = coverage();
  const differences: string[] = [];
  const one = async (): Promise<void> => {
    const index = roll.int(TABLES);
    const { table, scheme } = tables[index] as TableUnderTest;
    const request = randomRequest(roll, scheme);
    const walk = walkRoutes(table, request);
    cover.count(walk);
    const answer = await running.ask(index, request);
    const problem = difference(walk.outcome, walk.chosen.route?.name, answer);
    if (problem !== undefined)
      differences.push(`${table.name} ${JSON.stringify(request)}\n${problem}\n${JSON.stringify(walk.chosen.route)}`);
  };
  for (let done = 0; done < REQUESTS; done += 50) await Promise.all(Array.from({ length: 50 }, one));
  process.stdout.write(told("met", cover.met) + told("missed", cover.missed));
  expect(differences.slice(0, 5).join("\n\n")).toBe("");
  for (const [kind, times] of [...cover.met, ...cover.missed]) expect(times, kind).toBeGreaterThan(10);
});

test("requests through generated tables go as simulated", { timeout: 120_000 }, async () => {
  const differences: string[] = [];
  const met = new Map<string, number>();
  const one = async (): Promise<void> => {
    const index = roll.int(GENERATED);
    const { table } = generated[index] as TableUnderTest;
    const request = nearbyRequest(roll);
    const { outcome, chosen } = walkRoutes(table, request);
    const route = chosen.route?.name;
    const kind = `${outcome.kind} ${/^r\d/.test(route ?? "") ? "by a rule" : "by default"}`;
    met.set(kind, (met.get(kind) ?? 0) + 1);
    const problem = difference(outcome, route, await running.ask(TABLES + index, request));
    if (problem !== undefined)
      differences.push(`${JSON.stringify(request)}\n${problem}\n${JSON.stringify(chosen.route)}`);
  };
  for (let done = 0; done < GENERATED_REQUESTS; done += 50) await Promise.all(Array.from({ length: 50 }, one));
  process.stdout.write(told("generated", met));
  expect(differences.slice(0, 5).join("\n\n")).toBe("");
  for (const kind of [
    "forward by a rule",
    "forward by default",
    "redirect by a rule",
    "direct by a rule",
    "none by default",
  ])
    expect(met.get(kind) ?? 0, kind).toBeGreaterThan(5);
});

function told(name: string, counts: ReadonlyMap<string, number>): string {
  return `${name}: ${[...counts]
    .map(([kind, times]) => `${kind} ${times}`)
    .toSorted()
    .join("; ")}\n`;
}
