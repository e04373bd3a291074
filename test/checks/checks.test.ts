import { join } from "node:path";
import { expect, test } from "vitest";
import { ClusterError } from "../../src/base/errors.ts";
import { type CheckResult, runChecks } from "../../src/checks/check.ts";
import { allChecks } from "../../src/checks/registry.ts";
import { CONTROLLERS_ANNOTATION } from "../../src/model/members.ts";
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

test("what a control plane elsewhere keeps in a cluster is no leftover, and its parts are not asked for here", async () => {
  const mesh = await healthyMesh();
  mesh.remove("Deployment", "istio-system/istiod");
  const labels = { "operator.istio.io/component": "IstiodRemote", "app.kubernetes.io/managed-by": "meshctl" };
  mesh.edit("Service", "istio-system/istiod", ({ metadata }) => {
    const known = metadata as { readonly labels: object };
    Object.assign(known.labels, labels);
  });
  const annotations = { [CONTROLLERS_ANNOTATION]: "east" };
  mesh.edit("Namespace", "istio-system", ({ metadata }) => void Object.assign(metadata as object, { annotations }));
  const { cluster, context } = clusterOf(mesh);
  const results = new Map((await runChecks(allChecks, cluster, context)).map((result) => [result.name, result]));
  for (const name of [
    "control-plane-elsewhere",
    "root-configmaps-left",
    "leader-leases",
    "orphans",
    "namespace-revisions",
  ])
    expect(results.get(name)?.status, JSON.stringify(results.get(name))).toBe("ok");
  expect(results.get("control-plane-installed")).toMatchObject({
    status: "skipped",
    message: "the control plane of this cluster is elsewhere",
  });
});

// runs last: what every cause makes people read, and which other checks see it too
test("the words of failures", () => {
  const lines = allChecks.map(({ name }) => messages.get(name) ?? `${name}: not run`);
  expectGolden(join(import.meta.dirname, "testdata/failures.golden.txt"), `${lines.join("\n")}\n`);
});
