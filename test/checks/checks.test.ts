import { join } from "node:path";
import { expect, test } from "vitest";
import { ClusterError } from "../../src/base/errors.ts";
import { type CheckResult, runChecks } from "../../src/checks/check.ts";
import { allChecks } from "../../src/checks/registry.ts";
import { expectGolden } from "../support/golden.ts";
import { CAUSES } from "./cases.ts";
import { clusterOf, healthyMesh } from "./mesh.ts";

async function resultsFor(name: string | undefined): Promise<readonly CheckResult[]> {
  const mesh = await healthyMesh();
  if (name !== undefined) await CAUSES[name]?.(mesh);
  const { cluster, context } = clusterOf(mesh);
  if (!mesh.broken) return runChecks(allChecks, cluster, context);
  const lost = (): Promise<never> => Promise.reject(new ClusterError("unreachable", "no route to the host"));
  return runChecks(allChecks, { ...cluster, version: lost }, context);
}

test("in a mesh in which all is well every check holds, and none is skipped", async () => {
  const results = await resultsFor(undefined);
  expect(results.filter(({ status }) => status !== "ok")).toEqual([]);
  expect(results).toHaveLength(allChecks.length);
});

const messages = new Map<string, string>();

test.each(allChecks.map((check) => [check.name, check] as const))("%s fails for a real cause", async (name, check) => {
  const results = await resultsFor(name);
  const result = results.find((each) => each.name === name);
  expect(result?.status, JSON.stringify(result)).toBe(check.severity);
  expect(result?.message ?? "").not.toBe("");
  const others = results.filter((each) => each.name !== name && (each.status === "error" || each.status === "warning"));
  messages.set(name, [`${name}: ${result?.message ?? ""}`, ...others.map((each) => `  also ${each.name}`)].join("\n"));
});

// runs last: what every cause makes people read, and which other checks see it too
test("the words of failures", () => {
  const lines = allChecks.map(({ name }) => messages.get(name) ?? `${name}: not run`);
  expectGolden(join(import.meta.dirname, "testdata/failures.golden.txt"), `${lines.join("\n")}\n`);
});
