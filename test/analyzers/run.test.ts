import { expect, test } from "vitest";
import { defineAnalyzer } from "../../src/analyzers/analyzer.ts";
import { analyzers } from "../../src/analyzers/index.ts";
import { istioctlNames } from "../../src/analyzers/istioctl-names.ts";
import { runAnalyzers } from "../../src/analyzers/run.ts";
import { selectAnalyzers } from "../../src/analyzers/select.ts";
import { codes } from "../../src/diagnostics/codes.ts";
import { createFixedWorld } from "../../src/resources/world-fixed.ts";

const service = { apiVersion: "v1", kind: "Service", metadata: { name: "web", namespace: "shop" } };
const world = createFixedWorld([service]);

const failing = defineAnalyzer({
  name: "failing",
  summary: "Fails.",
  reads: ["Service"],
  codes: ["IST0118"],
  analyze: () => {
    throw new TypeError("x is not a function");
  },
});
const finding = defineAnalyzer({
  name: "finding",
  summary: "Finds.",
  reads: ["Service"],
  codes: ["IST0150"],
  analyze: ({ world: read, unknown, report, clusters }) => {
    for (const object of read.list("Service"))
      report(object, ["spec"], "IST0150", { port: clusters[0]?.name ?? "", protocol: "" } as never);
    unknown("something");
  },
});

test("an analyzer that throws is reported by name, and the others run on", () => {
  const { findings, executed, judged } = runAnalyzers([failing, finding], world, { complete: true });
  expect(findings.map(({ code, args }) => [code, args["analyzer"], args["reason"]])).toEqual([
    ["IST0001", "failing", "x is not a function"],
    ["IST0150", undefined, undefined],
  ]);
  expect(executed).toEqual(["failing", "finding"]);
  expect(judged).toEqual([]);
});

test("one whose kinds are missing, or that comes too late, is skipped with the reason", () => {
  const missing = new Map([["Service" as const, "may not list services"]]);
  expect(runAnalyzers([finding], world, { complete: true, missing })).toMatchObject({
    findings: [],
    executed: [],
    skipped: [{ name: "finding", reason: "may not list services" }],
  });
  const { skipped } = runAnalyzers([finding], world, { complete: true, expired: () => "not run within 1 s" });
  expect(skipped).toEqual([{ name: "finding", reason: "not run within 1 s" }]);
});

test("istioctl's names lead to analyzers of ours, and every code of theirs exists", () => {
  for (const [name, raised] of Object.entries(istioctlNames)) {
    for (const code of raised) expect(Object.keys(codes), name).toContain(code);
    expect(selectAnalyzers(analyzers, { names: [name], profiles: [] }).length, name).toBeGreaterThan(0);
  }
});

test("profiles: security only when asked for", () => {
  const names = (profiles: readonly ("default" | "security")[]): readonly string[] =>
    selectAnalyzers(analyzers, { names: [], profiles }).map(({ name }) => name);
  expect(names(["security"])).toEqual(analyzers.map(({ name }) => name));
  expect(names([]).length).toBeLessThan(analyzers.length);
});
