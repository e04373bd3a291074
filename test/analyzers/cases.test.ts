import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { analyzers } from "../../src/analyzers/index.ts";
import { validateObject } from "../../src/validation/index.ts";
import { analyzeCase, readCase } from "../support/case-findings.ts";
import { expectGolden, expectNoStaleGoldens } from "../support/golden.ts";

const folder = join(import.meta.dirname, "testdata");

/** One folder per analyzer: `<case>.in.yaml` -> `<case>.out.txt`, the report that a user sees. */
const cases = analyzers.flatMap((analyzer) =>
  readdirSync(join(folder, analyzer.name))
    .filter((file) => file.endsWith(".in.yaml"))
    .map((file) => ({ analyzer, name: file.slice(0, -".in.yaml".length) })),
);

test.each(cases.map((each) => [`${each.analyzer.name}/${each.name}`, each] as const))(
  "%s",
  (_title, { analyzer, name }) => {
    const { objects, report } = readCase(join(folder, analyzer.name, `${name}.in.yaml`));
    // a case is about relations: each object alone is taken by the control plane
    const errors = objects.flatMap((object) => validateObject(object)).filter(({ level }) => level === "Error");
    expect(report(errors)).toBe("");
    expectGolden(join(folder, analyzer.name, `${name}.out.txt`), report(analyzeCase(analyzer, objects)));
  },
);

test("no golden without its case, no folder without its analyzer", () => {
  for (const analyzer of analyzers) {
    const names = cases.filter((each) => each.analyzer === analyzer).map(({ name }) => name);
    expectNoStaleGoldens(
      join(folder, analyzer.name),
      names.flatMap((name) => [`${name}.in.yaml`, `${name}.out.txt`]),
    );
  }
  expect(readdirSync(folder).toSorted()).toEqual(analyzers.map(({ name }) => name));
});
