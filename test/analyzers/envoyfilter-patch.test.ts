import { join } from "node:path";
import { expect, test } from "vitest";
import { envoyfilterPatch } from "../../src/analyzers/envoyfilter-patch.ts";
import { runAnalyzers } from "../../src/analyzers/run.ts";
import { analyze } from "../../src/commands/analyze.ts";
import { worldFromObjects } from "../../src/resources/files-world.ts";
import { validateObject } from "../../src/validation/index.ts";
import { analyzeCase, readCase } from "../support/case-findings.ts";
import { fakeIo } from "../support/fake-io.ts";
import { expectGolden } from "../support/golden.ts";

// The analyzer that stands beside the registry: `<case>.in.yaml` -> `<case>.out.txt` as for the others (cases.test.ts).
const folder = join(import.meta.dirname, "apart");
const { objects, report } = readCase(join(folder, "envoyfilter-patch.in.yaml"));

test("patches that change nothing are told, each with its place", () => {
  expect(report(objects.flatMap((object) => validateObject(object)).filter(({ level }) => level === "Error"))).toBe("");
  expectGolden(join(folder, "envoyfilter-patch.out.txt"), report(analyzeCase(envoyfilterPatch, objects)));
});

test("files may lack what a patch is about by name: that is unknown, not wrong", () => {
  const { findings, unknown } = runAnalyzers([envoyfilterPatch], worldFromObjects(objects), { complete: false });
  expect(findings.map(({ object }) => object?.name)).not.toContain("names");
  expect(unknown).toEqual(["patches of CLUSTER that match by name"]);
});

test("analyze loads it where there are EnvoyFilters", async () => {
  const text = objects.map((object) => JSON.stringify(object)).join("\n---\n");
  const options = { sources: ["-"], cluster: "no", namespace: "default", allNamespaces: false } as const;
  const { findings } = await analyze({ ...options, rootNamespace: "istio-system" } as never, fakeIo({ stdin: text }));
  expect(findings.filter(({ code }) => code === "MSH0125")).toHaveLength(3);
});
