import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Outcome, walkRoutes } from "../../../src/simulate/outcome.ts";
import type { SimulatedRequest } from "../../../src/simulate/request.ts";
import { testEnvoy } from "../../support/envoy/binary.ts";
import { coverage } from "../../support/simulate/coverage.ts";
import { dice } from "../../support/simulate/dice.ts";
import { randomRequest } from "../../support/simulate/random-requests.ts";
import { HEADERS, randomTable } from "../../support/simulate/random-tables.ts";
import {
  type Answer,
  type Arrived,
  startRoutingEnvoy,
  type TableUnderTest,
} from "../../support/simulate/routing-envoy.ts";

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
const running = await startRoutingEnvoy(envoy, folder, tables);
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

function told(name: string, counts: ReadonlyMap<string, number>): string {
  return `${name}: ${[...counts]
    .map(([kind, times]) => `${kind} ${times}`)
    .toSorted()
    .join("; ")}\n`;
}

/** What Envoy did otherwise than simulated; undefined: nothing. */
function difference(outcome: Outcome, route: string | undefined, answer: Answer): string | undefined {
  const [wanted, got] =
    outcome.kind === "forward" ? forwarded(outcome, route, answer) : answered(outcome, route, answer);
  const [simulated, seen] = [JSON.stringify(wanted), JSON.stringify(got)];
  return simulated === seen ? undefined : `simulated ${simulated}\nEnvoy     ${seen}`;
}

type Forward = Extract<Outcome, { kind: "forward" }>;
type Pair = readonly [wanted: unknown, got: unknown];

/** What Envoy answers itself. A redirect to TLS comes before any route is looked at. */
function answered(outcome: Exclude<Outcome, Forward>, route: string | undefined, answer: Answer): Pair {
  const { status, location, body } = answer;
  switch (outcome.kind) {
    case "none":
      return [outcome, { kind: "none", status, ...(answer.route === undefined ? {} : { route: answer.route }) }];
    case "redirect":
      return [outcome, { kind: "redirect", status, location }];
    case "direct":
      return [
        { ...outcome, route },
        { kind: "direct", status, body, route: answer.route },
      ];
  }
}

/** The cluster, the route and the request that reached the application. */
function forwarded({ targets }: Forward, route: string | undefined, answer: Answer): Pair {
  const target = targets.find(({ cluster }) => cluster === answer.cluster);
  if (target === undefined || answer.status !== 200) return [{ route, targets }, answer];
  const arrived = JSON.parse(answer.body) as Arrived;
  return [
    { route, request: seen(target.request) },
    { route: answer.route, request: seen({ ...arrived, scheme: "http" }) },
  ];
}

/** What of a request is compared: what routes look at and change. */
function seen({ method, path, authority, headers }: SimulatedRequest): string {
  const kept = [...HEADERS, "x-envoy-original-path"].map((name) => [
    name,
    headers.filter(([key]) => key === name).map(([, value]) => value),
  ]);
  return JSON.stringify({ method, path, authority, headers: kept });
}
