import fc from "fast-check";
import { expect } from "vitest";
import { validateBlock } from "../../src/commands/validate-block.ts";
import { manifestText, mutation } from "../support/yaml-texts.ts";
import { objectMutation } from "./object-mutation.ts";
import { readValues } from "../../src/resources/yaml-values.ts";
import { toYaml } from "../../src/resources/yaml-plain.ts";

/** No document takes longer, in milliseconds; a busy machine has room: the slowest takes 30 ms on a quiet one. */
const SLOWEST = 2000;

/** Reads and validates one text; every finding has a place inside it, and the clock stays within limits. */
function holds(text: string): void {
  const start = performance.now();
  const { findings } = validateBlock({ file: "fuzz.yaml", text }, "default");
  expect(performance.now() - start, "milliseconds").toBeLessThan(SLOWEST);
  const lines = text.split(/\r\n|\r|\n/);
  for (const { code, position } of findings) {
    expect(position, code).toBeDefined();
    const { line, column } = position!;
    expect(line, code).toBeGreaterThanOrEqual(1);
    expect(line, code).toBeLessThanOrEqual(lines.length);
    expect(column, code).toBeGreaterThanOrEqual(1);
    // a place may be the end of its line; a byte order mark is no column of the document
    expect(column, code).toBeLessThanOrEqual((lines[line - 1] ?? "").length + 2);
  }
}

/** Valid documents with slips in their text. */
export function fuzzTexts(numRuns: number): void {
  fc.assert(
    fc.property(manifestText, fc.array(mutation, { minLength: 1, maxLength: 4 }), (text, changes) =>
      holds(changes.reduce((now, change) => change(now), text)),
    ),
    { numRuns },
  );
}

/** Valid documents with other values, names and shapes in their objects. */
export function fuzzObjects(numRuns: number): void {
  fc.assert(
    fc.property(manifestText, fc.array(objectMutation, { minLength: 1, maxLength: 4 }), (text, changes) => {
      const value = changes.reduce((now, change) => change(now), readValues(text)[0]);
      holds(toYaml(value));
    }),
    { numRuns },
  );
}
