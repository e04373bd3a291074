import fc from "fast-check";
import { expect, test } from "vitest";
import { blockText } from "../../src/resources/yaml-block.ts";
import { toYaml } from "../../src/resources/yaml-plain.ts";

const word = fc.constantFrom(
  "a",
  "y",
  "null",
  "1",
  "1e3",
  "- x",
  "a: b",
  "#c",
  "'q'",
  '"',
  "",
  " s ",
  "t\n",
  "é",
  "{",
  "~",
  "0x1f",
  "=",
  "<<",
  "*a",
  "!t",
  "%d",
  "@",
  "`",
  "a #b",
  "2026-01-01",
  ":",
  "a:",
  "\t",
  "\u2028",
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    word,
    fc.string(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.oneof(word, fc.string()), tie("value"), { maxKeys: 3 }),
  ),
}));

test("property: what the fast writer writes is what the library writes", () => {
  fc.assert(
    fc.property(value, (any) => {
      expect(`${blockText(any)}\n`).toBe(toYaml(any));
    }),
    { numRuns: 3000 },
  );
});
