import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { FieldPath } from "../../src/diagnostics/finding.ts";
import { readCommon, UNCOMMON } from "../../src/resources/yaml-common.ts";
import { commonPlace } from "../../src/resources/yaml-common-places.ts";
import { documentsOf } from "../../src/resources/yaml-documents.ts";
import { createPrecisePositions } from "../../src/resources/yaml-positions.ts";

const root = join(import.meta.dirname, "../..");

/** Every path of a value, and beside each object one that is not there. */
function* pathsOf(value: unknown, path: FieldPath = []): Generator<FieldPath> {
  yield path;
  if (typeof value !== "object" || value === null) return;
  yield [...path, Array.isArray(value) ? value.length : "not there"];
  for (const [key, member] of Object.entries(value))
    yield* pathsOf(member, [...path, Array.isArray(value) ? Number(key) : key]);
}

function offsetOf(text: string, { line, column }: { line: number; column: number }): number {
  const lines = text.split("\n").slice(0, line - 1);
  return lines.reduce((sum, { length }) => sum + length + 1, 0) + column - 1;
}

function compareAll(text: string): { places: number; answered: number } {
  const value = readCommon(text);
  if (value === UNCOMMON) return { places: 0, answered: 0 };
  const precise = createPrecisePositions(text);
  let places = 0;
  let answered = 0;
  for (const path of pathsOf(value))
    for (const of of ["key", "value"] as const) {
      places += 1;
      const quick = commonPlace(text, path, of);
      if (quick === undefined) continue;
      answered += 1;
      expect(quick, `${of} ${JSON.stringify(path)} in\n${text}`).toBe(offsetOf(text, precise(path, of)));
    }
  return { places, answered };
}

test("where it answers, the precise reader says the same: every field of every manifest of the repository", () => {
  let places = 0;
  let answered = 0;
  for (const folder of ["samples", "manifests/base", "test/analyzers/testdata", "test/corpus", "test/compile/testdata"])
    for (const name of readdirSync(join(root, folder), { recursive: true }).map(String))
      if (/\.ya?ml$/.test(name) && !name.includes("crds"))
        for (const document of documentsOf(readFileSync(join(root, folder, name), "utf8"))) {
          const compared = compareAll(document.text);
          places += compared.places;
          answered += compared.answered;
        }
  expect(places).toBeGreaterThan(10_000);
  expect(answered / places).toBeGreaterThan(0.9);
});

test.each([
  ["a list at the column of its key", "a:\n- b: 1\n  c: 2\n- d\nz: 3\n"],
  ["empty values and comments", "# head\na:\n# c\nb: # d\n  # e\n  c:\nd: 1\n"],
  ["a literal that looks like fields", "a: |\n  b: 1\n  - c\nb: 2\n"],
  ["items on their own lines", "a:\n  -\n    b: 1\n  - # why\n    c: 2\n"],
  ["flow collections", 'a: { b: [1, "x, }", { c: 2, "d e": \'[\' }], f: {} } # g\nh: [ [i], j ]\n'],
  ["flow collections in lists", "l:\n- { a: 1, b: [2, 3] }\n- [x, { why: z }]\n- c: { d: [] }\n"],
  ["keys that begin alike", "ab: 1\na: 2\na.b/c: 3\n"],
])("%s", (_title, text) => {
  expect(compareAll(text).answered).toBeGreaterThan(0);
});
