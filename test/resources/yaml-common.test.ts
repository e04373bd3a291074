import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { documentsOf } from "../../src/resources/yaml-documents.ts";
import { readCommon, UNCOMMON } from "../../src/resources/yaml-common.ts";
import { readValues } from "../../src/resources/yaml-values.ts";
import { manifestText, mutation } from "../support/yaml-texts.ts";

const root = join(import.meta.dirname, "../..");

/** What the library reads; errors count as a value. */
function library(text: string): unknown {
  try {
    const values = readValues(text);
    return values.length === 1 ? values[0] : values;
  } catch {
    return "unreadable";
  }
}

/** The invariant: the common reader says what the library says, or nothing. Tells whether it said something. */
function agrees(text: string): boolean {
  const value = readCommon(text);
  if (value === UNCOMMON) return false;
  // JSON tells apart what toEqual does not: the order of keys
  expect(JSON.stringify(value), JSON.stringify(text)).toBe(JSON.stringify(library(text)));
  return true;
}

test("nine of ten documents of the samples and cases are common", () => {
  const files = ["samples", "test", "manifests"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .map((name) => join(root, folder, String(name)))
      .filter((name) => /\.ya?ml$/.test(name)),
  );
  const results = files.flatMap((file) => documentsOf(readFileSync(file, "utf8")).map(({ text }) => agrees(text)));
  expect(results.length).toBeGreaterThan(200);
  expect(results.filter(Boolean).length / results.length).toBeGreaterThan(0.9);
});

test.each([
  "a: 1 #x\nb: x#y # z\nc: 'it''s' #\nd: \"\\\"q\\n\"\n",
  "a:\n- 1\n- - 2\n  - 3\n- b: 4\n  c: 5\n-\n- d:\n    e\n",
  "a: |\n  x\n   y\n\n  z\n\n\nb: |-\n  q\nc: |+\n  k\n\nd: 1\n",
  "a: {b: 1, c: [x, 'y', \"z\"], d: {}}\ne: []\n",
  "a: on\nb: 0777\nc: 1e3\nd: ~\ne:\nf: -\n",
  "constructor: 1\ntoString: 2\n__proto__: 3\n",
  "a: b\n c\n",
  "a: 1\na: 2\n",
  "a: [1, 2\n",
  "- a: 1\n b: 2\n",
  "a: .inf\n",
  "a: http://x:80/y\nb: x:y\nc: {d: x:y}\n",
  "a: |\n  x",
  "a:   \n  # c\n  b: 1\n # d\nc: 2",
])("%j is read as the library reads it, or left to it", (text) => {
  agrees(text);
});

test("texts made of what YAML is made of", () => {
  const parts = [
    "a",
    "b",
    ": ",
    ":\n",
    "- ",
    "-",
    "\n",
    "\n  ",
    "\n    ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "'",
    '"',
    " #",
    "|\n",
    "|-\n",
    "|+\n  ",
    "1",
    "~",
    "yes",
    "\\n",
    " ",
    "é",
    "<<",
    "@",
    "%",
    "!",
    "&",
    "?",
    "|",
    "? ",
    "&x ",
    "*x",
    "!!str ",
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...parts), { maxLength: 20 }), (pieces) => {
      agrees(pieces.join(""));
      agrees(`k: ${pieces.join("")}\n`);
    }),
    { numRuns: 20_000 },
  );
});

test("manifests, and manifests with mistakes", () => {
  let common = 0;
  fc.assert(
    fc.property(manifestText, fc.array(mutation, { maxLength: 3 }), (text, changes) => {
      if (agrees(changes.reduce((now, change) => change(now), text))) common += 1;
    }),
    { numRuns: 2000 },
  );
  expect(common).toBeGreaterThan(200);
});

test("values in any style of the other library", () => {
  const value = fc.jsonValue({ maxDepth: 4 });
  const style = fc.record({
    indent: fc.integer({ min: 1, max: 4 }),
    indentSeq: fc.boolean(),
    lineWidth: fc.constantFrom(0, 40),
  });
  fc.assert(
    fc.property(value, style, (data, how) => {
      agrees(stringify({ data }, how));
    }),
    { numRuns: 2000 },
  );
});
