import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expectGolden, expectNoStaleGoldens } from "../support/golden.ts";
import { irText, readIrCase } from "../support/ir-case.ts";

const folder = join(import.meta.dirname, "testdata");
const cases = readdirSync(folder).flatMap((name) =>
  name.endsWith(".in.yaml") ? [name.slice(0, -".in.yaml".length)] : [],
);

test.each(cases)("IR of %s", (name) => {
  const text = irText(readIrCase(join(folder, `${name}.in.yaml`)));
  expect(text.split("\n").length, "goldens stay readable: split the case").toBeLessThan(200);
  expectGolden(join(folder, `${name}.out.yaml`), text);
});

test("no golden is left of a case that is gone", () => {
  expectNoStaleGoldens(
    folder,
    // gateway-api has a test of its own
    ["gateway-api", ...cases.flatMap((name) => [`${name}.in.yaml`, `${name}.out.yaml`])],
  );
});
