import { expect, test } from "vitest";
import { runChecks } from "../../src/checks/check.ts";
import { allChecks } from "../../src/checks/registry.ts";
import { clusterOf, healthyMesh } from "./mesh.ts";

test("in a mesh in which all is well every check holds, and none is skipped", async () => {
  const { cluster, context } = clusterOf(await healthyMesh());
  const results = await runChecks(allChecks, cluster, context);
  expect(results.filter(({ status }) => status !== "ok").map(({ name, status, message }) => `${name} ${status}: ${message ?? ""}`)).toEqual([]);
  expect(results).toHaveLength(allChecks.length);
});
