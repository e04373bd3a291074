import { expect, test } from "vitest";
import { defineAnalyzer } from "../../src/analyzers/analyzer.ts";
import { runAnalyzers } from "../../src/analyzers/run.ts";
import { worldOf } from "../../src/resources/world-store.ts";

test("an analyzer that throws is IST0001 with its name and the reason, and the others run on", () => {
  const broken = defineAnalyzer({
    name: "broken",
    summary: "Breaks.",
    reads: ["Service"],
    codes: [],
    analyze: () => {
      throw new TypeError("no such thing");
    },
  });
  const working = defineAnalyzer({
    name: "working",
    summary: "Works.",
    reads: ["Service"],
    codes: ["IST0102"],
    analyze: ({ world, report }) => {
      for (const object of world.list("Service"))
        report(object, ["metadata", "name"], "IST0102", { namespace: object.metadata.namespace ?? "" });
    },
  });
  const service = { apiVersion: "v1", kind: "Service", metadata: { name: "web", namespace: "shop" } };
  const { findings, executed } = runAnalyzers([broken, working], worldOf([service]), { complete: true });
  expect(executed).toEqual(["broken", "working"]);
  expect(findings.map(({ code }) => code)).toEqual(["IST0001", "IST0102"]);
  expect(findings[0]?.args).toEqual({ analyzer: "broken", reason: "no such thing" });
});
